//! API tokens.

mod caller;
mod claim;
mod conditions;
mod count;
mod credentials;
mod delete;
mod descendants;
mod disabler;
mod insert;
mod known_credentials;
mod last_use;
mod list;
mod name;
mod once;
mod read;
mod renew;
mod replace_secrets;
mod revoke_many;
mod update;

pub(super) use caller::{JudgedToken, lock_and_ensure_current};
pub use claim::Unclaimed;
pub use delete::{Deleted, Deletion};
pub use descendants::{Descendants, EventOf};
pub use insert::Inserted;
pub(super) use known_credentials::KnownCredentials;
pub use list::ApiTokenList;
pub use once::{NotOnce, Once, Orphan, UsedKey};
pub use read::CredentialRead;
pub use renew::{Renewal, Renewed};
pub use revoke_many::{RevocationRecord, RevokeMany, RevokeOutcome, Revoked};
pub use update::{Update, Updated};
