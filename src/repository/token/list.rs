//! The list of tokens.
//!
//! Where the filter has labels, the rows are read along the index of one of them: it has the order
//! of the creation dates, and of a rare label so few rows that they are sorted at no cost. A label
//! of very many tokens is no help in other orders: a page of them is full soon along the order
//! itself.

use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use tokio::sync::OnceCell;

use super::conditions::{Conditions, filtered};
use crate::db::{
    Database, DbError, DbInstant, Fetch, Part, RareLabel, api_token_labels, api_tokens, read,
    search, short_search,
};
use crate::domain::api_token::ApiToken;
use crate::domain::clock::Instant;
use crate::domain::cursor::Position;
use crate::domain::filter::{ApiTokenFilter, Window};
use crate::domain::label::Label;
use crate::domain::order::ApiTokenOrderField;
use crate::domain::page::{Row, Scan};
use crate::domain::policy::Policy;
use crate::repository::Repository;
use crate::repository::list::{List, scanned, timed};
use crate::repository::rows::ApiTokenRow;

/// The tokens that are not deleted and meet a filter.
pub struct ApiTokenList {
    db: Database,
    field: ApiTokenOrderField,
    conditions: Conditions,
    rare_label: OnceCell<Option<Label>>,
}

/// The live tokens that have this label, as a boxed query.
macro_rules! labelled {
    ($label:expr) => {{
        let Label { key, value } = $label;
        api_token_labels::table
            .inner_join(api_tokens::table)
            .into_boxed()
            .filter(api_token_labels::key.eq(key))
            .filter(api_token_labels::value.eq(value))
    }};
}

/// Narrows a boxed query to a scan in the order of a field. `$created`: the creation date and the
/// id, of the index along which they are read.
macro_rules! in_order {
    ($query:expr, $scan:expr, $field:expr, $($created:expr),+) => {
        match $field {
            ApiTokenOrderField::Name => {
                scanned!($query, $scan, api_tokens::name_key, api_tokens::id)
            }
            ApiTokenOrderField::CreationDate => scanned!($query, $scan, $($created),+),
            ApiTokenOrderField::Expiry => {
                scanned!($query, $scan, api_tokens::expiry, api_tokens::id)
            }
            ApiTokenOrderField::LastUsedDate => {
                scanned!($query, $scan, api_tokens::last_used_date, api_tokens::id)
            }
        }
    };
}

impl Repository {
    /// The tokens that meet the filter now, by the effective expiry under this policy, sorted by this
    /// field.
    pub fn api_token_list(
        &self,
        filter: &ApiTokenFilter,
        policy: &Policy,
        now: Instant,
        field: ApiTokenOrderField,
    ) -> ApiTokenList {
        let conditions = Conditions::of(filter, policy, now);
        ApiTokenList { db: self.db.clone(), field, conditions, rare_label: OnceCell::new() }
    }
}

impl ApiTokenList {
    /// A label that few tokens have, of those that are asked for.
    async fn rare_label(&self) -> Result<Option<&Label>, DbError> {
        let labels = &self.conditions.labels;
        let rare = self.rare_label.get_or_try_init(async || {
            tracing::debug!(count = labels.len(), "api_token_list rare_label");
            let rare = RareLabel(labels.clone());
            let place: Option<i32> =
                read!(self.db, |conn| rare.clone().get_result(conn).await.optional())?;
            let place = place.and_then(|place| usize::try_from(place).ok());
            Ok(place.and_then(|place| labels.get(place)).cloned())
        });
        rare.await.map(Option::as_ref)
    }

    /// The label along whose index all tokens are read that meet the conditions, and the conditions
    /// that are left.
    async fn along(&self, in_its_order: bool) -> Result<(Option<Label>, Conditions), DbError> {
        let mut only = self.conditions.clone();
        let label = match &only.labels[..] {
            [] => None,
            [label] if in_its_order => Some(label.clone()),
            [first, ..] => {
                let rare = self.rare_label().await?.cloned();
                rare.or_else(|| in_its_order.then(|| first.clone()))
            }
        };
        only.labels.retain(|one| Some(one) != label.as_ref());
        Ok((label, only))
    }
}

/// The most rows of a page that a thread which serves requests reads by itself. A row may have a
/// thousand networks.
const SHORT: usize = 26;

impl List for ApiTokenList {
    type Item = ApiToken;

    async fn scan(&self, scan: Scan) -> Result<Vec<Row<ApiToken>>, DbError> {
        let field = self.field;
        let (label, mut only) = self.along(field == ApiTokenOrderField::CreationDate).await?;
        // A window of what the list is sorted by is a part of the list.
        let window = match field {
            ApiTokenOrderField::Expiry => std::mem::take(&mut only.expiry),
            ApiTokenOrderField::LastUsedDate => std::mem::take(&mut only.last_used),
            ApiTokenOrderField::CreationDate => std::mem::take(&mut only.created),
            ApiTokenOrderField::Name => Window::default(),
        };
        let at = Position::before_all_at;
        let scan = scan.within(window.from.map(at), window.to.map(at));
        tracing::debug!(?field, limit = scan.limit, "api_token_list scan");
        let every = label.is_none() && only == Conditions::default();
        let rows: Vec<ApiTokenRow> = match label {
            None if every && scan.limit <= SHORT => short_search!(self.db, |conn| {
                let query = api_tokens::table.select(ApiTokenRow::as_select()).into_boxed();
                let query = filtered!(timed!(query, false), Conditions::default());
                let query = in_order!(
                    query,
                    scan.clone(),
                    field,
                    api_tokens::creation_date,
                    api_tokens::id
                );
                query.cached(true).all(conn).await
            }),
            None => search!(self.db, |conn| {
                let query = api_tokens::table.select(ApiTokenRow::as_select()).into_boxed();
                let query = filtered!(timed!(query, every), only);
                let query =
                    in_order!(query, scan, field, api_tokens::creation_date, api_tokens::id);
                query.cached(every).all(conn).await
            }),
            Some(label) => search!(self.db, |conn| {
                let (created, id) =
                    (api_token_labels::creation_date, api_token_labels::api_token_id);
                let query = labelled!(label).select(ApiTokenRow::as_select());
                let query = filtered!(timed!(query, false), only);
                in_order!(query, scan, field, created, id).all(conn).await
            }),
        }?;
        let row = |row: ApiTokenRow| Row { position: row.position(field), value: row.into() };
        Ok(rows.into_iter().map(row).collect())
    }

    async fn count(&self) -> Result<i64, DbError> {
        tracing::debug!("api_token_list count");
        let (label, only) = self.along(true).await?;
        if let Some(label) = label {
            return search!(self.db, |conn| {
                let query = filtered!(timed!(labelled!(label).select(count_star()), false), only);
                Part::number(query).one(conn).await
            });
        }
        search!(self.db, |conn| {
            let by_name = only.name_part.is_some();
            let query = api_tokens::table.select(count_star()).into_boxed();
            let mut query = filtered!(timed!(query, false), only);
            if by_name {
                // Always true. It makes SQLite use the index that holds the names instead of the
                // table.
                query = query.filter(api_tokens::name_key.ge(""));
            }
            Part::number(query).one(conn).await
        })
    }
}
