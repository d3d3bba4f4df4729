DROP TABLE api_token_labels;
ALTER TABLE api_tokens DROP COLUMN labels;
ALTER TABLE api_tokens DROP COLUMN description;
