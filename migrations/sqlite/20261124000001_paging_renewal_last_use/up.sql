-- `last_used_date` is 0 for a token that was never used, so that it sorts without nulls.
ALTER TABLE api_tokens ADD COLUMN renewed_from_id TEXT REFERENCES api_tokens (id);
ALTER TABLE api_tokens ADD COLUMN last_used_date BIGINT NOT NULL DEFAULT 0;
ALTER TABLE api_tokens ADD COLUMN last_used_address TEXT;

-- What the name is searched by: that of the user's token.
ALTER TABLE users ADD COLUMN name_key TEXT NOT NULL DEFAULT '';
UPDATE users SET name_key = coalesce(
    (SELECT name_key FROM api_tokens WHERE api_tokens.user_id = users.id), lower(users.name)
);

-- Each order of a list has an index that it is read along, either way. What is deleted is not listed, and
-- names are sorted by the index that keeps them unique.
CREATE INDEX api_tokens_live_creation_date ON api_tokens (creation_date, id) WHERE deleted_date IS NULL;
CREATE INDEX api_tokens_live_expiry ON api_tokens (expiry, id) WHERE deleted_date IS NULL;
CREATE INDEX api_tokens_live_last_used_date ON api_tokens (last_used_date, id) WHERE deleted_date IS NULL;
CREATE INDEX api_tokens_live_created_user_id ON api_tokens (created_user_id, creation_date, id) WHERE deleted_date IS NULL;
-- Few tokens are disabled: found without reading past the others, and nothing to write for those.
CREATE INDEX api_tokens_live_disabled ON api_tokens (creation_date, id) WHERE deleted_date IS NULL AND NOT enabled;
CREATE INDEX audit_events_date ON audit_events (date, id);
CREATE INDEX audit_events_target_id ON audit_events (target_id, date, id);
CREATE INDEX audit_events_actor_user_id ON audit_events (actor_user_id, date, id);
