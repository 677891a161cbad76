-- Of one row at most: by what these records and their parts know each other.
CREATE TABLE marks (n BIGINT PRIMARY KEY, mark TEXT NOT NULL);

-- When a reservation has run out. Those that there are have, as it was not noted.
ALTER TABLE reservations ADD COLUMN ends BIGINT NOT NULL DEFAULT 0;
CREATE INDEX reservations_ends ON reservations (ends);

-- When the last of all reservations that a share has had runs out, and when a removed share is to be purged again, as it had not by then.
ALTER TABLE shares ADD COLUMN puts_end BIGINT NOT NULL DEFAULT 0;
ALTER TABLE shares ADD COLUMN purge_at BIGINT NOT NULL DEFAULT 0;

UPDATE schema_version SET version = 5;
