-- Agents, where they stand between pings, and the pings themselves.
-- Instants and durations are REAL: multiplied intervals have fractions of a millisecond.

-- A number is never used twice: what an agent leaves behind is not inherited by the next one with its id.
CREATE TABLE agent (
  number           INTEGER PRIMARY KEY AUTOINCREMENT,
  id               TEXT NOT NULL UNIQUE,
  url              TEXT NOT NULL UNIQUE,
  capabilities     TEXT NOT NULL CHECK (json_type(capabilities) = 'array'),
  metadata         TEXT NOT NULL CHECK (json_type(metadata) = 'object'),
  node             TEXT NOT NULL,
  gpu              TEXT,
  token_hash       TEXT NOT NULL,
  registered_at_ms REAL NOT NULL,
  updated_at_ms    REAL NOT NULL
) STRICT;

CREATE UNIQUE INDEX agent_gpu ON agent (gpu) WHERE gpu IS NOT NULL;

-- What the engine makes of an agent is the engine's business; the store has only to know who is due, and who holds it.
CREATE TABLE ping_state (
  agent           INTEGER PRIMARY KEY REFERENCES agent (number) ON DELETE CASCADE,
  version         INTEGER NOT NULL,
  leased_until_ms REAL NOT NULL DEFAULT 0,
  next_due_at_ms  REAL NOT NULL,
  state           TEXT NOT NULL CHECK (json_type(state) = 'object')
) STRICT;

CREATE INDEX ping_state_due ON ping_state (next_due_at_ms);

-- No reference to agent: removing one would have to remove thousands of rows at once. They age out.
CREATE TABLE ping (
  agent             INTEGER NOT NULL,
  at_ms             REAL NOT NULL,
  sequence          INTEGER NOT NULL,
  outcome           TEXT NOT NULL,
  reason            TEXT NOT NULL,
  uptime            REAL,
  consecutive_poor  INTEGER NOT NULL,
  interval_ms       REAL NOT NULL,
  next_due_at_ms    REAL NOT NULL,
  pay_due_at_ms     REAL NOT NULL,
  round_trip_ms     REAL,
  clock_skew_ms     REAL,
  from_ms           REAL,
  to_ms             REAL,
  claimed_uptime    REAL,
  claimed_coverage  REAL,
  observed_uptime   REAL,
  observed_coverage REAL,
  PRIMARY KEY (agent, at_ms, sequence)
) STRICT, WITHOUT ROWID;

CREATE INDEX ping_time ON ping (at_ms);

-- Kept with every ping, so that a dashboard need not count a million of them.
CREATE TABLE ping_total (
  hour_ms       REAL NOT NULL,
  outcome       TEXT NOT NULL,
  pings         INTEGER NOT NULL,
  answered      INTEGER NOT NULL,
  round_trip_ms REAL NOT NULL,
  PRIMARY KEY (hour_ms, outcome)
) STRICT, WITHOUT ROWID;

-- Where agents stood that gave up an id, a URL or a GPU, of which the mark is a hash: whoever takes it up in time goes on
-- from there.
CREATE TABLE departed (
  mark             TEXT PRIMARY KEY,
  agent            INTEGER NOT NULL,
  until_ms         REAL NOT NULL,
  consecutive_poor INTEGER NOT NULL,
  state            TEXT NOT NULL CHECK (json_type(state) = 'object')
) STRICT;

CREATE INDEX departed_agent ON departed (agent);
CREATE INDEX departed_time ON departed (until_ms);
CREATE INDEX departed_rank ON departed (consecutive_poor DESC, until_ms DESC, mark);
