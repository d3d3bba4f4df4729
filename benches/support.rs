//! What the benchmarks share.

pub mod cpu;
mod exchange;
mod load;
mod server;

pub use exchange::{connect, exchange, post};
pub use load::{CONNECTIONS, Load, creation, document, load, load_over, load_requests, send};
pub use server::{Server, Tokenwright};
