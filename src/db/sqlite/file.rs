//! The database file: how it is made, its name, and who may read it.

use std::path::{Path, PathBuf};

use crate::db::DbError;

/// Explains a refused access: SQLite names the file even if the cause is the folder, where it keeps
/// files next to the database.
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

/// Warns the operator if other users can read the file, which holds hashes, names and addresses, or
/// change it. A user who can write in its folder can replace it, or put a journal next to it that
/// SQLite applies; a sticky bit does not prevent the journal.
pub(super) fn warn_of_others(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;

        let mode = |path: &Path| path.metadata().map_or(0, |metadata| metadata.mode() & 0o777);
        let of_file = mode(path);
        if of_file & 0o066 != 0 {
            let done = if of_file & 0o022 == 0 { "read" } else { "changed" };
            tracing::warn!(
                "the database file {} can be {done} by others than its owner (mode {of_file:o}); \
                 `chmod 600` ends that",
                path.display()
            );
        }
        let real = path.canonicalize();
        let folder = real.as_deref().ok().and_then(Path::parent);
        if let Some(folder) = folder.filter(|folder| mode(folder) & 0o002 != 0) {
            tracing::warn!(
                "everybody on this machine can write in the folder {} of the database file; \
                 `chmod o-w` ends that",
                folder.display()
            );
        }
    }
}

/// Makes the file if it is missing, readable by its owner only. SQLite gives the same mode to the
/// files that it keeps next to it.
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
pub(crate) fn private_file() -> std::fs::OpenOptions {
    let mut options = std::fs::OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes the names in the folder of a file durable.
pub(crate) fn sync_folder(file: &Path) -> std::io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    std::fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_access_names_the_file_and_the_folder() {
        let path = Path::new("/data/t.db");
        let explanation =
            |text: &str| explained(path, DbError::Unavailable(text.into())).to_string();
        let readonly = explanation("attempt to write a readonly database");
        assert!(readonly.contains("file /data/t.db and its folder /data must"));
        assert!(!explanation("database is locked").contains("folder"));
    }
}
