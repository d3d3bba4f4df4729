//! The list of tokens.

use diesel::dsl::{count_star, not};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::db::{
    Database, DbError, DbId, DbInstant, DbTexts, HoldsAll, InLine, InTime, Uncached, api_tokens,
    contains, search,
};
use crate::domain::api_token::ApiToken;
use crate::domain::clock::Instant;
use crate::domain::cursor::Position;
use crate::domain::filter::{ApiTokenFilter, Window};
use crate::domain::order::ApiTokenOrderField;
use crate::domain::page::{Row, Scan};
use crate::repository::Repository;
use crate::repository::list::{List, scanned};
use crate::repository::rows::{ApiTokenRow, NEVER};

/// The tokens that are not deleted and meet a filter.
pub struct ApiTokenList {
    db: Database,
    field: ApiTokenOrderField,
    conditions: Conditions,
}

/// A filter, as what is stored.
#[derive(Debug, Clone)]
struct Conditions {
    name_part: Option<String>,
    permissions: Option<DbTexts>,
    user_id: Option<DbId>,
    created_user_id: Option<DbId>,
    descendants_of: Option<DbId>,
    enabled: Option<bool>,
    /// Tokens that expire before this meet the condition on `enabled`, whether they are or not.
    or_expired: Option<DbInstant>,
    expiry: Window,
    last_used: Window,
}

/// Narrows a boxed query to the live tokens that meet the conditions.
macro_rules! filtered {
    ($query:expr, $conditions:expr) => {{
        let mut query = $query.filter(InTime).filter(api_tokens::deleted_date.is_null());
        let only = $conditions;
        if let Some(part) = only.name_part {
            query = query.filter(contains(api_tokens::name_key, &part));
        }
        if let Some(codes) = only.permissions {
            query = query.filter(HoldsAll::new(api_tokens::permissions, codes));
        }
        if let Some(id) = only.user_id {
            query = query.filter(api_tokens::user_id.eq(id));
        }
        if let Some(id) = only.created_user_id {
            query = query.filter(api_tokens::created_user_id.eq(id));
        }
        if let Some(id) = only.descendants_of {
            query = query.filter(InLine::descendants(api_tokens::id, id));
        }
        // Without bound values, so that the index on disabled tokens is used.
        match (only.enabled, only.or_expired) {
            (None, _) => {}
            (Some(true), None) => query = query.filter(api_tokens::enabled),
            (Some(false), None) => query = query.filter(not(api_tokens::enabled)),
            (Some(true), Some(before)) => {
                query = query.filter(api_tokens::enabled.or(api_tokens::expiry.lt(before)));
            }
            (Some(false), Some(before)) => {
                query = query.filter(not(api_tokens::enabled).or(api_tokens::expiry.lt(before)));
            }
        }
        if let Some(from) = only.expiry.from {
            query = query.filter(api_tokens::expiry.ge(DbInstant(from)));
        }
        if let Some(to) = only.expiry.to {
            query = query.filter(api_tokens::expiry.lt(DbInstant(to)));
        }
        if let Some(to) = only.last_used.to {
            query = query.filter(api_tokens::last_used_date.lt(DbInstant(to)));
        }
        query
    }};
}

impl Repository {
    /// The tokens that meet the filter now, sorted by this field.
    pub fn api_token_list(
        &self,
        filter: &ApiTokenFilter,
        now: Instant,
        field: ApiTokenOrderField,
    ) -> ApiTokenList {
        let id = |id: crate::domain::id::UserId| DbId(id.uuid());
        let codes: Vec<String> = filter.permissions.iter().map(ToString::to_string).collect();
        let status = filter.at(now);
        let conditions = Conditions {
            name_part: filter.name.key().map(ToOwned::to_owned),
            permissions: Some(codes).filter(|codes| !codes.is_empty()).map(DbTexts),
            user_id: filter.user_id.map(id),
            created_user_id: filter.created_user_id.map(id),
            descendants_of: filter.descendants_of.map(|id| DbId(id.uuid())),
            enabled: status.enabled,
            or_expired: status.or_expired.map(DbInstant),
            expiry: status.expiry,
            last_used: filter.not_used_since.map_or(Window::default(), unused_until),
        };
        ApiTokenList { db: self.db.clone(), field, conditions }
    }
}

/// A token that was never used counts as unused since any instant, even one before `NEVER`.
fn unused_until(instant: Instant) -> Window {
    let after_never = NEVER + chrono::TimeDelta::microseconds(1);
    Window { from: None, to: Some(instant.max(after_never)) }
}

impl List for ApiTokenList {
    type Item = ApiToken;

    async fn scan(&self, scan: Scan) -> Result<Vec<Row<ApiToken>>, DbError> {
        let (field, mut only) = (self.field, self.conditions.clone());
        // A window of what the list is sorted by is a part of the list.
        let window = match field {
            ApiTokenOrderField::Expiry => std::mem::take(&mut only.expiry),
            ApiTokenOrderField::LastUsedDate => std::mem::take(&mut only.last_used),
            ApiTokenOrderField::Name | ApiTokenOrderField::CreationDate => Window::default(),
        };
        let at = Position::before_all_at;
        let scan = scan.within(window.from.map(at), window.to.map(at));
        tracing::debug!(?field, limit = scan.limit, "api_token_list scan");
        let rows: Vec<ApiTokenRow> = search!(self.db, |conn| {
            let query = api_tokens::table.select(ApiTokenRow::as_select()).into_boxed();
            let query = filtered!(query, only);
            let id = api_tokens::id;
            let query = match field {
                ApiTokenOrderField::Name => scanned!(query, scan, api_tokens::name_key, id),
                ApiTokenOrderField::CreationDate => {
                    scanned!(query, scan, api_tokens::creation_date, id)
                }
                ApiTokenOrderField::Expiry => scanned!(query, scan, api_tokens::expiry, id),
                ApiTokenOrderField::LastUsedDate => {
                    scanned!(query, scan, api_tokens::last_used_date, id)
                }
            };
            Uncached(query).load(conn).await
        })?;
        let row = |row: ApiTokenRow| Row { position: row.position(field), value: row.into() };
        Ok(rows.into_iter().map(row).collect())
    }

    async fn count(&self) -> Result<i64, DbError> {
        tracing::debug!("api_token_list count");
        let only = self.conditions.clone();
        search!(self.db, |conn| {
            let by_name = only.name_part.is_some();
            let mut query = filtered!(api_tokens::table.select(count_star()).into_boxed(), only);
            if by_name {
                // Always true. It makes SQLite use the index that holds the names instead of the
                // table.
                query = query.filter(api_tokens::name_key.ge(""));
            }
            Uncached(query).get_result(conn).await
        })
    }
}
