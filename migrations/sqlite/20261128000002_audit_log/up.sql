-- Up to which event the audit log is written, and which process writes it until when. No date: it was never written.
CREATE TABLE audit_log (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    date BIGINT,
    event_id TEXT NOT NULL,
    holder TEXT NOT NULL,
    held_until BIGINT NOT NULL
);
INSERT INTO audit_log (id, date, event_id, holder, held_until) VALUES (1, NULL, '00000000-0000-0000-0000-000000000000',
    '00000000-0000-0000-0000-000000000000', 0);
