-- Parts that a client may put into the object store itself and has not yet told of: of each number one at most. Their bytes are part of the
-- usage.
CREATE TABLE reservations (
    share  TEXT NOT NULL REFERENCES shares (id) ON DELETE CASCADE,
    n      BIGINT NOT NULL,
    size   BIGINT NOT NULL,
    digest BLOB NOT NULL,
    PRIMARY KEY (share, n)
);

UPDATE schema_version SET version = 4;
