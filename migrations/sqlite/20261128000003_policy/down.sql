ALTER TABLE api_tokens DROP COLUMN enabled_date;
DROP TABLE policy;
