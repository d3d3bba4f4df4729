//! `tokenwright admin audit export`.

use std::fmt;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};

use super::target::{Target, Unwritten};
use crate::app;
use crate::cli::output::report;
use crate::cli::{CliError, service_config};
use crate::config::{DatabaseArgs, TokenArgs};
use crate::db::DbError;
use crate::domain::audit::{AuditEvent, Lines};
use crate::domain::clock::written;
use crate::domain::id::EventId;
use crate::service::{EXPORT_PAGE, ResumeError, Service};

/// How often a terminal shows how far it is.
const TICK: Duration = Duration::from_millis(200);

#[derive(Debug, Args)]
pub(in crate::cli) struct ExportArgs {
    /// Begin with the event after this one: the last one of an earlier export.
    #[arg(long, value_name = "ID", value_parser = clap::value_parser!(EventId))]
    after: Option<EventId>,

    /// How events are written.
    #[arg(long, value_enum, default_value_t = ExportFormat::Jsonl)]
    format: ExportFormat,

    /// The file that is made, which must not exist; `-` is standard output.
    #[arg(long, value_name = "FILE", default_value = "-")]
    output: PathBuf,

    #[command(flatten)]
    database: DatabaseArgs,

    #[command(flatten)]
    tokens: TokenArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ExportFormat {
    /// One JSON object per line.
    Jsonl,
}

/// Why an export is not complete.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// There is something under this name.
    #[error("{0} exists already; give the export a file of its own")]
    Exists(PathBuf),
    /// The file cannot be made.
    #[error("cannot write {path}: {1}", path = .0.display())]
    Unwritable(PathBuf, io::Error),
    /// It cannot begin after this event.
    #[error("cannot go on after it: {0}")]
    Resume(#[from] ResumeError),
    /// What was written cannot be written to the end.
    #[error("cannot write to {to}: {error}; {last}")]
    Write {
        /// The file, or standard output.
        to: String,
        /// The cause.
        error: io::Error,
        /// How to go on.
        last: Last,
    },
    /// The database does not answer any longer.
    #[error("{error}; {last}")]
    Db {
        /// The cause.
        error: DbError,
        /// How to go on.
        last: Last,
    },
    /// All was written, but the disk may not keep it.
    #[error("{path} may not be whole: {1}; remove it and export it again", path = .0.display())]
    NotKept(PathBuf, io::Error),
}

/// The last event that was written whole.
#[derive(Debug, Clone, Copy, Default)]
pub struct Last(Option<EventId>);

impl fmt::Display for Last {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("no event was written"),
            Some(id) => write!(
                f,
                "the last event that was written whole is {id}: go on with `--after {id}`"
            ),
        }
    }
}

pub(super) async fn run(args: ExportArgs) -> Result<(), CliError> {
    let ExportArgs { after, format: ExportFormat::Jsonl, output, database, tokens } = args;
    let service = app::service(service_config(&database, &tokens)?).await?;
    Ok(export(&service, after, &output).await?)
}

async fn export(
    service: &Service,
    after: Option<EventId>,
    output: &Path,
) -> Result<(), ExportError> {
    let mut place = None;
    if let Some(id) = after {
        place = service.place_of_event(id).await?;
        if place.is_none() {
            report(&format!(
                "the event {id} was removed, so this goes on with the oldest one that there is; \
                 others between them may have been removed, too"
            ));
        }
    }
    let mut target = Target::open(output).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => ExportError::Exists(output.to_owned()),
        _ => ExportError::Unwritable(output.to_owned(), error),
    })?;
    let (mut last, mut count, mut progress) = (Last::default(), 0, Progress::new());
    loop {
        let rows = service.export_audit_events(place.as_ref()).await;
        let rows = rows.map_err(|error| ExportError::Db { error, last })?;
        let lines = Lines::of(rows.iter().map(|row| &row.value));
        let failed = lines
            .map_or_else(|error| Some(Unwritten(0, error)), |lines| target.write(&lines).err());
        let whole = failed.as_ref().map_or(rows.len(), |Unwritten(whole, _)| *whole);
        if let Some(row) = rows.iter().take(whole).next_back() {
            last = Last(Some(row.value.id));
            count += whole;
            progress.show(count, &row.value);
        }
        if let Some(Unwritten(_, error)) = failed {
            progress.end();
            return Err(ExportError::Write { to: named(output), error, last });
        }
        if rows.len() < EXPORT_PAGE {
            break;
        }
        place = rows.into_iter().next_back().map(|row| row.position);
    }
    progress.end();
    target.keep().map_err(|error| ExportError::NotKept(output.to_owned(), error))?;
    report(&match last.0 {
        None => "there are no events to export".to_owned(),
        Some(id) => format!("exported {count} events; go on later with `--after {id}`"),
    });
    Ok(())
}

fn named(output: &Path) -> String {
    if output == Path::new("-") {
        return "standard output".to_owned();
    }
    output.display().to_string()
}

/// A line on a terminal that says how far it is.
struct Progress {
    shown: bool,
    last: Instant,
}

impl Progress {
    fn new() -> Self {
        Self { shown: io::stderr().is_terminal(), last: Instant::now() }
    }

    fn show(&mut self, count: usize, event: &AuditEvent) {
        if self.shown && self.last.elapsed() >= TICK {
            self.last = Instant::now();
            let line =
                format!("\r\x1b[Ktokenwright: {count} events, up to {}", written(event.date));
            let _nobody_listens = io::stderr().write_all(line.as_bytes());
        }
    }

    fn end(&self) {
        if self.shown {
            let _nobody_listens = io::stderr().write_all(b"\r\x1b[K");
        }
    }
}
