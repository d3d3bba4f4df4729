//! What a thread has read from disks.

/// How often this thread has had data read from disks so far, as Linux counts it (`getrusage(2)`,
/// `ru_inblock`). What was found in memory is not counted. `None` where nobody counts.
#[cfg(target_os = "linux")]
pub(super) fn reads_from_disks() -> Option<i64> {
    use nix::sys::resource::{UsageWho, getrusage};

    getrusage(UsageWho::RUSAGE_THREAD).map(|usage| usage.block_reads()).ok()
}

#[cfg(not(target_os = "linux"))]
pub(super) const fn reads_from_disks() -> Option<i64> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_memory_is_not_counted() {
        assert!(reads_from_disks().is_some());
        let written = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(written.path(), [7; 100_000]).unwrap();
        // The program's own pages come from a disk, too, so one reading of many must be still.
        let is_still = (0..20).any(|_| {
            let before = reads_from_disks();
            let read = std::fs::read(written.path()).unwrap();
            read.len() == 100_000 && reads_from_disks() == before
        });
        assert!(is_still);
    }
}
