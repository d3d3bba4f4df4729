//! Queries in domain words: domain types in and out, rows and SQL within. Each query is written once
//! for both backends.

mod api_token_list;
mod api_tokens;
mod audit_event_list;
mod caller;
mod change_api_token;
mod delete_api_token;
mod last_use;
mod list;
mod permissions;
mod rows;
mod user_list;
mod users;

use crate::db::{Database, DbError};

pub use api_token_list::ApiTokenList;
pub use api_tokens::Inserted;
pub use audit_event_list::AuditEventList;
pub use change_api_token::{Changed, Plan};
pub use delete_api_token::Deleted;
pub use list::List;
pub use user_list::UserList;

/// The queries of the product. Cheap to clone.
#[derive(Clone)]
pub struct Repository {
    db: Database,
}

impl Repository {
    /// Queries on this database.
    pub const fn new(db: Database) -> Self {
        Self { db }
    }

    /// Ends the work with the database in order.
    ///
    /// # Errors
    /// When the last step fails; nothing is lost.
    pub async fn close(&self) -> Result<(), DbError> {
        self.db.close().await
    }
}
