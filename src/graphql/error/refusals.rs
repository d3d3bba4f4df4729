//! What a client is told when a use case refuses.

use super::GqlError;
use crate::db::DbError;
use crate::domain::fault::InputFault;
use crate::domain::principal::{CallerChanged, MissingPermission};
use crate::service::{
    CreateApiTokenError, DeleteApiTokenError, ReadError, RenewApiTokenError, UpdateApiTokenError,
};

impl From<MissingPermission> for GqlError {
    fn from(missing: MissingPermission) -> Self {
        Self::Forbidden(missing)
    }
}

impl From<CallerChanged> for GqlError {
    fn from(_: CallerChanged) -> Self {
        Self::CallerChanged
    }
}

impl From<DbError> for GqlError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Unavailable(_) => Self::Unavailable(error.to_string().into()),
            DbError::OutcomeUnknown(_) => Self::OutcomeUnknown(error.to_string().into()),
            DbError::Unique(_)
            | DbError::Unexpected(_)
            | DbError::RolledBack
            | DbError::OperationPanicked => Self::internal(error),
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

impl From<DeleteApiTokenError> for GqlError {
    fn from(error: DeleteApiTokenError) -> Self {
        match error {
            DeleteApiTokenError::Forbidden(missing) => missing.into(),
            DeleteApiTokenError::NotFound => Self::NotFound,
            DeleteApiTokenError::Stale { current_version } => Self::Stale { current_version },
            DeleteApiTokenError::CallerChanged(changed) => changed.into(),
            DeleteApiTokenError::Random(error) => Self::internal(error),
            DeleteApiTokenError::Db(error) => error.into(),
        }
    }
}

/// The errors of a refused creation: one for each fault.
pub(in crate::graphql) fn creation_errors(error: CreateApiTokenError) -> Vec<GqlError> {
    let one = match error {
        CreateApiTokenError::Refused(faults) => return each(faults),
        CreateApiTokenError::Forbidden(missing) => missing.into(),
        CreateApiTokenError::CallerChanged(changed) => changed.into(),
        CreateApiTokenError::Busy(busy) => GqlError::Unavailable(busy.to_string().into()),
        CreateApiTokenError::Random(error) => GqlError::internal(error),
        CreateApiTokenError::Db(error) => error.into(),
    };
    vec![one]
}

/// The errors of a refused change: one for each fault.
pub(in crate::graphql) fn update_errors(error: UpdateApiTokenError) -> Vec<GqlError> {
    let one = match error {
        UpdateApiTokenError::Refused(faults) => return each(faults),
        UpdateApiTokenError::Forbidden(missing) => missing.into(),
        UpdateApiTokenError::NotFound => GqlError::NotFound,
        UpdateApiTokenError::Stale { current_version } => GqlError::Stale { current_version },
        UpdateApiTokenError::CallerChanged(changed) => changed.into(),
        UpdateApiTokenError::Random(error) => GqlError::internal(error),
        UpdateApiTokenError::Db(error) => error.into(),
    };
    vec![one]
}

/// The errors of a refused renewal: one for each fault.
pub(in crate::graphql) fn renewal_errors(error: RenewApiTokenError) -> Vec<GqlError> {
    let one = match error {
        RenewApiTokenError::Refused(faults) => return each(faults),
        RenewApiTokenError::Forbidden(missing) => missing.into(),
        RenewApiTokenError::NotFound => GqlError::NotFound,
        RenewApiTokenError::UnknownPermission(..) => GqlError::internal(error),
        RenewApiTokenError::CallerChanged(changed) => changed.into(),
        RenewApiTokenError::Busy(busy) => GqlError::Unavailable(busy.to_string().into()),
        RenewApiTokenError::Random(error) => GqlError::internal(error),
        RenewApiTokenError::Db(error) => error.into(),
    };
    vec![one]
}

fn each(faults: Vec<InputFault>) -> Vec<GqlError> {
    faults.into_iter().map(GqlError::Fault).collect()
}
