-- The version of the rule by which the keys of names were made. SQL cannot make them: a server that starts does.
CREATE TABLE name_keys (
    version INTEGER NOT NULL PRIMARY KEY
);
INSERT INTO name_keys (version) VALUES (0);
