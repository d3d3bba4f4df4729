//! The integration suite over PostgreSQL, with what only a server of its own can do to a product:
//! go away, fall silent, be followed by another one.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test ends where something is not as it should be"
)]

mod postgres;
mod suite;
mod support;

use postgres::TestDatabase;
