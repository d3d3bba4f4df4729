ALTER TABLE users DROP COLUMN name_key;
ALTER TABLE api_tokens DROP COLUMN last_used_address;
ALTER TABLE api_tokens DROP COLUMN last_used_date;
ALTER TABLE api_tokens DROP COLUMN renewed_from_id;
