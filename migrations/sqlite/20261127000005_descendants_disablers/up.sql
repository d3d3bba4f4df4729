-- Who disabled a token: a user, and the token that the user used; NULL on the command line, and both are NULL
-- where it is not known. Only as long as the token is disabled.
ALTER TABLE api_tokens ADD COLUMN disabled_user_id TEXT REFERENCES users (id);
ALTER TABLE api_tokens ADD COLUMN disabled_api_token_id TEXT;

-- The newest event that disabled a token says who did it. The plus keeps SQLite from reading all events of the action
-- for each token, instead of those of the token.
UPDATE api_tokens SET
    disabled_user_id = (SELECT actor_user_id FROM audit_events e
        WHERE e.target_id = api_tokens.id AND +e.action = 'api_token_updated'
            AND EXISTS (SELECT 1 FROM json_each(e.changes)
                WHERE json_extract(value, '$.field') = 'enabled' AND json_extract(value, '$.after') = 'false')
        ORDER BY e.date DESC, e.id DESC LIMIT 1),
    disabled_api_token_id = (SELECT actor_api_token_id FROM audit_events e
        WHERE e.target_id = api_tokens.id AND +e.action = 'api_token_updated'
            AND EXISTS (SELECT 1 FROM json_each(e.changes)
                WHERE json_extract(value, '$.field') = 'enabled' AND json_extract(value, '$.after') = 'false')
        ORDER BY e.date DESC, e.id DESC LIMIT 1)
WHERE NOT enabled AND deleted_date IS NULL;

-- What a token made, and what it was renewed to, deleted tokens included: they may have made others.
CREATE INDEX api_tokens_created_user_id ON api_tokens (created_user_id);
CREATE INDEX api_tokens_renewed_from_id ON api_tokens (renewed_from_id) WHERE renewed_from_id IS NOT NULL;
