//! What the benchmarks share.

pub mod cpu;
mod load;
mod server;

pub use load::{CONNECTIONS, creation, document, load, load_over};
pub use server::{Server, Tokenwright};
