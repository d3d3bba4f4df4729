//! Migrations that all run in the transaction that is open, without a savepoint for each. After an
//! error of the disk, SQLite has rolled everything back, and a savepoint that is gone would hide it.

use diesel::backend::Backend;
use diesel::connection::BoxableConnection;
use diesel::migration::{Migration, MigrationMetadata, MigrationName, Result};

/// A migration that begins no transaction.
pub(super) struct InOne<DB>(pub(super) Box<dyn Migration<DB>>);

struct BeginsNone;

impl MigrationMetadata for BeginsNone {
    fn run_in_transaction(&self) -> bool {
        false
    }
}

impl<DB: Backend> Migration<DB> for InOne<DB> {
    fn run(&self, connection: &mut dyn BoxableConnection<DB>) -> Result<()> {
        self.0.run(connection)
    }

    fn revert(&self, connection: &mut dyn BoxableConnection<DB>) -> Result<()> {
        self.0.revert(connection)
    }

    fn metadata(&self) -> &dyn MigrationMetadata {
        &BeginsNone
    }

    fn name(&self) -> &dyn MigrationName {
        self.0.name()
    }
}
