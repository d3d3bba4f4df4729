//! Inserting many audit events by one statement, which diesel does not do over an asynchronous
//! connection to SQLite.

use diesel::QueryResult;
use diesel::backend::Backend;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{HasSqlType, Nullable, Text};

use super::AuditEventRow;
use crate::db::{DbId, DbInstant, Id, Moment};
use crate::domain::audit::AuditEvent;

/// The insertion of some events.
pub(in crate::repository) struct InsertEvents(Vec<AuditEventRow>);

impl InsertEvents {
    /// Most rows of one statement; SQLite allows 32,766 values.
    pub(in crate::repository) const MOST: usize = 1_000;

    /// All insertions that these events take.
    pub(in crate::repository) fn of(events: &[AuditEvent]) -> Vec<Self> {
        let insertion = |events: &[AuditEvent]| Self(events.iter().map(Into::into).collect());
        events.chunks(Self::MOST).map(insertion).collect()
    }
}

impl InsertEvents {
    /// Do the events differ in no more than their ids, targets and changes?
    fn is_one_action(&self) -> bool {
        let shared = |row: &AuditEventRow| {
            let actor = (row.actor_user_id, row.actor_user_name.clone(), row.actor_api_token_id);
            let request = (row.client_address.clone(), row.request_id.clone());
            (row.date, row.action.clone(), actor, request)
        };
        let mut all = self.0.iter().map(shared);
        all.next().is_some_and(|first| all.all(|row| row == first))
    }
}

impl QueryId for InsertEvents {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB> QueryFragment<DB> for InsertEvents
where
    DB: Backend + HasSqlType<Id> + HasSqlType<Moment> + HasSqlType<Text>,
    DbId: ToSql<Id, DB>,
    DbInstant: ToSql<Moment, DB>,
    String: ToSql<Text, DB>,
    Option<DbId>: ToSql<Nullable<Id>, DB>,
    Option<String>: ToSql<Nullable<Text>, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        out.push_sql(
            "INSERT INTO audit_events (id, date, action, actor_user_id, actor_user_name, \
             actor_api_token_id, client_address, request_id, target_id, changes) ",
        );
        let Some(first) = self.0.first().filter(|_| self.is_one_action()) else {
            out.push_sql("VALUES ");
            for (index, row) in self.0.iter().enumerate() {
                out.push_sql(if index == 0 { "(" } else { ", (" });
                row.values(&mut out)?;
                out.push_sql(")");
            }
            return Ok(());
        };
        // What they share is bound once.
        out.push_sql("SELECT column1, ");
        first.shared(&mut out)?;
        out.push_sql(", column2, column3 FROM (VALUES ");
        for (index, row) in self.0.iter().enumerate() {
            out.push_sql(if index == 0 { "(" } else { ", (" });
            out.push_bind_param::<Id, _>(&row.id)?;
            out.push_sql(", ");
            out.push_bind_param::<Id, _>(&row.target_id)?;
            out.push_sql(", ");
            out.push_bind_param::<Text, _>(&row.changes)?;
            out.push_sql(")");
        }
        out.push_sql(") AS rows");
        Ok(())
    }
}

impl AuditEventRow {
    fn values<'b, DB>(&'b self, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()>
    where
        DB: Backend + HasSqlType<Id> + HasSqlType<Moment> + HasSqlType<Text>,
        DbId: ToSql<Id, DB>,
        DbInstant: ToSql<Moment, DB>,
        String: ToSql<Text, DB>,
        Option<DbId>: ToSql<Nullable<Id>, DB>,
        Option<String>: ToSql<Nullable<Text>, DB>,
    {
        out.push_bind_param::<Id, _>(&self.id)?;
        out.push_sql(", ");
        self.shared(out)?;
        out.push_sql(", ");
        out.push_bind_param::<Id, _>(&self.target_id)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(&self.changes)
    }

    fn shared<'b, DB>(&'b self, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()>
    where
        DB: Backend + HasSqlType<Id> + HasSqlType<Moment> + HasSqlType<Text>,
        DbId: ToSql<Id, DB>,
        DbInstant: ToSql<Moment, DB>,
        String: ToSql<Text, DB>,
        Option<DbId>: ToSql<Nullable<Id>, DB>,
        Option<String>: ToSql<Nullable<Text>, DB>,
    {
        out.push_bind_param::<Moment, _>(&self.date)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(&self.action)?;
        out.push_sql(", ");
        out.push_bind_param::<Id, _>(&self.actor_user_id)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(&self.actor_user_name)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<Id>, _>(&self.actor_api_token_id)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<Text>, _>(&self.client_address)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<Text>, _>(&self.request_id)
    }
}
