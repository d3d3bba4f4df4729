//! Where an export goes: a file of its own, or standard output.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use crate::db::{private_file, sync_folder};
use crate::domain::audit::Lines;

/// An open file, or standard output past the buffer that the standard library has for it.
pub(super) struct Target {
    file: File,
    /// Of a file that was made for this.
    path: Option<PathBuf>,
    /// The bytes of all lines that were written whole.
    whole: u64,
}

/// Lines were not written: how many of them were written whole, and the cause.
#[derive(Debug)]
pub(super) struct Unwritten(pub(super) usize, pub(super) io::Error);

impl Target {
    /// Makes the file, for its owner only; `-` is standard output.
    ///
    /// # Errors
    /// When there is such a file already, or it cannot be made.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        if path == Path::new("-") {
            let output = io::stdout().as_fd().try_clone_to_owned()?;
            return Ok(Self { file: output.into(), path: None, whole: 0 });
        }
        let file = private_file().create_new(true).open(path)?;
        Ok(Self { file, path: Some(path.to_owned()), whole: 0 })
    }

    /// Writes lines. Where it fails, what a file has of a further line is taken back.
    pub(super) fn write(&mut self, lines: &Lines) -> Result<(), Unwritten> {
        let mut written = 0;
        let failed = loop {
            let left = lines.bytes().get(written..).unwrap_or_default();
            if left.is_empty() {
                break None;
            }
            match self.file.write(left) {
                Ok(0) => break Some(ErrorKind::WriteZero.into()),
                Ok(more) => written += more,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => break Some(error),
            }
        };
        let (count, length) = lines.whole_in(written);
        self.whole += u64::try_from(length).unwrap_or(u64::MAX);
        let Some(error) = failed else { return Ok(()) };
        if self.path.is_some() {
            // Where that fails, too, the file ends with a part of a line.
            let _as_it_is = self.file.set_len(self.whole);
        }
        Err(Unwritten(count, error))
    }

    /// Makes a file durable, with its name.
    ///
    /// # Errors
    /// When the disk does not keep it.
    pub(super) fn keep(&self) -> io::Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        self.file.sync_all()?;
        sync_folder(path)
    }
}
