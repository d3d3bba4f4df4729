-- The keys with which clients make retries safe: what a request with a key asked for, and the token that it created.
-- Of the key and of the input only the SHA-256 is kept, for a day.
CREATE TABLE idempotency_keys (
    key_hash BYTEA NOT NULL PRIMARY KEY,
    input_hash BYTEA NOT NULL,
    api_token_id UUID NOT NULL,
    date TIMESTAMPTZ NOT NULL
);
CREATE INDEX idempotency_keys_date ON idempotency_keys (date);
