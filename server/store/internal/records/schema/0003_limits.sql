-- Of one row: how many bytes all parts have, and who added to it last, which carries over to the next statement of a batch.
CREATE TABLE usage (bytes BIGINT NOT NULL, last TEXT NOT NULL);
INSERT INTO usage (bytes, last) SELECT COALESCE(SUM(size), 0), '' FROM parts;

-- What clients made on a day. A client is a hash of its address and the salt of the day, which goes with the day.
CREATE TABLE salts (day BIGINT PRIMARY KEY, salt BLOB NOT NULL);
CREATE TABLE charges (
    day    BIGINT NOT NULL,
    client BLOB NOT NULL,
    shares BIGINT NOT NULL,
    bytes  BIGINT NOT NULL,
    PRIMARY KEY (day, client)
);

UPDATE schema_version SET version = 3;
