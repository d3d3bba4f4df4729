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
use super::disk_reads::reads_from_disks;
use super::lease::FileUse;
use super::link::{InPlace, SqliteLink};
use super::open::{LOCAL_READER, connect};
use super::search_limit::SearchLimit;
use crate::db::{DbError, Stamp};

/// A read that took longer than this may have waited for a disk.
const SLOW: Duration = Duration::from_millis(1);
/// One that took longer than this waited for something, and not for a processor alone.
const TOO_SLOW: Duration = Duration::from_millis(50);
/// Longest time of a short search, before a searcher begins it again.
const SEARCH: Duration = Duration::from_millis(2);
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
    limit: SearchLimit,
    shared: Arc<FileUse>,
    number: u32,
    /// What this thread had read from disks after its last slow read.
    from_disks: Option<i64>,
    rest_until: Option<Instant>,
}

/// Gives this thread a reader of its own, in place of one that it may have.
pub(super) fn open_reader_here(shared: &Arc<FileUse>) -> Result<(), DbError> {
    shared.file.check()?;
    let connection = connect(shared.file.path(), LOCAL_READER)?;
    shared.file.check()?;
    shared.local_readers.fetch_add(1, Ordering::Relaxed);
    let limit = SearchLimit::on(&connection, 1)?;
    let reader = LocalReader {
        limit,
        link: SqliteLink::with_runtime(connection, InPlace),
        shared: Arc::clone(shared),
        number: NEXT.fetch_add(1, Ordering::Relaxed),
        from_disks: reads_from_disks(),
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

/// Searches with the reader of this thread, which gives up where that takes long. `None` as for
/// [`read_here`], and then, too.
pub(super) fn search_here<T>(
    shared: &Arc<FileUse>,
    search: impl FnOnce(&mut SqliteLink) -> Result<T, DbError>,
) -> Option<T> {
    READER.with_borrow_mut(|here| {
        let here = here.as_mut().filter(|here| Arc::ptr_eq(&here.shared, shared))?;
        here.limit.begin(SEARCH);
        here.read(search)
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
        self.rest_until = self.has_waited(end - start).then(|| end + REST);
        answer.ok()
    }

    /// Was the disk waited for? On a busy machine most slow reads are of a thread that another one
    /// took the processor from: to leave the reads to the pool then would make all of it slower.
    fn has_waited(&mut self, took: Duration) -> bool {
        if took <= SLOW {
            return false;
        }
        let before = std::mem::replace(&mut self.from_disks, reads_from_disks());
        took > TOO_SLOW || self.from_disks.is_none() || self.from_disks != before
    }
}

impl Drop for LocalReader {
    fn drop(&mut self) {
        self.shared.local_readers.fetch_sub(1, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use diesel::connection::SimpleConnection;
    use diesel::{RunQueryDsl, sql_query};
    use tokio::sync::Notify;

    use super::super::open::WRITER;
    use super::super::served_file::ServedFile;
    use super::*;
    use crate::db::in_place;

    /// Ends with the time of a search, if at all.
    const ENDLESS: &str = "WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s) \
                           SELECT n FROM s WHERE search_goes_on() AND n < 0";

    /// How long reads rest from now on.
    fn rest(change: impl FnOnce(&mut Option<Instant>)) {
        READER.with_borrow_mut(|here| change(&mut here.as_mut().unwrap().rest_until));
    }

    #[test]
    fn after_a_read_that_waited_the_pool_reads_for_a_while() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        std::fs::write(&path, "").unwrap();
        let mut writer = connect(&path, WRITER).unwrap();
        writer.batch_execute("CREATE TABLE t (a)").unwrap();
        let shared = Arc::new(FileUse {
            file: Arc::new(ServedFile::open(&path).unwrap()),
            long_log: Notify::new(),
            search_time: Duration::ZERO,
            local_readers: AtomicUsize::new(0),
        });
        let reads = |wait: Duration| {
            let read = |_: &mut SqliteLink| {
                std::thread::sleep(wait);
                Ok(7)
            };
            read_here(&shared, read)
        };
        assert_eq!(reads(Duration::ZERO), None, "this thread has no reader");
        open_reader_here(&shared).unwrap();
        assert_eq!(reads(Duration::ZERO), Some(7));
        // What was waited for counts, too.
        assert_eq!(reads(TOO_SLOW + SLOW), Some(7));
        rest(|until| *until = until.map(|end| end + Duration::from_secs(3600)));
        assert_eq!(reads(Duration::ZERO), None);
        assert!(stamp_here(&shared).is_none());
        rest(|until| *until = Some(Instant::now()));
        assert_eq!(reads(Duration::ZERO), Some(7));
        assert!(stamp_here(&shared).is_some());
        let search = |text: &str| {
            search_here(&shared, |link| {
                let text = text.to_owned();
                let run = link.spawn_blocking(move |one| sql_query(text).execute(one));
                in_place(async { Ok(run.await?) })
            })
        };
        assert!(search(ENDLESS).is_none());
        assert!(search("SELECT 1 WHERE search_goes_on()").is_some());
    }
}
