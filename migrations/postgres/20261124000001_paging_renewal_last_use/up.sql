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
