//! The embedded database: one writer and a pool of readers on one file.

mod file;
mod keeper;
mod lease;
mod link;
mod open;
mod pools;
mod search_limit;
mod served_file;
mod server_lock;

pub(super) use file::{create_file, explained};
pub(crate) use link::begin_immediate;
pub(super) use open::{open_reader, open_writer};
pub(crate) use pools::SqlitePools;
pub(super) use server_lock::Turn;
pub use server_lock::{ServerLock, ServerLockError};
