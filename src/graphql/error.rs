//! The one error type of the schema: only errors that were chosen on purpose reach a client, and
//! this file gives them their codes.

mod field;
mod refusals;

use std::fmt;
use std::sync::Arc;

use async_graphql::{Context, Error, ErrorExtensionValues, ServerError, Value};

use crate::domain::fault::{FaultKind, Field, InputFault};
use crate::domain::principal::{CallerChanged, MissingPermission};
use crate::service::TokenQuota;

use super::engine::budget::SharedBudget;
use field::spelled;
pub(super) use refusals::{
    creation_errors, policy_errors, renewal_errors, revocation_errors, update_errors,
    verification_errors,
};

/// The message for a request without a token.
pub const TOKEN_NEEDED: &str = "This needs a token: send the header `Authorization: Bearer ...`.";
/// The message when something did not answer.
pub const TRY_AGAIN: &str = "The server cannot answer at the moment; try again.";
/// The message when an answer would be larger than any may be.
pub(super) const ANSWER_TOO_LARGE: &str =
    "The answer would be too large; ask for fewer rows or fewer fields at a time.";
/// Seconds after which a client may try again.
pub const RETRY_AFTER: u32 = 1;
/// The same where the operator has to make room on the disk.
const DISK_RETRY_AFTER: u32 = 60;

/// `extensions.code`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    /// No credentials, or invalid ones.
    Unauthenticated,
    /// The caller may not do this.
    Forbidden,
    /// The input, the document or the request is wrong.
    BadUserInput,
    /// It does not exist, was deleted, or is out of reach.
    NotFound,
    /// It collides with what is stored: a name that is taken, a version that is stale.
    Conflict,
    /// Too much at a time; the same request is fine later.
    RateLimited,
    /// Something needed does not answer; trying again may help.
    Unavailable,
    /// A defect of the server.
    Internal,
}

impl ErrorCode {
    /// The code as clients see it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::BadUserInput => "BAD_USER_INPUT",
            Self::NotFound => "NOT_FOUND",
            Self::Conflict => "CONFLICT",
            Self::RateLimited => "RATE_LIMITED",
            Self::Unavailable => "UNAVAILABLE",
            Self::Internal => "INTERNAL",
        }
    }
}

/// An error that a client may see. It does not implement `std::error::Error`, because the engine
/// would show any such error.
#[derive(Debug, Clone)]
pub enum GqlError {
    Unauthenticated,
    Forbidden(MissingPermission),
    IntrospectionOff,
    /// A verification came together with a change.
    VerificationMixed,
    NotFound,
    Fault(InputFault),
    /// The object is not at the version that the change is based on.
    Stale {
        current_version: i32,
    },
    /// The same of the policy.
    StalePolicy {
        current_version: i32,
    },
    /// Another number of tokens would be revoked than the caller expects.
    StaleCount {
        current_count: usize,
    },
    CallerChanged,
    SearchTooLong,
    AnswerTooLarge,
    RateLimited {
        /// In seconds.
        retry_after: u32,
    },
    Quota(TokenQuota),
    DiskReserve(Arc<str>),
    Unavailable(Arc<str>),
    OutcomeUnknown(Arc<str>),
    Internal(Arc<str>),
}

/// The cause of an error, for the log only.
#[derive(Debug, Clone)]
pub(super) struct Cause(pub(super) Arc<str>);

impl GqlError {
    /// An error whose cause is only logged.
    pub fn internal(cause: impl fmt::Display) -> Self {
        Self::Internal(cause.to_string().into())
    }

