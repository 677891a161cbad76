-- What version 1 kept after two uploads and a download: sqlite3 meta.db .dump
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE schema_version (version BIGINT NOT NULL);
INSERT INTO schema_version VALUES(1);
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
INSERT INTO shares VALUES('G1H21Mac_EJXKcZt',X'86ea00e767776e3e9ceea7a2233e36bee44b73171ce395d7c4679eedde9e703a',X'cb7f5e5784eafe3fddc6b6de3ccc684a4413d77e7dd7e2d4261279b8070fcd60',X'd4a572dcc909ad22b60ae19bb5b88490f582128e97c7c14830c5a1564f91d975','ready',1,8388608,100,1,1796010995,1796010995,1798602995,2592000,5,1,X'9889552c3b1414c241dab3850e0e229d89bbe7c97a8e048be3eda74615b6b08b',0);
INSERT INTO shares VALUES('EHYg2hxygQaWn2pH',X'c7ac45a269ceab787e07ad98cd54ad9b742d10e33bb93358a7f627fe3db88721',X'508edcb79b328ed11b2308f390b4eea5348a910442cab8f553f643d71c6f49e7',X'b44ac6e6c60ddd08686a5bb7b0baa9fc04d4f7a5e33857b83c81740920b26de0','open',0,8388608,100,0,1796010995,0,1796097395,2592000,0,0,NULL,0);
CREATE TABLE parts (
    share  TEXT NOT NULL REFERENCES shares (id) ON DELETE CASCADE,
    n      BIGINT NOT NULL,                   -- 0: the manifest
    size   BIGINT NOT NULL,
    digest BLOB NOT NULL,
    PRIMARY KEY (share, n)
);
INSERT INTO parts VALUES('G1H21Mac_EJXKcZt',0,50,X'eaedd522be075351e9c04508386515a97e1b7544d76904b4c4837ba5c9b3016b');
INSERT INTO parts VALUES('G1H21Mac_EJXKcZt',1,100,X'0519800cc50aa1eef4e309df45961ba0382dc81b16b710f5d5962bf3e8351ad2');
INSERT INTO parts VALUES('EHYg2hxygQaWn2pH',0,50,X'eaedd522be075351e9c04508386515a97e1b7544d76904b4c4837ba5c9b3016b');
CREATE TABLE tickets (
    share  TEXT NOT NULL REFERENCES shares (id) ON DELETE CASCADE,
    ticket BLOB NOT NULL,
    used   BIGINT NOT NULL,                   -- 0: finished
    PRIMARY KEY (share, ticket)
);
INSERT INTO tickets VALUES('G1H21Mac_EJXKcZt',X'9889552c3b1414c241dab3850e0e229d89bbe7c97a8e048be3eda74615b6b08b',1796010995);
CREATE UNIQUE INDEX shares_owner ON shares (owner) WHERE state <> 'removed';
CREATE INDEX shares_expires ON shares (expires) WHERE state <> 'removed';
CREATE INDEX shares_spent ON shares (id) WHERE state = 'ready' AND max_downloads > 0 AND taken >= max_downloads;
CREATE INDEX shares_removed ON shares (id) WHERE state = 'removed';
CREATE INDEX tickets_used ON tickets (used);
COMMIT;
