//! All tables for a migration alone, on PostgreSQL, before it changes anything.
//!
//! A migration that took one table after the other would hold one and wait for the next, of which a
//! transaction of a running instance may have it the other way round: PostgreSQL ends one of the
//! two. And whoever wants to read a table waits behind a migration that waits for it, for as long
//! as `pg_dump` takes. So the tables are asked for together, and given back where that takes long.

use diesel::QueryResult;
use diesel::connection::SimpleConnection;
use diesel::result::Error;

use super::{MigrateError, Postgres};

/// Waits of 200 ms end before PostgreSQL looks for a deadlock and ends somebody's transaction. The
/// later ones are long enough for it to end a vacuum of its own that is in the way.
const TAKE: &str = "
    DO $$
    DECLARE
        names text;
    BEGIN
        SELECT string_agg(oid::regclass::text, ', ' ORDER BY relname) INTO names FROM pg_class
        WHERE relkind IN ('r', 'p') AND relnamespace = quote_ident(current_schema())::regnamespace
            AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass
                            AND objid = pg_class.oid AND deptype = 'e');
        FOR attempt IN 1..10 LOOP
            BEGIN
                PERFORM set_config('lock_timeout',
                    CASE WHEN attempt <= 5 THEN '200ms' ELSE '2s' END, true);
                IF names IS NOT NULL THEN
                    EXECUTE 'LOCK TABLE ' || names || ' IN ACCESS EXCLUSIVE MODE';
                END IF;
                PERFORM set_config('lock_timeout', '0', true);
                RETURN;
            EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
                PERFORM pg_sleep(0.3);
            END;
        END LOOP;
        RAISE EXCEPTION 'tables in use';
    END $$";

/// Takes all tables that there are, until the end of the transaction.
///
/// # Errors
/// When another session does not let go of one.
pub(super) fn take_tables(connection: &mut Postgres) -> Result<(), MigrateError> {
    let taken: QueryResult<()> = connection.batch_execute(TAKE);
    taken.map_err(|error| match error {
        Error::DatabaseError(_, info) if info.message() == "tables in use" => {
            MigrateError::TablesInUse
        }
        other => other.into(),
    })
}
