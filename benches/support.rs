//! What the benchmarks share.

#[path = "../tests/it/postgres/cluster.rs"]
pub mod cluster;
mod cost;
pub mod cpu;
mod exchange;
mod hello;
mod load;
mod machine;
pub mod rows;
mod server;
#[path = "../tests/it/postgres/sql.rs"]
pub mod sql;
mod store;

pub use cost::{Cost, cost, cost_of};
pub use exchange::{connect, exchange, get, post};
pub use hello::hello;
pub use load::{
    CONNECTIONS, Load, another_secret, creation, document, load, load_over, load_requests, make,
    send, use_first,
};
pub use machine::{median, percentile, print_machine};
pub use server::{Server, Tokenwright};
pub use store::Store;
