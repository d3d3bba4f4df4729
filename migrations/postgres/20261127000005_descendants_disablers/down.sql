DROP INDEX api_tokens_renewed_from_id;
DROP INDEX api_tokens_created_user_id;
ALTER TABLE api_tokens DROP COLUMN disabled_api_token_id;
ALTER TABLE api_tokens DROP COLUMN disabled_user_id;
