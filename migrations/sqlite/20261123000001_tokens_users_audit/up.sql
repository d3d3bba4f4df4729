-- Ids are UUIDs as text, instants microseconds since 1970-01-01T00:00:00Z, sets JSON arrays.

CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL,
    creation_date BIGINT NOT NULL,
    last_modified_date BIGINT NOT NULL,
    name TEXT NOT NULL,
    service_account BOOLEAN NOT NULL,
    enabled BOOLEAN NOT NULL
) WITHOUT ROWID;

CREATE TABLE api_tokens (
    id TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL,
    creation_date BIGINT NOT NULL,
    last_modified_date BIGINT NOT NULL,
    created_user_id TEXT NOT NULL REFERENCES users (id),
    created_user_name TEXT NOT NULL,
    last_modified_user_id TEXT NOT NULL REFERENCES users (id),
    last_modified_user_name TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id),
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    secret_hash TEXT NOT NULL,
    expiry BIGINT NOT NULL,
    allowed_addresses TEXT NOT NULL,
    permissions TEXT NOT NULL,
    enabled BOOLEAN NOT NULL,
    deleted_date BIGINT
);

CREATE UNIQUE INDEX api_tokens_user_id ON api_tokens (user_id);
-- Two live tokens never have the same name; a deleted one gives its name back.
CREATE UNIQUE INDEX api_tokens_live_name_key ON api_tokens (name_key) WHERE deleted_date IS NULL;

CREATE TABLE audit_events (
    id TEXT NOT NULL PRIMARY KEY,
    date BIGINT NOT NULL,
    action TEXT NOT NULL,
    actor_user_id TEXT NOT NULL REFERENCES users (id),
    actor_user_name TEXT NOT NULL,
    actor_api_token_id TEXT,
    client_address TEXT,
    request_id TEXT,
    target_id TEXT NOT NULL,
    changes TEXT NOT NULL
) WITHOUT ROWID;

-- The built-in system user: what is done on the command line is attributed to it.
INSERT INTO users (id, version, creation_date, last_modified_date, name, service_account, enabled)
VALUES ('00000000-0000-7000-8000-000000000000', 1, unixepoch() * 1000000, unixepoch() * 1000000, 'system', TRUE, TRUE);
