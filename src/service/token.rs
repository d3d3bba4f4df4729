//! Making, changing and ending tokens.

mod audit;
mod create;
mod delete;
mod denial;
mod descendants;
mod input;
mod mint;
mod once;
mod reach;
mod renew;
mod requested_expiry;
mod revoke;
mod revoke_many;
mod update;

pub use create::{CreateApiToken, CreateApiTokenError, CreatedApiToken};
pub use delete::{DeleteApiToken, DeleteApiTokenError, DeletedApiToken};
pub use renew::{RenewApiToken, RenewApiTokenError};
pub use requested_expiry::RequestedExpiry;
pub use revoke::RevokeError;
pub use revoke_many::{RevokeApiTokensError, RevokedApiTokens};
pub use update::{UpdateApiToken, UpdateApiTokenError, UpdatedApiToken};
