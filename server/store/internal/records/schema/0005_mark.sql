-- Of one row at most: by what these records and their parts know each other.
CREATE TABLE marks (n BIGINT PRIMARY KEY, mark TEXT NOT NULL);

UPDATE schema_version SET version = 5;
