//! The embedded database: one writer and a pool of readers on one file.

mod backup;
mod change;
mod changes;
mod data_version;
mod disk_reads;
mod file;
mod free_space;
mod keeper;
mod lease;
mod link;
mod local;
mod log;
mod manager;
mod open;
mod pools;
mod restore;
mod search_limit;
mod served_file;
mod server_lock;

use std::path::Path;
use std::sync::Arc;

use tokio::runtime::Handle;

use super::{DbError, PoolSettings};
use crate::metrics::Metrics;

pub use backup::{Backup, BackupError};
pub(super) use file::{create_file, explained};
pub(crate) use file::{private_file, sync_folder};
pub(super) use lease::SqliteLease;
pub(crate) use link::SqliteLink;
pub(super) use open::{open_reader, open_writer};
pub(crate) use pools::SqlitePools;
pub use restore::{Restoration, RestoreError};
pub(super) use server_lock::Turn;
pub use server_lock::{ServerLock, ServerLockError};

/// Opens the connections to a file, and maintains the file until they are closed.
pub(super) fn open_pools(
    path: &Path,
    settings: PoolSettings,
    runtime: &Handle,
    metrics: &Arc<Metrics>,
) -> Result<SqlitePools, DbError> {
    let pools = SqlitePools::open(path, settings, runtime, metrics)?;
    runtime.spawn(keeper::keep(pools.downgrade()));
    Ok(pools)
}
