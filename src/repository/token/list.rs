//! The list of tokens.
//!
//! Where the filter has labels, the rows are read along the index of one of them: it has the order
//! of the creation dates, and of a rare label so few rows that they are sorted at no cost. A label
//! of very many tokens is no help in other orders: a page of them is full soon along the order
//! itself.

use diesel::dsl::{auto_type, count_star, not};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use tokio::sync::OnceCell;

use crate::db::{
    Database, DbError, DbId, DbInstant, DbTexts, Fetch, HoldsAll, InLine, Includes, Part,
    RareLabel, api_token_labels, api_tokens, contains, read, search, short_search, stored_label,
};
use crate::domain::api_token::ApiToken;
use crate::domain::clock::Instant;
use crate::domain::cursor::Position;
use crate::domain::filter::{ApiTokenFilter, RefusedBy, Window};
use crate::domain::label::Label;
use crate::domain::order::ApiTokenOrderField;
use crate::domain::page::{Row, Scan};
use crate::domain::policy::Policy;
use crate::repository::Repository;
use crate::repository::list::{List, scanned, timed};
use crate::repository::policy::{PolicyBounds, idle, outlived, unbound};
use crate::repository::rows::{ApiTokenRow, NEVER};

/// The tokens that are not deleted and meet a filter.
pub struct ApiTokenList {
    db: Database,
    field: ApiTokenOrderField,
    conditions: Conditions,
    rare_label: OnceCell<Option<Label>>,
}

/// A filter, as what is stored.
#[derive(Debug, Clone, Default, PartialEq)]
struct Conditions {
    name_part: Option<String>,
    permissions: Option<DbTexts>,
    labels: Vec<Label>,
    user_id: Option<DbId>,
    created_user_id: Option<DbId>,
    descendants_of: Option<DbId>,
    enabled: Option<bool>,
    /// Tokens that end before this meet the condition on `enabled`, whether they are or not.
    or_ended: Option<Ended>,
    expiry: Window,
    last_used: Window,
    /// Of these creations, no token.
    not_created: Option<(DbInstant, DbInstant)>,
    /// Tokens that end before this, where the policy ends some earlier than their expiry. Otherwise
    /// that is part of the window of the expiry.
    ended: Option<Ended>,
    /// Those that can be used at this instant, and that a policy with these bounds refuses.
    refused: Option<(DbInstant, PolicyBounds)>,
}

/// Tokens that end before an instant: by their expiry, or because of their creation.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Ended {
    expiry: DbInstant,
    /// From the first of these creations, to before the second one.
    created: Option<(DbInstant, DbInstant)>,
}

impl Ended {
    fn before(policy: &Policy, end: Instant) -> Self {
        let created = policy
            .outlived_before(end)
            .and_then(|created| Some((DbInstant(created.from?), DbInstant(created.to?))));
        Self { expiry: DbInstant(end), created }
    }
}

