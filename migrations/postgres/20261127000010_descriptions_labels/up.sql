-- What a token is for. The labels, a JSON object, are read with the row of the token.
ALTER TABLE api_tokens ADD COLUMN description TEXT NOT NULL DEFAULT '';
ALTER TABLE api_tokens ADD COLUMN labels TEXT NOT NULL DEFAULT '{}';

-- The labels of live tokens, by which lists are filtered. The creation date, which never changes, is here too, so that
-- the index is read in the order of the list. A server of an earlier version knows neither: what it renews has no
-- labels, and what it deletes keeps its rows here until it is pruned.
CREATE TABLE api_token_labels (
    api_token_id UUID NOT NULL REFERENCES api_tokens (id) ON DELETE CASCADE,
    key TEXT COLLATE "C" NOT NULL,
    value TEXT COLLATE "C" NOT NULL,
    creation_date TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (api_token_id, key)
);
CREATE INDEX api_token_labels_key_value ON api_token_labels (key, value, creation_date, api_token_id);
