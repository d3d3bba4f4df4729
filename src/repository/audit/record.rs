//! Recording what is done, in the transaction that does it.

/// Stores events, which is the last step of a transaction.
macro_rules! record {
    ($conn:expr, $events:expr) => {
        for event in $events {
            insert_into($crate::db::audit_events::table)
                .values($crate::repository::rows::AuditEventRow::from(event))
                .execute($conn)
                .await?;
        }
    };
}

pub(in crate::repository) use record;
