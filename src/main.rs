//! Reads the command line, starts the log and the traces, runs one command.

use std::process::ExitCode;
use std::time::Duration;

use tokenwright::cli::{Cli, CliError, report};
use tokenwright::telemetry;
use tokio::runtime::Builder;

/// Building answers mostly allocates; this allocator needs a fifth less time for it than glibc's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Longest wait for threads that are still busy when the command has ended: with a migration that a
/// signal stopped, or with a name that no resolver answers.
const BUSY: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error.to_string());
            ExitCode::from(error.exit_code())
        }
    }
}

fn run() -> Result<(), CliError> {
    let cli = Cli::read(std::env::args_os().collect(), std::env::vars_os().collect())?;
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    let (log, traces) = telemetry::start(&cli.log, cli.traces(), runtime.handle())?;
    let ended = runtime.block_on(cli.run());
    drop(traces);
    runtime.shutdown_timeout(BUSY);
    drop(log);
    ended
}
