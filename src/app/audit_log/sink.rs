//! Where the audit log goes: a file, or standard output.
//!
//! Writing happens on a thread of its own, which neither the server nor its end waits for: a reader
//! that does not read holds up nothing but the log.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use tokio::sync::oneshot;

use crate::db::{private_file, sync_folder};
use crate::domain::audit::Lines;

/// How much of the end of a file is looked at once for the end of its last whole line.
const PIECE: u64 = 64 * 1024;

/// An open audit log.
#[derive(Debug)]
pub struct AuditLogSink(Sender<Task>);

/// What the thread does, and whom it tells.
type Task = (Work, oneshot::Sender<io::Result<()>>);

enum Work {
    Write(Lines),
    Reopen,
}

impl AuditLogSink {
    /// Opens a file, which is made for its owner only; `-` is standard output.
    ///
    /// # Errors
    /// When it cannot be opened, or the thread not be started.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut target = Target::open(path)?;
        let (tasks, received): (_, Receiver<Task>) = channel();
        thread::Builder::new().name("audit-log".to_owned()).spawn(move || {
            while let Ok((work, done)) = received.recv() {
                let ended = match work {
                    Work::Write(lines) => target.write(lines.bytes()),
                    Work::Reopen => target.reopen(),
                };
                // Who has asked may have gone.
                let _nobody_waits = done.send(ended);
            }
        })?;
        Ok(Self(tasks))
    }

    /// Writes lines, and makes them durable if this is a file.
    ///
    /// # Errors
    /// When they may not all be written.
    pub(super) async fn write(&self, lines: Lines) -> io::Result<()> {
        self.have(Work::Write(lines)).await
    }

    /// Opens the file of this name again, as after the old one was renamed.
    ///
    /// # Errors
    /// When it cannot be opened. The next lines try it again.
    pub async fn reopen(&self) -> io::Result<()> {
        self.have(Work::Reopen).await
    }

    async fn have(&self, work: Work) -> io::Result<()> {
        let (done, ended) = oneshot::channel();
        let gone = || io::Error::other("the thread of the audit log has ended");
        self.0.send((work, done)).map_err(|_| gone())?;
        ended.await.map_err(|_| gone())?
    }
}

enum Target {
    /// Past the buffer of the standard library. After a failure, it may end within a line.
    Output { file: File, torn: bool },
    /// `None` after a failure.
    Named { path: PathBuf, file: Option<File> },
}

impl Target {
    fn open(path: &Path) -> io::Result<Self> {
        if path == Path::new("-") {
            let file = io::stdout().as_fd().try_clone_to_owned()?.into();
            return Ok(Self::Output { file, torn: false });
        }
        Ok(Self::Named { path: path.to_owned(), file: Some(open(path)?) })
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Output { file, torn } => {
                if *torn {
                    file.write_all(b"\n")?;
                }
                *torn = true;
                file.write_all(bytes)?;
                *torn = false;
                Ok(())
            }
            Self::Named { path, file } => {
                let mut open_file = match file.take().filter(|file| is_at(file, path)) {
                    Some(file) => file,
                    None => open(path)?,
                };
                let written = append(&mut open_file, bytes);
                if written.is_ok() {
                    *file = Some(open_file);
                }
                written
            }
        }
    }

    fn reopen(&mut self) -> io::Result<()> {
        if let Self::Named { path, file } = self {
            *file = None;
            *file = Some(open(path)?);
        }
        Ok(())
    }
}

/// Is it still the file of this name? It may have been renamed or removed.
fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), path.metadata()) {
        (Ok(open), Ok(there)) => (open.dev(), open.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

/// Opens a file to append to it. A line that is not whole is cut off: it is written again.
fn open(path: &Path) -> io::Result<File> {
    let mut file = private_file().append(true).create(true).open(path)?;
    if file.metadata()?.is_file() {
        cut_off_torn_line(&mut file)?;
        sync_folder(path)?;
    }
    Ok(file)
}

/// Appends whole lines; where that fails, none of them.
fn append(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    let before = file.metadata()?;
    let written = file.write_all(bytes);
    if !before.is_file() {
        return written;
    }
    written.and_then(|()| file.sync_data()).inspect_err(|_| {
        // Where that fails, too, opening it again cuts off what is not whole.
        let _as_it_is = file.set_len(before.len());
    })
}

fn cut_off_torn_line(file: &mut File) -> io::Result<()> {
    let length = file.metadata()?.len();
    let mut end = length;
    while end > 0 {
        let start = end.saturating_sub(PIECE);
        let mut piece = Vec::new();
        file.seek(SeekFrom::Start(start))?;
        Read::by_ref(file).take(end - start).read_to_end(&mut piece)?;
        if let Some(last) = piece.iter().rposition(|byte| *byte == b'\n') {
            end = start + u64::try_from(last).unwrap_or(0) + 1;
            break;
        }
        end = start;
    }
    if end < length { file.set_len(end) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_line_is_cut_off_and_whole_ones_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let long = "x".repeat(3 * usize::try_from(PIECE).unwrap());
        for (before, after) in [
            ("", ""),
            ("whole\n", "whole\n"),
            ("whole\ntorn", "whole\n"),
            ("torn", ""),
            (&format!("whole\n{long}"), "whole\n"),
            (&format!("{long}\n{long}"), &format!("{long}\n")),
            (&long, ""),
        ] {
            std::fs::write(&path, before).unwrap();
            let mut target = Target::open(&path).unwrap();
            target.write(b"next\n").unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{after}next\n"));
        }
    }

    #[test]
    fn a_file_that_was_renamed_or_removed_is_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let (path, old) = (folder.path().join("log"), folder.path().join("log.1"));
        let mut target = Target::open(&path).unwrap();
        target.write(b"1\n").unwrap();
        std::fs::rename(&path, &old).unwrap();
        target.write(b"2\n").unwrap();
        std::fs::remove_file(&path).unwrap();
        target.write(b"3\n").unwrap();
        assert_eq!(std::fs::read(&old).unwrap(), b"1\n");
        assert_eq!(std::fs::read(&path).unwrap(), b"3\n");
        std::fs::rename(&path, &old).unwrap();
        target.reopen().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"");
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
    }
}
