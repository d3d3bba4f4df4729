//! What the benchmarks share.

pub mod cpu;
mod load;
mod server;

pub use load::{creation, document, load};
pub use server::{Server, Tokenwright};
