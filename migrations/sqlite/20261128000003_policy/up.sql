-- The rules for tokens, which are read with the row of each token that is judged: one row. A rule is for the tokens that
-- were created at `..._since` or later, where 0 means all; NULL: it is off.
CREATE TABLE policy (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    version INTEGER NOT NULL,
    last_modified_date BIGINT NOT NULL,
    last_modified_user_id TEXT NOT NULL REFERENCES users (id),
    last_modified_user_name TEXT NOT NULL,
    max_lifetime_seconds INTEGER CHECK (max_lifetime_seconds > 0),
    max_lifetime_since BIGINT,
    addresses_since BIGINT,
    idle_seconds INTEGER CHECK (idle_seconds > 0),
    idle_since BIGINT,
    CHECK (max_lifetime_since IS NULL OR max_lifetime_seconds IS NOT NULL),
    CHECK (idle_since IS NULL OR idle_seconds IS NOT NULL)
);
INSERT INTO policy (id, version, last_modified_date, last_modified_user_id, last_modified_user_name)
SELECT 1, 1, unixepoch() * 1000000, id, name FROM users WHERE id = '00000000-0000-7000-8000-000000000000';

-- When a token was last enabled, from where its idle time is counted; 0 for one that was never disabled. Here, and not
-- looked for among the events, which may have been removed.
ALTER TABLE api_tokens ADD COLUMN enabled_date BIGINT NOT NULL DEFAULT 0;
