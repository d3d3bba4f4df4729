//! The list of users.

use diesel::dsl::{count_star, not};
use diesel::prelude::*;

use crate::db::{Database, DbError, Fetch, Part, contains, search, users};
use crate::domain::cursor::{Key, Position};
use crate::domain::filter::UserFilter;
use crate::domain::page::{Row, Scan};
use crate::domain::user::User;
use crate::repository::Repository;
use crate::repository::list::{List, scanned, timed};
use crate::repository::rows::UserRow;

/// The users that meet a filter, sorted by their ids.
pub struct UserList {
    db: Database,
    filter: UserFilter,
}

/// Narrows a boxed query to the users that meet a filter.
macro_rules! filtered {
    ($query:expr, $filter:expr) => {{
        let (mut query, filter) = ($query, $filter);
        if let Some(part) = filter.name.key() {
            query = query.filter(contains(users::name_key, part));
        }
        // Without bound values, so that the partial indexes are used.
        match filter.service_account {
            None => {}
            Some(true) => query = query.filter(users::service_account),
            Some(false) => query = query.filter(not(users::service_account)),
        }
        match filter.enabled {
            None => {}
            Some(true) => query = query.filter(users::enabled),
            Some(false) => query = query.filter(not(users::enabled)),
        }
        query
    }};
}

impl Repository {
    /// The users that meet the filter.
    pub fn user_list(&self, filter: UserFilter) -> UserList {
        UserList { db: self.db.clone(), filter }
    }
}

impl List for UserList {
    type Item = User;

    async fn scan(&self, scan: Scan) -> Result<Vec<Row<User>>, DbError> {
        tracing::debug!(limit = scan.limit, "user_list scan");
        let filter = self.filter.clone();
        let every = filter == UserFilter::default();
        let rows: Vec<UserRow> = search!(self.db, |conn| {
            let query = users::table.select(UserRow::as_select()).into_boxed();
            let query = filtered!(timed!(query, every), filter);
            scanned!(query, scan, users::id).cached(every).all(conn).await
        })?;
        let row = |user: User| Row {
            position: Position { key: Key::Nothing, id: user.id.uuid() },
            value: user,
        };
        Ok(rows.into_iter().map(User::from).map(row).collect())
    }

    async fn count(&self) -> Result<i64, DbError> {
        tracing::debug!("user_list count");
        let filter = self.filter.clone();
        search!(self.db, |conn| {
            let query = users::table.select(count_star()).into_boxed();
            let query = filtered!(timed!(query, false), filter);
            Part::number(query).one(conn).await
        })
    }
}
