//! How much of the disk is free.

use std::path::Path;

use crate::db::DbError;

/// Bytes that are free on the disk of this file, for users other than root.
pub(super) fn free_space(path: &Path) -> Result<u64, DbError> {
    #[cfg(unix)]
    {
        let folder = path.parent().unwrap_or(path);
        let disk = rustix::fs::statvfs(folder).map_err(|error| {
            DbError::Unavailable(format!("cannot ask the disk of {}: {error}", folder.display()))
        })?;
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
    }
    #[cfg(not(unix))]
    {
        let _unknown = path;
        Ok(u64::MAX)
    }
}
