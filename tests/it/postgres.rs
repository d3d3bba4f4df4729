//! What is true over PostgreSQL alone: it is a server that several instances share.

mod cluster;
mod database;
mod sql;

pub use database::TestDatabase;
