//! The one error type of the schema: only errors chosen on purpose reach a client, and here they get
//! their codes.

use std::fmt;
use std::sync::Arc;

use async_graphql::{Context, Error, ErrorExtensionValues, ServerError, Value};

use crate::db::DbError;
use crate::domain::fault::{FaultKind, InputFault};
use crate::domain::principal::MissingPermission;
use crate::service::{CreateApiTokenError, ReadError};

/// What a request without a token is told.
pub const TOKEN_NEEDED: &str = "This needs a token: send the header `Authorization: Bearer ...`.";
/// What is told when something did not answer.
pub const TRY_AGAIN: &str = "The server cannot answer at the moment; try again.";
/// Seconds after which a client may try again.
pub const RETRY_AFTER: u32 = 1;

/// `extensions.code`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    Unauthenticated,
    Forbidden,
    BadUserInput,
    NotFound,
    Conflict,
    Unavailable,
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
            Self::Unavailable => "UNAVAILABLE",
            Self::Internal => "INTERNAL",
        }
    }
}

/// An error that a client may see. It is no `std::error::Error`: the engine would take any such for an
/// error to show.
#[derive(Debug, Clone)]
pub enum GqlError {
    Unauthenticated,
    Forbidden(MissingPermission),
    IntrospectionOff,
    NotFound,
    Fault(InputFault),
    CallerChanged,
    Unavailable(Arc<str>),
    OutcomeUnknown(Arc<str>),
    Internal(Arc<str>),
}

/// The cause of an error, for the log alone.
#[derive(Debug, Clone)]
pub(super) struct Cause(pub(super) Arc<str>);

impl GqlError {
    /// An error whose cause only the log tells.
    pub fn internal(cause: impl fmt::Display) -> Self {
        Self::Internal(cause.to_string().into())
    }

    /// Its code.
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Unauthenticated | Self::CallerChanged => ErrorCode::Unauthenticated,
            Self::Forbidden(_) | Self::IntrospectionOff => ErrorCode::Forbidden,
            Self::NotFound => ErrorCode::NotFound,
            Self::Fault(InputFault { kind: FaultKind::Invalid, .. }) => ErrorCode::BadUserInput,
            Self::Fault(InputFault { kind: FaultKind::BeyondReach, .. }) => ErrorCode::Forbidden,
            Self::Fault(InputFault { kind: FaultKind::Taken, .. }) => ErrorCode::Conflict,
            Self::Unavailable(_) | Self::OutcomeUnknown(_) => ErrorCode::Unavailable,
            Self::Internal(_) => ErrorCode::Internal,
        }
    }

    /// What the client reads.
    fn message(&self) -> String {
        match self {
            Self::Unauthenticated => TOKEN_NEEDED,
            Self::Forbidden(missing) => return missing.to_string(),
            Self::IntrospectionOff => "Introspection is off on this server.",
            Self::NotFound => "There is nothing with this id.",
            Self::Fault(fault) => return fault.message.clone(),
            Self::CallerChanged => "The token that made this request has changed in the meantime; send the request again.",
            Self::Unavailable(_) => TRY_AGAIN,
            Self::OutcomeUnknown(_) => {
                "The database did not say whether this was done; look before you try again."
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
                values.set("field", fault.field);
                values.set("reason", fault.reason);
                if let Some(index) = fault.index {
                    values.set("index", index);
                }
            }
            Self::Forbidden(MissingPermission(permission)) => {
                values.set("reason", "permission_missing");
                values.set("permission", *permission);
            }
            Self::IntrospectionOff => values.set("reason", "introspection_off"),
            Self::Unavailable(_) => values.set("retryAfter", RETRY_AFTER),
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
            GqlError::Unavailable(cause)
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

impl From<MissingPermission> for GqlError {
    fn from(missing: MissingPermission) -> Self {
        Self::Forbidden(missing)
    }
}

impl From<DbError> for GqlError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Unavailable(_) => Self::Unavailable(error.to_string().into()),
            DbError::OutcomeUnknown(_) => Self::OutcomeUnknown(error.to_string().into()),
            DbError::Unique(_) | DbError::Unexpected(_) | DbError::OperationPanicked => {
                Self::internal(error)
            }
        }
    }
}

impl From<ReadError> for GqlError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Forbidden(missing) => missing.into(),
            ReadError::NotFound => Self::NotFound,
            ReadError::Db(error) => error.into(),
        }
    }
}

/// The code of an error, if anybody chose one.
pub(super) fn code_of(error: &ServerError) -> Option<&str> {
    match error.extensions.as_ref()?.get("code")? {
        Value::String(code) => Some(code),
        _ => None,
    }
}

/// The errors of a refused creation: one for each fault.
pub(super) fn creation_errors(error: CreateApiTokenError) -> Vec<GqlError> {
    let one = match error {
        CreateApiTokenError::Refused(faults) => {
            return faults.into_iter().map(GqlError::Fault).collect();
        }
        CreateApiTokenError::Forbidden(missing) => missing.into(),
        CreateApiTokenError::CallerChanged => GqlError::CallerChanged,
        CreateApiTokenError::Busy(busy) => GqlError::Unavailable(busy.to_string().into()),
        CreateApiTokenError::Random(error) => GqlError::internal(error),
        CreateApiTokenError::Db(error) => error.into(),
    };
    vec![one]
}

/// Reports several errors of one field, which becomes null. The last one is for the field to return,
/// so that a field without an error to return cannot be written.
pub(super) fn report_all(ctx: &Context<'_>, mut errors: Vec<GqlError>) -> GqlError {
    let last = errors.pop().unwrap_or_else(|| GqlError::internal("a refusal without a fault"));
    for error in errors {
        let error: ServerError = Error::from(error).into_server_error(ctx.item.pos);
        ctx.add_error(ctx.set_error_path(error));
    }
    last
}
