//! The policy: one row, which judging reads with the row of the token.

mod refused;

use std::sync::Arc;

use diesel::dsl::update;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Repository;
use super::audit::record;
use super::clock::move_mark;
use super::rows::{PolicyChangeRow, PolicyRecordRow};
use super::token::{JudgedToken, lock_and_ensure_current};
use super::version::next_version;
use crate::db::{DbError, Fetch, Priority, policy, read, write_tx};
use crate::domain::audit::AuditEvent;
use crate::domain::policy::{Policy, PolicyRecord};
use crate::domain::principal::Principal;

pub(super) use refused::{PolicyBounds, idle, outlived, unbound};

/// What became of a change of the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyUpdated {
    /// It is done.
    Done,
    /// The policy is not at the version that the change is based on; nothing was changed.
    Stale {
        /// The version that it is at.
        current_version: i32,
    },
    /// The token that asks has changed since it was judged, was deleted or has ended.
    CallerChanged,
}

impl Repository {
    /// The policy, and who changed it last.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn policy(&self) -> Result<PolicyRecord, DbError> {
        tracing::debug!("policy");
        let row: PolicyRecordRow = read!(self.db, |conn| policy::table
            .select(PolicyRecordRow::as_select())
            .one(conn)
            .await)?;
        Ok(row.into())
    }

    /// Sets the rules of the policy, if it is still at the version of the new one, which it then
    /// exceeds, and stores the event. It goes before other changes: most of its kind take power
    /// away.
    ///
    /// # Errors
    /// When the database does not answer; [`DbError::OutcomeUnknown`] where it may have been
    /// changed.
    pub async fn update_policy(
        &self,
        caller: &Principal,
        new: Policy,
        event: AuditEvent,
    ) -> Result<PolicyUpdated, DbError> {
        tracing::debug!("update_policy");
        let own = JudgedToken::of(caller);
        let clock = Arc::clone(&self.clock);
        let updated = write_tx!(self.db, Priority::Revocation, |conn| {
            lock_and_ensure_current(conn, own, &[], &clock).await?;
            let changed = update(policy::table)
                .filter(policy::version.eq(new.version))
                .set((
                    PolicyChangeRow::of(&new, &event),
                    policy::version.eq(next_version!(policy::version)),
                ))
                .execute(conn)
                .await?;
            if changed == 0 {
                let current_version =
                    policy::table.select(policy::version).get_result(conn).await?;
                return Ok(PolicyUpdated::Stale { current_version });
            }
            // A longest lifetime ends tokens.
            move_mark(conn, &clock).await?;
            record!(conn, [&event]);
            Ok(PolicyUpdated::Done)
        });
        match updated {
            Err(DbError::RolledBack) => Ok(PolicyUpdated::CallerChanged),
            other => other,
        }
    }
}