    /// Its code.
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Unauthenticated | Self::CallerChanged => ErrorCode::Unauthenticated,
            Self::Forbidden(_) | Self::IntrospectionOff => ErrorCode::Forbidden,
            Self::NotFound | Self::Fault(InputFault { kind: FaultKind::Missing, .. }) => {
                ErrorCode::NotFound
            }
            Self::Fault(InputFault { kind: FaultKind::Invalid, .. })
            | Self::VerificationMixed
            | Self::SearchTooLong
            | Self::AnswerTooLarge => ErrorCode::BadUserInput,
            Self::Fault(InputFault { kind: FaultKind::BeyondReach, .. }) => ErrorCode::Forbidden,
            Self::Fault(InputFault { kind: FaultKind::Taken, .. })
            | Self::Stale { .. }
            | Self::StalePolicy { .. }
            | Self::StaleCount { .. } => ErrorCode::Conflict,
            Self::Quota(_) => ErrorCode::Forbidden,
            Self::RateLimited { .. } => ErrorCode::RateLimited,
            Self::DiskReserve(_) | Self::Unavailable(_) | Self::OutcomeUnknown(_) => {
                ErrorCode::Unavailable
            }
            Self::Internal(_) => ErrorCode::Internal,
        }
    }

    /// What the client reads.
    fn message(&self) -> String {
        match self {
            Self::Unauthenticated => TOKEN_NEEDED,
            Self::Forbidden(missing) => return missing.to_string(),
            Self::IntrospectionOff => "Introspection is off on this server.",
            Self::VerificationMixed => {
                "Secrets are verified in a document without other mutations; send two."
            }
            Self::NotFound => "There is nothing with this id.",
            Self::Fault(fault) => return fault.message.clone(),
            Self::Stale { current_version } => {
                return format!(
                    "The token has changed since the given version; its version is now \
                     {current_version}."
                );
            }
            Self::StalePolicy { current_version } => {
                return format!(
                    "The policy has changed since the given version; its version is now \
                     {current_version}."
                );
            }
            Self::StaleCount { current_count } => {
                return format!(
                    "{current_count} tokens would be revoked now, which is not the expected \
                     number; nothing was done. Look again with `dryRun`."
                );
            }
            Self::CallerChanged => return CallerChanged.to_string(),
            Self::SearchTooLong => {
                "The search takes longer than this server allows; narrow the filter."
            }
            Self::AnswerTooLarge => ANSWER_TOO_LARGE,
            Self::RateLimited { retry_after } => {
                return format!(
                    "Your token makes too many changes at a time; try again in {retry_after} s."
                );
            }
            Self::Quota(TokenQuota::All) => {
                "There are as many tokens as this server allows; delete some that nobody needs."
            }
            Self::Quota(TokenQuota::OfMaker) => {
                "Your token has made as many tokens as this server allows for one; delete some \
                 that nobody needs."
            }
            Self::DiskReserve(_) => {
                "The disk of the server is almost full; until that is mended, tokens can only be \
                 deleted and disabled."
            }
            Self::Unavailable(_) => TRY_AGAIN,
            Self::OutcomeUnknown(_) => {
                "The database did not report whether this was done; check before you try again."
            }
            Self::Internal(_) => "An internal error occurred.",
        }
        .to_owned()
    }

    fn extensions(&self) -> ErrorExtensionValues {
        let mut values = ErrorExtensionValues::default();
        values.set("code", self.code().as_str());
        match self {
            Self::Fault(fault) => {
                values.set("field", spelled(fault.field));
                values.set("reason", fault.reason);
                if let Some(index) = fault.index {
                    values.set("index", index);
                }
            }
            Self::Stale { current_version } | Self::StalePolicy { current_version } => {
                values.set("field", "version");
                values.set("reason", "version_stale");
                values.set("currentVersion", *current_version);
            }
            Self::StaleCount { current_count } => {
                values.set("field", spelled(Field::ExpectedCount));
                values.set("reason", "count_stale");
                values.set("currentCount", *current_count);
            }
            Self::Forbidden(MissingPermission(permission)) => {
                values.set("reason", "permission_missing");
                values.set("permission", *permission);
            }
            Self::IntrospectionOff => values.set("reason", "introspection_off"),
            Self::VerificationMixed => values.set("reason", "verification_mixed"),
            Self::RateLimited { retry_after } => {
                values.set("reason", "change_limit");
                values.set("retryAfter", *retry_after);
            }
            Self::Quota(TokenQuota::All) => values.set("reason", "token_quota"),
            Self::Quota(TokenQuota::OfMaker) => values.set("reason", "maker_quota"),
            Self::DiskReserve(_) => {
                values.set("reason", "disk_reserve");
                values.set("retryAfter", DISK_RETRY_AFTER);
            }
            Self::Unavailable(_) => values.set("retryAfter", RETRY_AFTER),
            Self::SearchTooLong | Self::AnswerTooLarge => values.set("reason", "query_limit"),
            Self::OutcomeUnknown(_) => values.set("reason", "outcome_unknown"),
            Self::CallerChanged => values.set("reason", "caller_changed"),
            Self::Unauthenticated | Self::NotFound | Self::Internal(_) => {}
        }
        values
    }
}

impl From<GqlError> for Error {
    fn from(error: GqlError) -> Self {
        let cause = match &error {
            GqlError::DiskReserve(cause)
            | GqlError::Unavailable(cause)
            | GqlError::OutcomeUnknown(cause)
            | GqlError::Internal(cause) => Some(Cause(cause.clone())),
            _ => None,
        };
        Self {
            message: error.message(),
            source: cause.map(|cause| Arc::new(cause) as _),
            extensions: Some(error.extensions()),
        }
    }
}

/// The code of an error, if it has one.
pub(super) fn code_of(error: &ServerError) -> Option<&str> {
    match error.extensions.as_ref()?.get("code")? {
        Value::String(code) => Some(code),
        _ => None,
    }
}

/// Reports several errors of one field, which becomes null. The field returns the last one, so the
/// compiler keeps it from returning none.
pub(super) fn report_all(ctx: &Context<'_>, mut errors: Vec<GqlError>) -> GqlError {
    let last = errors.pop().unwrap_or_else(|| GqlError::internal("a refusal without a fault"));
    for error in errors {
        if !ctx.data_opt::<SharedBudget>().is_some_and(|budget| budget.reports()) {
            break;
        }
        let error: ServerError = Error::from(error).into_server_error(ctx.item.pos);
        ctx.add_error(ctx.set_error_path(error));
    }
    last
}
