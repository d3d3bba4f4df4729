//! What is true over PostgreSQL alone: it is a server that several instances share.

mod certificates;
mod cluster;
mod connecting;
mod crash;
mod database;
mod failover;
mod finally;
mod guarded;
mod impostor;
mod ledger;
mod likeness;
mod limits;
mod load;
mod migrations;
mod silence;
mod sql;
mod standby;
mod tls;
mod two_instances;
mod writer;

pub use database::TestDatabase;
