-- The notices of the end of tokens, each of which has an audit event. The key keeps a token from having two notices of
-- one time (`seconds` before the end) and one end (`expiry`), whoever looks for it how often.
CREATE TABLE expiry_notices (
    api_token_id UUID NOT NULL REFERENCES api_tokens (id) ON DELETE CASCADE,
    expiry TIMESTAMPTZ NOT NULL,
    seconds INTEGER NOT NULL,
    PRIMARY KEY (api_token_id, expiry, seconds)
);
CREATE INDEX expiry_notices_expiry ON expiry_notices (expiry);

-- For each of these times, what was looked at: the notices that were due at `looked_until` have been made, for tokens as
-- they were after all events up to `events_until` and under this longest lifetime of the policy.
CREATE TABLE expiry_looks (
    seconds INTEGER NOT NULL PRIMARY KEY,
    looked_until TIMESTAMPTZ NOT NULL,
    events_until TIMESTAMPTZ NOT NULL,
    max_lifetime_seconds INTEGER,
    max_lifetime_since TIMESTAMPTZ
);
