-- Up to which event the audit log is written, and which instance writes it until when. No date: it was never written.
CREATE TABLE audit_log (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    date TIMESTAMPTZ,
    event_id UUID NOT NULL,
    holder UUID NOT NULL,
    held_until TIMESTAMPTZ NOT NULL
);
INSERT INTO audit_log (id, date, event_id, holder, held_until) VALUES (1, NULL, '00000000-0000-0000-0000-000000000000',
    '00000000-0000-0000-0000-000000000000', '1970-01-01T00:00:00Z');
