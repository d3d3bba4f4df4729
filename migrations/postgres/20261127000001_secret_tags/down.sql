CREATE INDEX api_tokens_hash_cost ON api_tokens (substr(secret_hash, 1, 7));
ALTER TABLE api_tokens DROP COLUMN secret_tag;
