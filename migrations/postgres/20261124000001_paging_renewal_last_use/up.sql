-- Compared and sorted byte by byte, as in SQLite, whatever the database's own collation.
ALTER TABLE api_tokens ALTER COLUMN name_key TYPE TEXT COLLATE "C";

-- `last_used_date` is 1970-01-01T00:00:00Z for a token that was never used, so that it sorts without nulls.
ALTER TABLE api_tokens ADD COLUMN renewed_from_id UUID REFERENCES api_tokens (id);
ALTER TABLE api_tokens ADD COLUMN last_used_date TIMESTAMPTZ NOT NULL DEFAULT '1970-01-01T00:00:00Z';
ALTER TABLE api_tokens ADD COLUMN last_used_address TEXT;

-- What the name is searched by: that of the user's token.
ALTER TABLE users ADD COLUMN name_key TEXT COLLATE "C" NOT NULL DEFAULT '';
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
