-- Who disabled a token: a user, and the token that the user used; NULL on the command line, and both are NULL
-- where it is not known. Only as long as the token is disabled.
ALTER TABLE api_tokens ADD COLUMN disabled_user_id UUID REFERENCES users (id);
ALTER TABLE api_tokens ADD COLUMN disabled_api_token_id UUID;

-- The newest event that disabled a token says who did it. All such events are read once: where events were changed
-- shortly before, PostgreSQL cannot use an index that this transaction made, and would read all events for each token.
UPDATE api_tokens SET disabled_user_id = e.actor_user_id, disabled_api_token_id = e.actor_api_token_id
FROM (
    SELECT DISTINCT ON (target_id) target_id, actor_user_id, actor_api_token_id FROM audit_events
    WHERE action = 'api_token_updated'
        AND target_id IN (SELECT id FROM api_tokens WHERE NOT enabled AND deleted_date IS NULL)
        AND changes::jsonb @> '[{"field": "enabled", "after": "false"}]'
    ORDER BY target_id, date DESC, id DESC
) e
WHERE e.target_id = api_tokens.id AND NOT api_tokens.enabled AND api_tokens.deleted_date IS NULL;

-- What a token made, and what it was renewed to, deleted tokens included: they may have made others.
CREATE INDEX api_tokens_created_user_id ON api_tokens (created_user_id);
CREATE INDEX api_tokens_renewed_from_id ON api_tokens (renewed_from_id) WHERE renewed_from_id IS NOT NULL;
