//! How a client sees the refusals of the use cases.

use super::GqlError;
use crate::domain::fault::InputFault;
use crate::domain::principal::MissingPermission;
use crate::service::{
    CreateApiTokenError, DeleteApiTokenError, Failure, NotCurrent, ReadError, RenewApiTokenError,
    RevokeApiTokensError, UpdateApiTokenError, UpdatePolicyError, VerifyApiTokensError,
};

impl From<MissingPermission> for GqlError {
    fn from(missing: MissingPermission) -> Self {
        Self::Forbidden(missing)
    }
}

impl From<Failure> for GqlError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Forbidden(missing) => missing.into(),
            Failure::CallerChanged(_) => Self::CallerChanged,
            Failure::SearchTooLong => Self::SearchTooLong,
            Failure::RateLimited { retry_after } => Self::RateLimited { retry_after },
            Failure::Quota(quota) => Self::Quota(quota),
            Failure::DiskReserve { .. } => Self::DiskReserve(failure.to_string().into()),
            Failure::Unavailable(cause) => Self::Unavailable(cause.into()),
            Failure::OutcomeUnknown(cause) => Self::OutcomeUnknown(cause.into()),
            Failure::Defect(cause) => Self::Internal(cause.into()),
        }
    }
}

impl From<NotCurrent> for GqlError {
    fn from(error: NotCurrent) -> Self {
        match error {
            NotCurrent::Refused(_) | NotCurrent::Changed(_) => Self::CallerChanged,
            NotCurrent::Unavailable(error) => Failure::from(error).into(),
        }
    }
}

impl From<ReadError> for GqlError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::NotFound => Self::NotFound,
            ReadError::Failed(failure) => failure.into(),
        }
    }
}

impl From<DeleteApiTokenError> for GqlError {
    fn from(error: DeleteApiTokenError) -> Self {
        match error {
            DeleteApiTokenError::NotFound => Self::NotFound,
            DeleteApiTokenError::Stale { current_version } => Self::Stale { current_version },
            DeleteApiTokenError::Refused(fault) => Self::Fault(fault),
            DeleteApiTokenError::Failed(failure) => failure.into(),
        }
    }
}

/// The errors of a refused creation: one for each fault.
pub(in crate::graphql) fn creation_errors(error: CreateApiTokenError) -> Vec<GqlError> {
    match error {
        CreateApiTokenError::Refused(faults) => each(faults),
        CreateApiTokenError::Failed(failure) => vec![failure.into()],
    }
}

/// The errors of a refused change: one for each fault.
pub(in crate::graphql) fn update_errors(error: UpdateApiTokenError) -> Vec<GqlError> {
    match error {
        UpdateApiTokenError::NotFound => vec![GqlError::NotFound],
        UpdateApiTokenError::Stale { current_version } => {
            vec![GqlError::Stale { current_version }]
        }
        UpdateApiTokenError::Refused(faults) => each(faults),
        UpdateApiTokenError::Failed(failure) => vec![failure.into()],
    }
}

/// The errors of a refused change of the policy: one for each fault.
pub(in crate::graphql) fn policy_errors(error: UpdatePolicyError) -> Vec<GqlError> {
    match error {
        UpdatePolicyError::Stale { current_version } => {
            vec![GqlError::StalePolicy { current_version }]
        }
        UpdatePolicyError::Refused(faults) => each(faults),
        UpdatePolicyError::Failed(failure) => vec![failure.into()],
    }
}

/// The errors of a refused renewal: one for each fault.
pub(in crate::graphql) fn renewal_errors(error: RenewApiTokenError) -> Vec<GqlError> {
    match error {
        RenewApiTokenError::NotFound => vec![GqlError::NotFound],
        RenewApiTokenError::Refused(faults) => each(faults),
        RenewApiTokenError::Failed(failure) => vec![failure.into()],
    }
}

/// The errors of a refused revocation: one for each fault.
pub(in crate::graphql) fn revocation_errors(error: RevokeApiTokensError) -> Vec<GqlError> {
    match error {
        RevokeApiTokensError::Stale { current_count } => {
            vec![GqlError::StaleCount { current_count }]
        }
        RevokeApiTokensError::Refused(faults) => each(faults),
        RevokeApiTokensError::Failed(failure) => vec![failure.into()],
    }
}

/// The errors of a refused verification: one for each fault. Where one secret is verified, its place
/// in the list says nothing.
pub(in crate::graphql) fn verification_errors(
    error: VerifyApiTokensError,
    is_list: bool,
) -> Vec<GqlError> {
    match error {
        VerifyApiTokensError::Refused(faults) => {
            let index = |fault: &InputFault| fault.index.filter(|_| is_list);
            let placed = |fault: InputFault| InputFault { index: index(&fault), ..fault };
            each(faults.into_iter().map(placed).collect())
        }
        VerifyApiTokensError::Failed(failure) => vec![failure.into()],
    }
}

fn each(faults: Vec<InputFault>) -> Vec<GqlError> {
    faults.into_iter().map(GqlError::Fault).collect()
}
