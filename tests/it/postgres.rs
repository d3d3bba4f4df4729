//! What is true over PostgreSQL alone: it is a server that several instances share.

mod audit_log;
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
mod ended_sessions;
mod failover;
mod finally;
mod guarded;
mod impostor;
mod lanes;
mod late_commits;
mod ledger;
mod lending;
mod likeness;
mod limits;
mod load;
mod migrations;
mod names;
mod outages;
#[cfg(target_os = "linux")]
mod overload;
mod proxied;
mod proxy;
mod retention;
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
