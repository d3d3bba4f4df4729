//! The figures as a table.

use super::figures::Figure;
use super::operation::Operation;

/// What a request may cost at most of what it is compared with.
const BOUND: f64 = 1.5;

/// Prints a line for each operation: its CPU time and its waiting time over each size, the ratio of
/// the CPU time over the most tokens to that over the fewest, and the ratio to the operation that
/// it should not exceed.
pub fn print(database: &str, sizes: &[usize], operations: &[Operation], all: &[Vec<Figure>]) {
    println!("\n{database}: microseconds of CPU a request (and of waiting, of several at once)");
    print!("{:<48}", "");
    sizes.iter().for_each(|size| print!(" {size:>17}"));
    println!("   most/fewest    to the first page");
    for (operation, figures) in operations.iter().zip(all) {
        print!("{:<48}", operation.name);
        for figure in figures {
            print!(" {:>8.0} ({:>6.0})", figure.cpu(), figure.wall());
        }
        let most = &figures[figures.len() - 1];
        print!("   {:<11}", ratio(most.cpu() / figures[0].cpu(), operation.is_slow));
        if let Some(base) = &operation.compared_with {
            let base = operations.iter().position(|other| other.name == *base).unwrap();
            let base = all[base].last().unwrap();
            print!("    {}", ratio(most.cpu() / base.cpu(), false));
        }
        println!();
    }
}

fn ratio(ratio: f64, is_slow: bool) -> String {
    let mark = if ratio > BOUND && !is_slow { " OVER" } else { "" };
    format!("{ratio:.2}{mark}")
}
