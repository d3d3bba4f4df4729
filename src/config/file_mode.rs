//! Who may read a file that holds a password.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The warning for a file that everybody on this machine may read.
pub(super) fn warning(path: &Path) -> Option<String> {
    let mode = path.metadata().ok()?.mode() & 0o777;
    (mode & 0o004 != 0).then(|| {
        format!(
            "the settings file {} holds a password and can be read by everybody on this machine \
             (mode {mode:o}); `chmod o-r` ends that",
            path.display()
        )
    })
}
