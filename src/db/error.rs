//! What can go wrong with a database. The texts are for the log, never for a caller.

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error as DieselError};

use crate::metrics::DatabaseFailure;

/// An operation did not succeed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DbError {
    /// The database did not answer, or not in time.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// A search was ended because it took longer than any may. It would again.
    #[error("a search took longer than `database-statement-timeout`")]
    SearchTooLong,
    /// A transaction may or may not have been committed: no answer came.
    #[error("it is not known whether the transaction was committed: {0}")]
    OutcomeUnknown(String),
    /// The value already exists. The text names the index or its columns.
    #[error("a value must be unique: {0}")]
    Unique(String),
    /// A stored value or a query is not what this version expects.
    #[error("unexpected data: {0}")]
    Unexpected(String),
    /// A transaction was rolled back because its body asked for that; nothing was changed.
    #[error("the transaction was rolled back on purpose")]
    RolledBack,
    /// An operation ended in a panic, which the log has.
    #[error("an operation ended early, which is a defect")]
    OperationPanicked,
}

impl DbError {
    /// What it is counted as, if the database or its connections failed.
    pub(super) const fn failure(&self) -> Option<DatabaseFailure> {
        match self {
            Self::Unavailable(_) => Some(DatabaseFailure::Unavailable),
            Self::OutcomeUnknown(_) => Some(DatabaseFailure::OutcomeUnknown),
            Self::SearchTooLong => Some(DatabaseFailure::SearchTooLong),
            Self::Unexpected(_) | Self::OperationPanicked => Some(DatabaseFailure::Defect),
            Self::Unique(_) | Self::RolledBack => None,
        }
    }

    /// What an error means that came instead of the answer to a commit.
    pub(super) fn at_commit(self) -> Self {
        match self {
            Self::Unavailable(text) => Self::OutcomeUnknown(text),
            other => other,
        }
    }

    /// Was the uniqueness of this column violated? PostgreSQL reports the index, SQLite the table
    /// and column; an index is named after its column here.
    pub fn is_unique(&self, column: &str) -> bool {
        matches!(self, Self::Unique(text) if text.contains(column))
    }
}

impl From<DieselError> for DbError {
    fn from(error: DieselError) -> Self {
        match error {
            DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, info) => {
                Self::Unique(info.constraint_name().unwrap_or(info.message()).to_owned())
            }
            DieselError::DatabaseError(
                DatabaseErrorKind::ForeignKeyViolation
                | DatabaseErrorKind::NotNullViolation
                | DatabaseErrorKind::CheckViolation
                | DatabaseErrorKind::RestrictViolation
                | DatabaseErrorKind::ExclusionViolation,
                info,
            ) => Self::Unexpected(info.message().to_owned()),
            DieselError::DatabaseError(DatabaseErrorKind::Unknown, info)
                if is_of_the_query(&*info) =>
            {
                Self::Unexpected(info.message().to_owned())
            }
            DieselError::DatabaseError(_, info) => Self::Unavailable(info.message().to_owned()),
            DieselError::RollbackTransaction => Self::RolledBack,
            DieselError::BrokenTransactionManager
            | DieselError::RollbackErrorOnCommit { .. }
            | DieselError::AlreadyInTransaction
            | DieselError::NotInTransaction => Self::Unavailable(error.to_string()),
            other => Self::Unexpected(other.to_string()),
        }
    }
}

/// Is it the query that is at fault, or a value in it, so that it will fail again? diesel hands no
/// SQLSTATE on. PostgreSQL sends a position with a query that it cannot parse or analyse, and the
/// names of tables, columns and constraints with some errors, reliably only with class 23, violated
/// constraints (its manual, appendix A and "Error and Notice Message Fields"). A fault that comes
/// with none of these counts as unavailable, even where it will fail again.
fn is_of_the_query(info: &(dyn DatabaseErrorInformation + Send + Sync)) -> bool {
    info.statement_position().is_some()
        || info.table_name().is_some()
        || info.column_name().is_some()
        || info.constraint_name().is_some()
}

/// An error and all its causes in one line: tokio-postgres, for one, says only "error connecting".
pub(super) fn with_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let texts: Vec<String> = causes.map(ToString::to_string).collect();
    texts.join(": ")
}
