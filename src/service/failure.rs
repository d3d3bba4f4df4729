//! Why a use case failed, for reasons that no other input would avoid.

use crate::db::DbError;
use crate::domain::principal::{CallerChanged, MissingPermission};
use crate::domain::random::RandomError;

use super::{JudgeError, ProofBusy, TokenQuota};

/// How any use case can fail. Refusals of its own are in its own error type. The texts of the last
/// three are for the log, never for a caller.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The caller lacks a permission.
    #[error(transparent)]
    Forbidden(#[from] MissingPermission),
    /// The caller's own token changed while it asked.
    #[error(transparent)]
    CallerChanged(#[from] CallerChanged),
    /// A search took longer than the limit.
    #[error("a search took too long")]
    SearchTooLong,
    /// The caller has made as many changes as it may for now.
    #[error("too many changes")]
    RateLimited {
        /// Seconds after which the next one is allowed.
        retry_after: u32,
    },
    /// There are as many tokens as there may be.
    #[error("a quota of tokens is used up")]
    Quota(TokenQuota),
    /// The rest of the disk is for revocations.
    #[error("only {free} bytes of the disk are free, less than the reserve for revocations")]
    DiskReserve {
        /// Bytes that are free.
        free: u64,
    },
    /// Something does not answer at the moment. Nothing was changed.
    #[error("{0}")]
    Unavailable(String),
    /// The change may or may not have been made.
    #[error("{0}")]
    OutcomeUnknown(String),
    /// A defect of the server.
    #[error("{0}")]
    Defect(String),
}

impl From<DbError> for Failure {
    fn from(error: DbError) -> Self {
        let text = error.to_string();
        match error {
            DbError::Unavailable(_) => Self::Unavailable(text),
            DbError::SearchTooLong => Self::SearchTooLong,
            DbError::OutcomeUnknown(_) => Self::OutcomeUnknown(text),
            DbError::Unique(_)
            | DbError::Unexpected(_)
            | DbError::RolledBack
            | DbError::OperationPanicked => Self::Defect(text),
        }
    }
}

impl From<ProofBusy> for Failure {
    fn from(busy: ProofBusy) -> Self {
        Self::Unavailable(busy.to_string())
    }
}

impl From<JudgeError> for Failure {
    fn from(error: JudgeError) -> Self {
        match error {
            JudgeError::Busy(busy) => busy.into(),
            JudgeError::Db(error) => error.into(),
        }
    }
}

impl From<RandomError> for Failure {
    fn from(error: RandomError) -> Self {
        Self::Defect(error.to_string())
    }
}

/// Lets `?` turn whatever is a [`Failure`] into the `Failed` of a use case's own error.
macro_rules! ends_with_failure {
    ($error:ident) => {
        impl<E> From<E> for $error
        where
            $crate::service::Failure: From<E>,
        {
            fn from(error: E) -> Self {
                Self::Failed(error.into())
            }
        }
    };
}

pub(super) use ends_with_failure;
