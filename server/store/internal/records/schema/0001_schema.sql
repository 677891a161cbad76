CREATE TABLE schema_version (version BIGINT NOT NULL);

CREATE TABLE shares (
    id            TEXT PRIMARY KEY,
    access        BLOB NOT NULL,
    reader        BLOB NOT NULL,
    owner         BLOB NOT NULL,
    state         TEXT NOT NULL,              -- open, ready, removed
    password      INTEGER NOT NULL,           -- 0, 1
    part_size     BIGINT NOT NULL,
    size          BIGINT NOT NULL,
    parts         BIGINT NOT NULL,
    created       BIGINT NOT NULL,
    completed     BIGINT NOT NULL,
    expires       BIGINT NOT NULL,
    lifetime      BIGINT NOT NULL,
    max_downloads BIGINT NOT NULL,
    taken         BIGINT NOT NULL,
    last_ticket   BLOB,                       -- who took the download last: carries over to the next statement of a batch
    tries_full    BIGINT NOT NULL DEFAULT 0   -- when the budget of password tries is full again
);
CREATE UNIQUE INDEX shares_owner ON shares (owner) WHERE state <> 'removed';
CREATE INDEX shares_expires ON shares (expires) WHERE state <> 'removed';
CREATE INDEX shares_spent ON shares (id) WHERE state = 'ready' AND max_downloads > 0 AND taken >= max_downloads;
CREATE INDEX shares_removed ON shares (id) WHERE state = 'removed';

CREATE TABLE parts (
    share  TEXT NOT NULL REFERENCES shares (id) ON DELETE CASCADE,
    n      BIGINT NOT NULL,                   -- 0: the manifest
    size   BIGINT NOT NULL,
    digest BLOB NOT NULL,
    PRIMARY KEY (share, n)
);

CREATE TABLE tickets (
    share  TEXT NOT NULL REFERENCES shares (id) ON DELETE CASCADE,
    ticket BLOB NOT NULL,
    used   BIGINT NOT NULL,                   -- 0: finished
    PRIMARY KEY (share, ticket)
);
CREATE INDEX tickets_used ON tickets (used);

INSERT INTO schema_version (version) VALUES (1);
