//! Reading, by id and page by page.

mod api_tokens;
mod audit_events;
mod lists;
mod users;

use super::Failure;
use super::failure::ends_with_failure;

pub use lists::{Listing, Wanted};

/// Why something could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It does not exist, was deleted, or is out of reach.
    #[error("There is nothing with this id.")]
    NotFound,
    /// It failed for a reason that no other input would avoid.
    #[error(transparent)]
    Failed(Failure),
}

ends_with_failure!(ReadError);
