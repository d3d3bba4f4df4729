//! Who disabled a token, and disabling several.

use std::collections::HashMap;

use diesel::dsl::{auto_type, exists, select};
use diesel::prelude::*;

use crate::db::{DbError, DbId, DbInstant, Fetch, InLine, api_tokens, read};
use crate::domain::clock::Instant;
use crate::domain::disabler::Disabler;
use crate::domain::id::{ApiTokenId, UserId};
use crate::domain::principal::Principal;
use crate::repository::Repository;
use crate::repository::rows::ApiTokenRow;

/// Whether a token is disabled, and by whom.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = api_tokens, check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
pub(super) struct DisabledRow {
    id: DbId,
    enabled: bool,
    disabled_user_id: Option<DbId>,
    disabled_api_token_id: Option<DbId>,
    last_modified_date: DbInstant,
}

impl DisabledRow {
    pub(super) const fn id(&self) -> DbId {
        self.id
    }

    /// The instant of its last change.
    pub(super) const fn last_modified(&self) -> Instant {
        self.last_modified_date.0
    }

    /// The token that disabled it.
    pub(super) const fn by(&self) -> Option<DbId> {
        self.disabled_api_token_id
    }

    fn disabler(&self, by: Option<ApiTokenRow>) -> Disabler {
        let operator = Some(DbId(UserId::SYSTEM.uuid()));
        match by {
            Some(token) => Disabler::ApiToken(Box::new(token.into())),
            None if self.disabled_user_id == operator => Disabler::Operator,
            None => Disabler::Unknown,
        }
    }
}

/// Which of these tokens the caller disables, and whether each was enabled: those that are, and
/// those whose disabler gives way to the caller.
pub(super) fn to_disable(
    rows: Vec<DisabledRow>,
    disablers: Vec<ApiTokenRow>,
    caller: &Principal,
) -> Vec<(ApiTokenId, bool)> {
    let disablers: HashMap<DbId, ApiTokenRow> =
        disablers.into_iter().map(|row| (row.id(), row)).collect();
    let disables = |row: &DisabledRow| {
        let by = row.by().and_then(|by| disablers.get(&by).cloned());
        row.enabled || row.disabler(by).gives_way_to(caller)
    };
    let disabled = rows.into_iter().filter(disables);
    disabled.map(|row| (ApiTokenId::from_uuid(row.id.0), row.enabled)).collect()
}

/// The tokens that disabled these.
macro_rules! disablers_of {
    ($conn:expr, $rows:expr) => {{
        use $crate::repository::token::descendants::batches;
        use $crate::repository::token::disabler::DisabledRow;
        let rows: &[DisabledRow] = $rows;
        let by: std::collections::HashSet<DbId> = rows.iter().filter_map(DisabledRow::by).collect();
        let mut disablers: Vec<ApiTokenRow> = Vec::new();
        for batch in batches(by.into_iter().collect()) {
            let batch: Vec<ApiTokenRow> = api_tokens::table
                .filter(api_tokens::id.eq_any(batch))
                .select(ApiTokenRow::as_select())
                .load($conn)
                .await?;
            disablers.extend(batch);
        }
        disablers
    }};
}

/// Disables claimed tokens: no more of them than one statement may name. The actor of the event
/// does it, at this date.
macro_rules! disable_claimed {
    ($conn:expr, $ids:expr, $actor:expr, $actor_token:expr, $date:expr) => {{
        use $crate::repository::version::next_version;
        let (actor, actor_token): (&UserInfo, Option<ApiTokenId>) = ($actor, $actor_token);
        diesel::dsl::update(api_tokens::table)
            .filter(api_tokens::id.eq_any($ids))
            .set((
                api_tokens::enabled.eq(false),
                api_tokens::disabled_user_id.eq(Some(DbId(actor.user_id.uuid()))),
                api_tokens::disabled_api_token_id.eq(actor_token.map(|id| DbId(id.uuid()))),
                api_tokens::version.eq(next_version!(api_tokens::version)),
                api_tokens::last_modified_date.eq(DbInstant($date)),
                api_tokens::last_modified_user_id.eq(DbId(actor.user_id.uuid())),
                api_tokens::last_modified_user_name.eq(actor.user_name.clone()),
            ))
            .execute($conn)
            .await?;
    }};
}

/// Disables the descendants of a claimed line; returns the events.
macro_rules! disable_descendants {
    ($conn:expr, $line:expr, $caller:expr, $descendants:expr, $event:expr) => {{
        use $crate::domain::user::UserInfo;
        use $crate::repository::token::descendants::{Descendants, Line, batches};
        use $crate::repository::token::disabler::{
            DisabledRow, disable_claimed, disablers_of, to_disable,
        };
        let (line, descendants, event): (&Line, &Descendants, &AuditEvent) =
            ($line, $descendants, $event);
        let mut events = Vec::new();
        let ids = line.descendants().into_iter().map(|id| DbId(id.uuid())).collect();
        for batch in batches(ids) {
            let rows: Vec<DisabledRow> = api_tokens::table
                .filter(api_tokens::id.eq_any(batch))
                .select(DisabledRow::as_select())
                .load($conn)
                .await?;
            let by = disablers_of!($conn, &rows);
            let disabled = to_disable(rows, by, $caller);
            let ids: Vec<DbId> = disabled.iter().map(|(id, _)| DbId(id.uuid())).collect();
            let date = line.date(event.date);
            disable_claimed!($conn, ids, &event.actor, event.actor_token, date);
            for (id, was_enabled) in disabled {
                let change = AuditChange::replaced("enabled", was_enabled.to_string(), "false");
                events.push(descendants.event(id, vec![change])?);
            }
        }
        events
    }};
}

pub(super) use {disable_claimed, disable_descendants, disablers_of};

impl Repository {
    /// Who disabled a token that is disabled now.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn disabler(&self, id: ApiTokenId) -> Result<Disabler, DbError> {
        let id = DbId(id.uuid());
        let row: Option<DisabledRow> = read!(self.db, |conn| api_tokens::table
            .filter(api_tokens::id.eq(id))
            .select(DisabledRow::as_select())
            .one(conn)
            .await
            .optional())?;
        let Some(row) = row else { return Ok(Disabler::Unknown) };
        let by: Option<ApiTokenRow> = match row.by() {
            None => None,
            Some(by) => read!(self.db, |conn| api_tokens::table
                .filter(api_tokens::id.eq(by))
                .select(ApiTokenRow::as_select())
                .one(conn)
                .await
                .optional())?,
        };
        Ok(row.disabler(by))
    }

    /// Did one token, or a descendant of it, make or renew the other one? Neither can become or
    /// cease to be true.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn descends_from(
        &self,
        token: ApiTokenId,
        ancestor: ApiTokenId,
    ) -> Result<bool, DbError> {
        let (token, ancestor) = (DbId(token.uuid()), DbId(ancestor.uuid()));
        // A line has few ancestors, but may have very many descendants.
        read!(self.db, |conn| select(exists(is_ancestor(ancestor, token))).one(conn).await)
    }
}

#[auto_type]
fn is_ancestor(ancestor: DbId, of: DbId) -> _ {
    let in_line: InLine<api_tokens::id> = InLine::ancestors(api_tokens::id, of);
    api_tokens::table.filter(api_tokens::id.eq(ancestor)).filter(in_line).select(api_tokens::id)
}
