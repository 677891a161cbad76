-- Of a share that may be gone: so it refers to none.
CREATE TABLE reports (
    id       TEXT PRIMARY KEY,
    share    TEXT NOT NULL,
    received BIGINT NOT NULL,
    digest   BLOB NOT NULL,                   -- of what is sealed
    sealed   BLOB NOT NULL
);
CREATE UNIQUE INDEX reports_share ON reports (share, digest);
CREATE INDEX reports_received ON reports (received, id);

UPDATE schema_version SET version = 2;
