//! The reader that a thread which serves requests has for itself.
//!
//! A read of a few rows by an index takes less time than handing it to another thread and back
//! (measured: 12 us against 26). So it runs where it is asked for, on a connection that no other
//! thread uses. A read that finds the disk slow, or the file locked, is the business of the pool:
//! no thread that serves requests waits for either.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::data_version::data_version;
use super::lease::FileUse;
use super::link::{InPlace, SqliteLink};
use super::open::{LOCAL_READER, connect};
use crate::db::{DbError, Stamp};

/// A read that took longer than this waited for a disk.
const SLOW: Duration = Duration::from_millis(1);
/// How long a thread leaves its reads to the pool after a slow one, so that a bad disk costs it one
/// part in a hundred of its time.
const REST: Duration = Duration::from_millis(100);

/// The numbers of readers, which none has twice.
static NEXT: AtomicU32 = AtomicU32::new(0);

thread_local! {
    static READER: RefCell<Option<LocalReader>> = const { RefCell::new(None) };
}

/// The reader of this thread.
struct LocalReader {
    link: SqliteLink,
    shared: Arc<FileUse>,
    number: u32,
    rest_until: Option<Instant>,
}

/// Gives this thread a reader of its own, in place of one that it may have.
pub(super) fn open_reader_here(shared: &Arc<FileUse>) -> Result<(), DbError> {
    shared.file.check()?;
    let connection = connect(shared.file.path(), LOCAL_READER)?;
    shared.file.check()?;
    shared.local_readers.fetch_add(1, Ordering::Relaxed);
    let reader = LocalReader {
        link: SqliteLink::with_runtime(connection, InPlace),
        shared: Arc::clone(shared),
        number: NEXT.fetch_add(1, Ordering::Relaxed),
        rest_until: None,
    };
    READER.with_borrow_mut(|here| *here = Some(reader));
    Ok(())
}

/// Reads with the reader of this thread. `None`: there is none for this file, it rests, or the read
/// failed. The pool then reads, and what it says counts.
pub(super) fn read_here<T>(
    shared: &Arc<FileUse>,
    read: impl FnOnce(&mut SqliteLink) -> Result<T, DbError>,
) -> Option<T> {
    READER.with_borrow_mut(|here| {
        let here = here.as_mut().filter(|here| Arc::ptr_eq(&here.shared, shared))?;
        here.read(read)
    })
}

/// What the reader of this thread is at; `None` as for [`read_here`].
pub(super) fn stamp_here(shared: &Arc<FileUse>) -> Option<Stamp> {
    READER.with_borrow_mut(|here| {
        let here = here.as_mut().filter(|here| Arc::ptr_eq(&here.shared, shared))?;
        let reader = here.number;
        here.read(data_version).map(|version| Stamp { reader, version })
    })
}

impl LocalReader {
    fn read<T>(&mut self, read: impl FnOnce(&mut SqliteLink) -> Result<T, DbError>) -> Option<T> {
        let start = Instant::now();
        if self.rest_until.is_some_and(|end| start < end) {
            return None;
        }
        let answer = self.shared.file.check().and_then(|_| read(&mut self.link));
        let end = Instant::now();
        self.rest_until = (end - start > SLOW).then(|| end + REST);
        answer.ok()
    }
}

impl Drop for LocalReader {
    fn drop(&mut self) {
        self.shared.local_readers.fetch_sub(1, Ordering::Release);
    }
}
