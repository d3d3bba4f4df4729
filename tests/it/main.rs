//! The integration suite over SQLite: HTTP against the built application, over a real database. One
//! file per operation or concern; `it_postgres` runs the same suite over PostgreSQL.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test ends where something is not as it should be"
)]

mod sqlite;
mod suite;
mod support;

use sqlite::TestDatabase;
