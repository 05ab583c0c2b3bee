-- Everything the engine must remember that exists nowhere else, one JSON value per record.
CREATE TABLE record (
  kind       TEXT NOT NULL,
  key        TEXT NOT NULL,
  value      TEXT NOT NULL,
  updated_at INTEGER NOT NULL DEFAULT (unixepoch()),
  PRIMARY KEY (kind, key)
) WITHOUT ROWID;
