CREATE TABLE users (
    id UUID NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL,
    creation_date TIMESTAMPTZ NOT NULL,
    last_modified_date TIMESTAMPTZ NOT NULL,
    name TEXT NOT NULL,
    service_account BOOLEAN NOT NULL,
    enabled BOOLEAN NOT NULL
);

CREATE TABLE api_tokens (
    id UUID NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL,
    creation_date TIMESTAMPTZ NOT NULL,
    last_modified_date TIMESTAMPTZ NOT NULL,
    created_user_id UUID NOT NULL REFERENCES users (id),
    created_user_name TEXT NOT NULL,
    last_modified_user_id UUID NOT NULL REFERENCES users (id),
    last_modified_user_name TEXT NOT NULL,
    user_id UUID NOT NULL REFERENCES users (id),
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    secret_hash TEXT NOT NULL,
    expiry TIMESTAMPTZ NOT NULL,
    allowed_addresses CIDR[] NOT NULL,
    permissions TEXT[] NOT NULL,
    enabled BOOLEAN NOT NULL,
    deleted_date TIMESTAMPTZ
);

CREATE UNIQUE INDEX api_tokens_user_id ON api_tokens (user_id);
-- Two live tokens never have the same name; a deleted one gives its name back.
CREATE UNIQUE INDEX api_tokens_live_name_key ON api_tokens (name_key) WHERE deleted_date IS NULL;

CREATE TABLE audit_events (
    id UUID NOT NULL PRIMARY KEY,
    date TIMESTAMPTZ NOT NULL,
    action TEXT NOT NULL,
    actor_user_id UUID NOT NULL REFERENCES users (id),
    actor_user_name TEXT NOT NULL,
    actor_api_token_id UUID,
    client_address TEXT,
    request_id TEXT,
    target_id UUID NOT NULL,
    changes TEXT NOT NULL
);

-- The built-in system user: what is done on the command line is attributed to it.
INSERT INTO users (id, version, creation_date, last_modified_date, name, service_account, enabled)
VALUES ('00000000-0000-7000-8000-000000000000', 1, now(), now(), 'system', TRUE, TRUE);
