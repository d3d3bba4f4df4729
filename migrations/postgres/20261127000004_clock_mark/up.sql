-- The latest time that a server has seen. Whether a token has expired is never judged by an earlier one, so a clock
-- that is set back brings no expired token to life.
ALTER TABLE audit_tail ADD COLUMN clock TIMESTAMPTZ NOT NULL DEFAULT '1970-01-01T00:00:00Z';
