//! When and from where tokens were last used.

use diesel::dsl::update;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::db::{DbError, DbId, DbInstant, api_tokens, write_tx};
use crate::domain::api_token::LastUse;
use crate::domain::id::ApiTokenId;
use crate::repository::Repository;

impl Repository {
    /// Stores last uses that are later than the stored ones. The version of a token stays, as a use
    /// does not change it. The tokens come in the order of their ids, in which rows are locked
    /// everywhere.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn write_last_uses(&self, uses: &[(ApiTokenId, LastUse)]) -> Result<(), DbError> {
        tracing::debug!(count = uses.len(), "write_last_uses");
        let rows: Vec<(DbId, DbInstant, Option<String>)> = uses
            .iter()
            .map(|(id, last)| {
                let address = last.address.map(|address| address.to_string());
                (DbId(id.uuid()), DbInstant(last.date), address)
            })
            .collect();
        write_tx!(self.db, |conn| {
            for (id, date, address) in rows {
                update(api_tokens::table)
                    .filter(api_tokens::id.eq(id))
                    .filter(api_tokens::last_used_date.lt(date))
                    .set((
                        api_tokens::last_used_date.eq(date),
                        api_tokens::last_used_address.eq(address),
                    ))
                    .execute(conn)
                    .await?;
            }
            Ok(())
        })
    }
}
