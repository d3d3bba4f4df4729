//! What is true over PostgreSQL alone: it is a server that several instances share.

mod backup;
mod cancellation;
mod certificates;
mod changes;
mod clocks;
mod cluster;
mod connecting;
mod crash;
mod database;
mod encodings;
mod failover;
mod finally;
mod guarded;
mod impostor;
mod ledger;
mod lending;
mod likeness;
mod limits;
mod load;
mod migrations;
mod outages;
#[cfg(target_os = "linux")]
mod overload;
mod proxied;
mod proxy;
mod searches;
mod several_hosts;
mod silence;
mod slow_network;
mod sql;
mod standby;
mod tls;
mod two_instances;
mod writer;

pub use database::TestDatabase;
