//! What the figures were taken on, and what is made of many.

use std::fs::read_to_string;

/// Prints the machine and how busy it is.
#[expect(clippy::print_stdout, reason = "it belongs to the table")]
pub fn print_machine() {
    let processors = read_to_string("/proc/cpuinfo").unwrap();
    let name = processors.lines().find_map(|line| line.strip_prefix("model name"));
    let name = name.map_or("unknown processor", |name| name.trim_start_matches([' ', '\t', ':']));
    let cores = std::thread::available_parallelism().unwrap();
    let load = read_to_string("/proc/loadavg").unwrap();
    let load: Vec<&str> = load.split(' ').take(3).collect();
    println!("{cores} cores, {name}; load before: {}", load.join(" "));
}

/// The one in the middle.
pub fn median(values: &[f64]) -> f64 {
    percentile(values, 50)
}

/// The value that so many of a hundred are not above.
pub fn percentile(values: &[f64], percent: usize) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values[(values.len() * percent / 100).min(values.len() - 1)]
}
