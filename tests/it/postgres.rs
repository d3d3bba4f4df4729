//! What is true over PostgreSQL alone: it is a server that several instances share.

mod certificates;
mod cluster;
mod connecting;
mod database;
mod guarded;
mod impostor;
mod likeness;
mod limits;
mod migrations;
mod sql;
mod tls;

pub use database::TestDatabase;
