-- The rules for tokens, which are read with the row of each token that is judged: one row. A rule is for the tokens that
-- were created at `..._since` or later, where 1970-01-01T00:00:00Z means all; NULL: it is off.
CREATE TABLE policy (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    version INTEGER NOT NULL,
    last_modified_date TIMESTAMPTZ NOT NULL,
    last_modified_user_id UUID NOT NULL REFERENCES users (id),
    last_modified_user_name TEXT NOT NULL,
    max_lifetime_seconds INTEGER CHECK (max_lifetime_seconds > 0),
    max_lifetime_since TIMESTAMPTZ,
    addresses_since TIMESTAMPTZ,
    idle_seconds INTEGER CHECK (idle_seconds > 0),
    idle_since TIMESTAMPTZ,
    CHECK (max_lifetime_since IS NULL OR max_lifetime_seconds IS NOT NULL),
    CHECK (idle_since IS NULL OR idle_seconds IS NOT NULL)
);
INSERT INTO policy (id, version, last_modified_date, last_modified_user_id, last_modified_user_name)
SELECT 1, 1, now(), id, name FROM users WHERE id = '00000000-0000-7000-8000-000000000000';

-- When a token was last enabled, from where its idle time is counted; 1970-01-01T00:00:00Z for one that was never
-- disabled. Here, and not looked for among the events, which may have been removed.
ALTER TABLE api_tokens ADD COLUMN enabled_date TIMESTAMPTZ NOT NULL DEFAULT '1970-01-01T00:00:00Z';