/// Narrows a boxed query to the live tokens that meet the conditions.
macro_rules! filtered {
    ($query:expr, $conditions:expr) => {{
        let mut query = $query.filter(api_tokens::deleted_date.is_null());
        let only = $conditions;
        if let Some(part) = only.name_part {
            query = query.filter(contains(api_tokens::name_key, &part));
        }
        if let Some(codes) = only.permissions {
            query = query.filter(HoldsAll::new(api_tokens::permissions, codes));
        }
        if !only.labels.is_empty() {
            let labels = only.labels.iter().map(stored_label).collect();
            query = query.filter(Includes::new(api_tokens::labels, labels));
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
        match (only.enabled, only.or_ended) {
            (None, _) => {}
            (Some(true), None) => query = query.filter(api_tokens::enabled),
            (Some(false), None) => query = query.filter(not(api_tokens::enabled)),
            (Some(true), Some(Ended { expiry, created: None })) => {
                query = query.filter(api_tokens::enabled.or(api_tokens::expiry.lt(expiry)));
            }
            (Some(false), Some(Ended { expiry, created: None })) => {
                query = query.filter(not(api_tokens::enabled).or(api_tokens::expiry.lt(expiry)));
            }
            (Some(true), Some(Ended { expiry, created: Some(created) })) => {
                query = query.filter(api_tokens::enabled.or(ended(expiry, created)));
            }
            (Some(false), Some(Ended { expiry, created: Some(created) })) => {
                query = query.filter(not(api_tokens::enabled).or(ended(expiry, created)));
            }
        }
        if let Some(Ended { expiry, created: Some(created) }) = only.ended {
            query = query.filter(ended(expiry, created));
        }
        if let Some((now, bounds)) = only.refused {
            let refused = outlived(bounds).or(unbound(bounds)).or(idle(bounds));
            query = query.filter(api_tokens::enabled).filter(api_tokens::expiry.gt(now));
            query = query.filter(refused);
        }
        match only.not_created {
            // One bound, where a rule is for all tokens: it can be found by an index.
            Some((from, to)) if from == DbInstant(Instant::UNIX_EPOCH) => {
                query = query.filter(api_tokens::creation_date.ge(to));
            }
            Some((from, to)) => {
                let (before, after) =
                    (api_tokens::creation_date.lt(from), api_tokens::creation_date.ge(to));
                query = query.filter(before.or(after));
            }
            None => {}
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

/// Those whose expiry is before this instant, and those with these creations.
#[auto_type]
fn ended(expiry: DbInstant, created: (DbInstant, DbInstant)) -> _ {
    let (from, to): (DbInstant, DbInstant) = created;
    api_tokens::expiry
        .lt(expiry)
        .or(api_tokens::creation_date.ge(from).and(api_tokens::creation_date.lt(to)))
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
        let id = |id: crate::domain::id::UserId| DbId(id.uuid());
        let codes: Vec<String> = filter.permissions.iter().map(ToString::to_string).collect();
        let status = filter.at(now);
        let mut expiry = status.expiry;
        let ended = expiry.to.map(|to| Ended::before(policy, to));
        let ended = ended.filter(|ended| ended.created.is_some());
        if ended.is_some() {
            expiry.to = None;
        }
        let not_created = expiry.from.and_then(|from| Ended::before(policy, from).created);
        let conditions = Conditions {
            name_part: filter.name.key().map(ToOwned::to_owned),
            permissions: Some(codes).filter(|codes| !codes.is_empty()).map(DbTexts),
            labels: filter.labels.iter().cloned().collect(),
            user_id: filter.user_id.map(id),
            created_user_id: filter.created_user_id.map(id),
            descendants_of: filter.descendants_of.map(|id| DbId(id.uuid())),
            enabled: status.enabled,
            or_ended: status.or_expired.map(|before| Ended::before(policy, before)),
            expiry,
            not_created,
            ended,
            refused: filter
                .refused_by
                .map(|RefusedBy(policy)| (DbInstant(now), PolicyBounds::of(&policy, now))),
            last_used: filter.not_used_since.map_or(Window::default(), unused_until),
        };
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

/// A token that was never used counts as unused since any instant, even one before `NEVER`.
fn unused_until(instant: Instant) -> Window {
    let after_never = NEVER + chrono::TimeDelta::microseconds(1);
    Window { from: None, to: Some(instant.max(after_never)) }
}

impl List for ApiTokenList {
    type Item = ApiToken;

    async fn scan(&self, scan: Scan) -> Result<Vec<Row<ApiToken>>, DbError> {
        let field = self.field;
        let (label, mut only) = self.along(field == ApiTokenOrderField::CreationDate).await?;
        // A window of what the list is sorted by is a part of the list.
        let window = match field {
            ApiTokenOrderField::Expiry => std::mem::take(&mut only.expiry),
            ApiTokenOrderField::LastUsedDate => std::mem::take(&mut only.last_used),
            ApiTokenOrderField::Name | ApiTokenOrderField::CreationDate => Window::default(),
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
