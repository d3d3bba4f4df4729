-- The date of the newest audit event. A transaction that records one locks this row until it commits, so each event
-- is dated after all that were committed before it.
CREATE TABLE audit_tail (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    date BIGINT NOT NULL
);
INSERT INTO audit_tail (id, date) SELECT 1, coalesce(max(date), 0) FROM audit_events;
