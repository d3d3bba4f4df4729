-- SHA-256 of a token's secret, by which a wrong one is refused at no cost. NULL until a token that is older than
-- this column proves its secret again.
ALTER TABLE api_tokens ADD COLUMN secret_tag BYTEA;

-- A deleted token no longer proves anything.
UPDATE api_tokens SET secret_hash = '' WHERE deleted_date IS NOT NULL;

-- No refusal costs a hash, so the highest cost is no longer needed.
DROP INDEX api_tokens_hash_cost;
