ALTER TABLE audit_tail DROP COLUMN clock;
