//! The file itself: its making, its names, and who may read it.

use std::path::{Path, PathBuf};

use crate::db::DbError;

/// Says of a refused access what may be at fault: SQLite names the file even where the folder is, in
/// which it keeps files beside the database.
pub(in crate::db) fn explained(path: &Path, error: DbError) -> DbError {
    match error {
        DbError::Unavailable(text)
            if text.contains("readonly database") || text.contains("unable to open") =>
        {
            let folder = path.parent().unwrap_or(path);
            DbError::Unavailable(format!(
                "{text}; both the file {} and its folder {} must be writable",
                path.display(),
                folder.display()
            ))
        }
        other => other,
    }
}

pub(super) fn missing(path: &Path) -> DbError {
    DbError::Unavailable(format!(
        "there is no file {}; `tokenwright migrate` makes it",
        path.display()
    ))
}

/// The one name of a file that may have several, through symbolic links.
pub(super) fn real_path(path: &Path) -> Result<PathBuf, DbError> {
    path.canonicalize().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => missing(path),
        _ => DbError::Unavailable(format!("cannot open {}: {error}", path.display())),
    })
}

/// Tells the operator when others may read the file: it holds hashes, names and addresses.
pub(super) fn warn_of_readers(path: &Path) {
    #[cfg(unix)]
    if let Ok(metadata) = path.metadata() {
        let mode = std::os::unix::fs::MetadataExt::mode(&metadata);
        if mode & 0o044 != 0 {
            tracing::warn!(
                "the database file {} can be read by others than its owner (mode {:o}); `chmod 600` \
                 ends that",
                path.display(),
                mode & 0o777
            );
        }
    }
}

/// Makes the file if it is missing, readable by its owner only. SQLite gives the same mode to the
/// files that it keeps beside it.
///
/// # Errors
/// When the folder is missing or may not be written to.
pub(in crate::db) fn create_file(path: &Path) -> Result<(), DbError> {
    match private_file().create_new(true).open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            let text = format!("cannot make the database file {}: {error}", path.display());
            Err(DbError::Unavailable(text))
        }
        _ => Ok(()),
    }
}

/// A file that is made for its owner only.
pub(super) fn private_file() -> std::fs::OpenOptions {
    let mut options = std::fs::OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_access_names_the_file_and_the_folder() {
        let path = Path::new("/data/t.db");
        let told = |text: &str| explained(path, DbError::Unavailable(text.into())).to_string();
        let readonly = told("attempt to write a readonly database");
        assert!(readonly.contains("file /data/t.db and its folder /data must"));
        assert!(!told("database is locked").contains("folder"));
    }
}
