//! API tokens.

mod caller;
mod change;
mod delete;
mod last_use;
mod list;
mod read;
mod replace_secrets;

pub use change::{Changed, Plan};
pub use delete::Deleted;
pub use list::ApiTokenList;
pub use read::Inserted;
