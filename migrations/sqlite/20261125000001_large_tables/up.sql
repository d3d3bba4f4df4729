-- The permissions of every catalogue that this database was served with. Tokens hold no others, so that a start
-- need not read them all.
CREATE TABLE permissions (
    code TEXT NOT NULL PRIMARY KEY
) WITHOUT ROWID;
INSERT INTO permissions (code) SELECT DISTINCT value FROM api_tokens, json_each(api_tokens.permissions);

-- A hash starts with its cost.
CREATE INDEX api_tokens_hash_cost ON api_tokens (substr(secret_hash, 1, 7));

-- The few among many users, and the rare ones among the actions.
CREATE INDEX users_no_service_account ON users (id) WHERE NOT service_account;
CREATE INDEX users_disabled ON users (id) WHERE NOT enabled;
CREATE INDEX audit_events_action ON audit_events (action, date, id);
