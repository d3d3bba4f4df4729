//! What a process uses, as Linux reports it.

use std::time::Duration;

/// The CPU time of a process so far: that of its threads which live.
pub fn cpu_time(process: u32) -> Duration {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).unwrap();
    // A thread may have ended.
    let texts = threads.filter_map(|thread| {
        std::fs::read_to_string(thread.unwrap().path().join("schedstat")).ok()
    });
    let nanos = texts.map(|text| text.split(' ').next().unwrap().parse::<u64>().unwrap());
    Duration::from_nanos(nanos.sum())
}

/// The memory that a process holds, in MiB, without the pages of its program: the kernel takes
/// those back before it ends a process, and there are far fewer of them in a release.
pub fn resident_mib(process: u32) -> u64 {
    memory_mib(process, "VmRSS:").saturating_sub(memory_mib(process, "RssFile:"))
}

/// The most memory that a process has ever held, in MiB, counted in the same way.
pub fn peak_mib(process: u32) -> u64 {
    memory_mib(process, "VmHWM:").saturating_sub(memory_mib(process, "RssFile:"))
}

fn memory_mib(process: u32, field: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(field)).unwrap();
    line.trim().split(' ').next().unwrap().parse::<u64>().unwrap() / 1024
}
