//! Changing a token, and renewing it: both decide on the row as it is in their transaction.

use diesel::dsl::{insert_into, update};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::caller::{LockOrder, ensure_unchanged};
use crate::db::{DbError, DbId, DbInstant, api_tokens, audit_events, users, write_tx};
use crate::domain::api_token::{ApiToken, NewApiToken};
use crate::domain::api_token_change::ApiTokenChange;
use crate::domain::audit::AuditEvent;
use crate::domain::id::ApiTokenId;
use crate::domain::principal::Principal;
use crate::repository::Repository;
use crate::repository::rows::{ApiTokenChangeRow, ApiTokenRow, AuditEventRow, UserRow};

/// What is to be done, all of it or nothing.
#[derive(Debug)]
pub struct Plan {
    /// What becomes different about the token; none: it stays as it is, and so does its version.
    pub change: Option<(ApiTokenChange, AuditEvent)>,
    /// The token that takes its place.
    pub renewal: Option<(NewApiToken, AuditEvent)>,
}

impl Plan {
    /// What the name is compared by that the token, or the one that takes its place, gets.
    fn new_name_key(&self) -> Option<String> {
        let of_renewal = self.renewal.as_ref().map(|(new, _)| new.name_key.clone());
        of_renewal.or_else(|| {
            let (change, _) = self.change.as_ref()?;
            change.name.as_ref().map(|name| name.key().to_owned())
        })
    }
}

/// The token as it is committed, unless it is deleted.
macro_rules! live {
    ($conn:expr, $id:expr) => {
        api_tokens::table
            .filter(api_tokens::id.eq($id))
            .filter(api_tokens::deleted_date.is_null())
            .select(ApiTokenRow::as_select())
            .get_result::<ApiTokenRow>($conn)
            .await
            .optional()?
            .map(ApiToken::from)
    };
}

/// The live token that has a name, as it is committed. Asked before the name is written: to write it
/// waits for whoever holds that token, who may be waiting for this one.
macro_rules! holder {
    ($conn:expr, $key:expr) => {
        api_tokens::table
            .filter(api_tokens::name_key.eq($key))
            .filter(api_tokens::deleted_date.is_null())
            .select(api_tokens::id)
            .get_result::<DbId>($conn)
            .await
            .optional()?
    };
}

/// What became of a change.
#[derive(Debug)]
pub enum Changed<E> {
    /// The token that takes its place; where there is none, the token as it is now.
    Done(Box<ApiToken>),
    /// It does not exist, was deleted, or reaches further than the caller.
    NotFound,
    /// The token is not at the version that was named.
    Stale { current_version: i32 },
    /// The token as it is does not allow it.
    Refused(E),
    /// Another live token has the name.
    NameTaken,
    /// The token that asked has been changed or deleted since it was judged.
    CallerChanged,
}

impl Repository {
    /// Carries out what `judge` plans for the token as it is, while nobody else can change it. With a
    /// `version`, only if the token is at it.
    ///
    /// # Errors
    /// When the database does not answer; [`DbError::OutcomeUnknown`] where it may have been done.
    pub async fn change_api_token<E: Send + 'static>(
        &self,
        caller: &Principal,
        id: ApiTokenId,
        version: Option<i32>,
        judge: impl FnOnce(&ApiToken) -> Result<Plan, E> + Send + 'static,
    ) -> Result<Changed<E>, DbError> {
        let LockOrder { before, own, after } = LockOrder::of(caller.judged(), id);
        let caller = caller.clone();
        let target = DbId(id.uuid());
        let done = write_tx!(self.db, |conn| {
            ensure_unchanged(conn, before).await?;
            // What is out of reach is neither locked nor written.
            if !live!(conn, target).is_some_and(|token| caller.reaches(&token)) {
                ensure_unchanged(conn, after).await?;
                return Ok(if own.is_some() { Changed::CallerChanged } else { Changed::NotFound });
            }
            // An update that changes nothing: it locks the row, and whether it meets one is the verdict on
            // the version, also where nothing is going to change.
            let mut live = update(api_tokens::table)
                .filter(api_tokens::id.eq(target))
                .filter(api_tokens::deleted_date.is_null())
                .into_boxed();
            for expected in version.into_iter().chain(own) {
                live = live.filter(api_tokens::version.eq(expected));
            }
            let claimed: Option<ApiTokenRow> = live
                .set(api_tokens::version.eq(api_tokens::version))
                .returning(ApiTokenRow::as_returning())
                .get_result(conn)
                .await
                .optional()?;
            ensure_unchanged(conn, after).await?;
            let Some(claimed) = claimed else {
                let current = live!(conn, target);
                let current_version = current.as_ref().map(|current| current.version);
                return Ok(match current {
                    _ if own.is_some() && current_version != own => Changed::CallerChanged,
                    Some(current) if caller.reaches(&current) => {
                        Changed::Stale { current_version: current.version }
                    }
                    _ => Changed::NotFound,
                });
            };
            let mut token = ApiToken::from(claimed);
            if !caller.reaches(&token) {
                return Ok(Changed::NotFound);
            }
            let plan = match judge(&token) {
                Ok(plan) => plan,
                Err(refusal) => return Ok(Changed::Refused(refusal)),
            };
            if let Some(key) = plan.new_name_key()
                && let Some(holder) = holder!(conn, key)
                && (plan.renewal.is_some() || holder != target)
            {
                return Ok(Changed::NameTaken);
            }
            if let Some((change, event)) = plan.change {
                let date = DbInstant(event.date);
                let changed: ApiTokenRow = update(api_tokens::table)
                    .filter(api_tokens::id.eq(target))
                    .set((
                        ApiTokenChangeRow::from(&change),
                        api_tokens::version.eq(api_tokens::version + 1),
                        api_tokens::last_modified_date.eq(date),
                        api_tokens::last_modified_user_id.eq(DbId(event.actor.user_id.uuid())),
                        api_tokens::last_modified_user_name.eq(event.actor.user_name.clone()),
                    ))
                    .returning(ApiTokenRow::as_returning())
                    .get_result(conn)
                    .await?;
                token = changed.into();
                if let Some(name) = change.name {
                    update(users::table)
                        .filter(users::id.eq(DbId(token.user_id.uuid())))
                        .set((
                            users::name.eq(name.as_str().to_owned()),
                            users::name_key.eq(name.key().to_owned()),
                            users::version.eq(users::version + 1),
                            users::last_modified_date.eq(date),
                        ))
                        .execute(conn)
                        .await?;
                }
                insert_into(audit_events::table)
                    .values(AuditEventRow::from(&event))
                    .execute(conn)
                    .await?;
            }
            let Some((new, event)) = plan.renewal else {
                return Ok(Changed::Done(Box::new(token)));
            };
            let user = (UserRow::from(&new.user), users::name_key.eq(new.name_key.clone()));
            insert_into(users::table).values(user).execute(conn).await?;
            insert_into(api_tokens::table).values(ApiTokenRow::from(&new)).execute(conn).await?;
            insert_into(audit_events::table)
                .values(AuditEventRow::from(&event))
                .execute(conn)
                .await?;
            Ok(Changed::Done(Box::new(new.token)))
        });
        match done {
            Err(error) if error.is_unique("name_key") => Ok(Changed::NameTaken),
            Err(DbError::RolledBack) => Ok(Changed::CallerChanged),
            other => other,
        }
    }
}
