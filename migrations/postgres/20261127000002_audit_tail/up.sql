-- The date of the newest audit event. A transaction that records one locks this row until it commits, so each event
-- is dated after all that were committed before it. A server of an earlier version does not lock it: its events
-- may still come late until it is replaced.
CREATE TABLE audit_tail (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    date TIMESTAMPTZ NOT NULL
);
INSERT INTO audit_tail (id, date)
SELECT 1, coalesce(max(date), '1970-01-01T00:00:00Z') FROM audit_events;
