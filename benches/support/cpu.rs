//! The CPU time of processes, read from `/proc`.

use std::path::Path;

/// Clock ticks are hundredths of a second on every Linux in use.
const MICROS_PER_TICK: f64 = 10_000.0;

/// The CPU time of a process so far, in microseconds, and of its children, living and ended.
pub fn micros(process: u32) -> f64 {
    let processes = std::fs::read_dir("/proc").unwrap();
    let stats = processes.filter_map(|entry| stat(&entry.unwrap().path().join("stat")));
    let parts = stats.filter_map(|stat| {
        let own = (stat.process == process).then_some(stat.own + stat.ended_children);
        own.or_else(|| (stat.parent == process).then_some(stat.own))
    });
    parts.sum()
}

/// The same of the PostgreSQL server that has its data in this folder: its first process is the
/// parent of all others.
pub fn of_postgres(data: &Path) -> f64 {
    let file = std::fs::read_to_string(data.join("postmaster.pid")).unwrap();
    micros(file.lines().next().unwrap().parse().unwrap())
}

struct Stat {
    process: u32,
    parent: u32,
    own: f64,
    ended_children: f64,
}

/// `None` where there is no such process, or no longer.
fn stat(path: &Path) -> Option<Stat> {
    let text = std::fs::read_to_string(path).ok()?;
    let process = text.split_whitespace().next()?.parse().ok()?;
    // After the name, which may hold anything, come the state and then the parent.
    let fields: Vec<&str> = text.rsplit(')').next()?.split_whitespace().collect();
    let micros = |fields: &[&str]| {
        fields.iter().map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() * MICROS_PER_TICK
    };
    Some(Stat {
        process,
        parent: fields[1].parse().ok()?,
        own: micros(&fields[11..13]),
        ended_children: micros(&fields[13..15]),
    })
}
