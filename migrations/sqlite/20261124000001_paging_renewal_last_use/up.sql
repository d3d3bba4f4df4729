-- `last_used_date` is 0 for a token that was never used, so that it sorts without nulls.
ALTER TABLE api_tokens ADD COLUMN renewed_from_id TEXT REFERENCES api_tokens (id);
ALTER TABLE api_tokens ADD COLUMN last_used_date BIGINT NOT NULL DEFAULT 0;
ALTER TABLE api_tokens ADD COLUMN last_used_address TEXT;

-- What the name is searched by: that of the user's token.
ALTER TABLE users ADD COLUMN name_key TEXT NOT NULL DEFAULT '';
UPDATE users SET name_key = coalesce(
    (SELECT name_key FROM api_tokens WHERE api_tokens.user_id = users.id), lower(users.name)
);
