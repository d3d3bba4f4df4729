//! Reading rows so that nobody takes them away before the transaction ends.
//!
//! With PostgreSQL's default isolation two transactions can read and decide side by side without an
//! error. Tokens are locked by their ids ([`KeyLocks`](super::KeyLocks)); row locks are for what
//! those cannot hold: a token together with very many others. SQLite has only one writing
//! transaction at a time.

use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sqlite::Sqlite;

/// A query whose rows nobody else can lock alone ([`Locked`]); they can be changed. Its own rows
/// are what is locked, so it must not count or group.
#[derive(Debug, Clone, QueryId)]
pub(crate) struct KeyShared<Q>(pub(crate) Q);

impl<Q: Query> Query for KeyShared<Q> {
    type SqlType = Q::SqlType;
}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for KeyShared<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(" FOR KEY SHARE");
        Ok(())
    }
}

impl<Q: QueryFragment<Sqlite>> QueryFragment<Sqlite> for KeyShared<Q> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }
}

/// A query whose rows nobody else can change, delete or share until the transaction ends. They are
/// locked in the order of the query.
#[derive(Debug, Clone, QueryId)]
pub(crate) struct Locked<Q>(pub(crate) Q);

impl<Q: Query> Query for Locked<Q> {
    type SqlType = Q::SqlType;
}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for Locked<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(" FOR UPDATE");
        Ok(())
    }
}

impl<Q: QueryFragment<Sqlite>> QueryFragment<Sqlite> for Locked<Q> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }
}
