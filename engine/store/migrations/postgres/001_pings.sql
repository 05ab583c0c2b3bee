-- Agents, where they stand between pings, and the pings themselves, as several engines share them.
-- Instants and durations are double precision: multiplied intervals have fractions of a millisecond.

CREATE DOMAIN gpu_uptime.finite AS double precision CHECK (VALUE > '-infinity' AND VALUE < 'infinity');

-- A number is never used twice: what an agent leaves behind is not inherited by the next one with its id.
-- Ids are in the order of their bytes, whatever the database thinks of languages.
CREATE TABLE gpu_uptime.agent (
  number           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id               text COLLATE "C" NOT NULL UNIQUE,
  url              text COLLATE "C" NOT NULL,
  capabilities     json NOT NULL CHECK (json_typeof(capabilities) = 'array'),
  metadata         json NOT NULL CHECK (json_typeof(metadata) = 'object'),
  node             text NOT NULL,
  gpu              text,
  token_hash       text NOT NULL,
  registered_at_ms gpu_uptime.finite NOT NULL,
  updated_at_ms    gpu_uptime.finite NOT NULL
);

-- A URL may be longer than an index takes; the backslashes are for the cast.
CREATE UNIQUE INDEX agent_url ON gpu_uptime.agent (sha256(replace(url, '\', '\\')::bytea));
CREATE UNIQUE INDEX agent_gpu ON gpu_uptime.agent (gpu) WHERE gpu IS NOT NULL;

-- Versions of all agents are drawn from here, so that none ever returns.
CREATE SEQUENCE gpu_uptime.ping_version;

-- What the engine makes of an agent is the engine's business; the store has only to know who is due, and who holds it.
-- The type is json and not jsonb: jsonb refuses a text with U+0000, which an agent may send as its boot id.
CREATE TABLE gpu_uptime.ping_state (
  agent           bigint PRIMARY KEY REFERENCES gpu_uptime.agent (number) ON DELETE CASCADE,
  version         bigint NOT NULL DEFAULT nextval('gpu_uptime.ping_version'),
  leased_until_ms gpu_uptime.finite NOT NULL DEFAULT 0,
  next_due_at_ms  gpu_uptime.finite NOT NULL,
  state           json NOT NULL CHECK (json_typeof(state) = 'object')
) WITH (fillfactor = 70);

CREATE INDEX ping_state_due ON gpu_uptime.ping_state (next_due_at_ms, agent);

-- No reference to agent: removing one would have to remove thousands of rows at once. They age out.
CREATE TABLE gpu_uptime.ping (
  agent             bigint NOT NULL,
  at_ms             gpu_uptime.finite NOT NULL,
  sequence          bigint NOT NULL,
  outcome           text NOT NULL,
  reason            text NOT NULL,
  uptime            gpu_uptime.finite,
  consecutive_poor  bigint NOT NULL,
  interval_ms       gpu_uptime.finite NOT NULL,
  next_due_at_ms    gpu_uptime.finite NOT NULL,
  pay_due_at_ms     gpu_uptime.finite NOT NULL,
  round_trip_ms     gpu_uptime.finite,
  clock_skew_ms     gpu_uptime.finite,
  from_ms           gpu_uptime.finite,
  to_ms             gpu_uptime.finite,
  claimed_uptime    gpu_uptime.finite,
  claimed_coverage  gpu_uptime.finite,
  observed_uptime   gpu_uptime.finite,
  observed_coverage gpu_uptime.finite,
  PRIMARY KEY (agent, at_ms, sequence)
);

CREATE INDEX ping_time ON gpu_uptime.ping (at_ms);

-- Kept with every ping, so that a dashboard need not count a million of them.
CREATE TABLE gpu_uptime.ping_total (
  hour_ms       gpu_uptime.finite NOT NULL,
  outcome       text COLLATE "C" NOT NULL,
  pings         bigint NOT NULL,
  answered      bigint NOT NULL,
  round_trip_ms gpu_uptime.finite NOT NULL,
  PRIMARY KEY (hour_ms, outcome)
) WITH (fillfactor = 50);

-- Where agents stood that gave up an id, a URL or a GPU, of which the mark is a hash: whoever takes it up in time goes on
-- from there.
CREATE TABLE gpu_uptime.departed (
  mark             text COLLATE "C" PRIMARY KEY,
  agent            bigint NOT NULL,
  until_ms         gpu_uptime.finite NOT NULL,
  consecutive_poor bigint NOT NULL,
  state            json NOT NULL CHECK (json_typeof(state) = 'object')
);

CREATE INDEX departed_agent ON gpu_uptime.departed (agent);
CREATE INDEX departed_time ON gpu_uptime.departed (until_ms);
CREATE INDEX departed_rank ON gpu_uptime.departed (consecutive_poor DESC, until_ms DESC, mark);
