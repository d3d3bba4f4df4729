//! `tokenwright config check`.

use clap::Args;

use crate::cli::CliError;
use crate::cli::output::{print, report};
use crate::cli::serve::ServeArgs;
use crate::config::{Inspected, Inspection, Source};
use crate::db::{MigrationState, migration_state};
use crate::domain::clock::{Clock, SystemClock, written};
use crate::surface::read_validity;

#[derive(Debug, Args)]
pub(in crate::cli) struct CheckArgs {
    /// Also try whether the database answers, and whether certificate and key can be used.
    #[arg(long)]
    connect: bool,

    #[command(flatten)]
    serve: ServeArgs,
}

pub(super) async fn run(
    args: CheckArgs,
    inspection: Option<Inspection>,
    warnings: Vec<String>,
) -> Result<(), CliError> {
    let Inspection { settings, mut faults } = inspection.unwrap_or_default();
    print(&table(&settings)).map_err(CliError::Output)?;
    for warning in warnings.into_iter().chain(args.serve.server.warnings()) {
        report(&format!("warning: {warning}"));
    }
    let server = &args.serve.server;
    faults.extend(server.database.url().err().map(|error| error.to_string()));
    faults.extend(server.tokens.catalogue().err().map(|error| error.to_string()));
    for fault in &faults {
        report(fault);
    }
    let unusable = if args.connect { try_out(&args.serve).await } else { 0 };
    match (faults.len(), unusable) {
        (0, 0) => {
            report("the settings are valid");
            Ok(())
        }
        (0, unusable) => Err(CliError::NotUsable(unusable)),
        (faults, _) => Err(CliError::Faults(faults)),
    }
}

/// Each setting in a line: name, value, source.
fn table(settings: &[Inspected]) -> String {
    let name = settings.iter().map(|setting| setting.name.len()).max().unwrap_or(0);
    let value = |setting: &Inspected| setting.value.clone().unwrap_or_else(|| "-".to_owned());
    // A long value moves its own source only.
    let width = settings.iter().map(|setting| value(setting).chars().count());
    let width = width.filter(|width| *width <= 40).max().unwrap_or(0);
    let lines = settings.iter().map(|setting| {
        let source = match &setting.source {
            None => "default".to_owned(),
            Some(Source::Flag(name)) => format!("flag --{name}"),
            Some(Source::Variable(name)) => format!("variable {name}"),
            Some(Source::Key(path, _)) => format!("file {}", path.display()),
        };
        format!("{:name$}  {:width$}  {source}\n", setting.name, value(setting))
    });
    lines.collect()
}

/// Tries what the settings name. Returns how much of it cannot be used.
async fn try_out(args: &ServeArgs) -> usize {
    let mut unusable = 0;
    let mut tried = |fault: Result<String, String>| match fault {
        Ok(good) => report(&good),
        Err(fault) => {
            unusable += 1;
            report(&fault);
        }
    };
    if let Ok(url) = args.server.database.url() {
        tried(match migration_state(&url).await {
            Ok(MigrationState::Current) => Ok(format!("{url} answers and is up to date")),
            Ok(MigrationState::Behind(missing)) if args.migrate => {
                Ok(format!("{url} answers; {missing} migration(s) will be applied"))
            }
            Ok(MigrationState::Behind(missing)) => Err(format!(
                "{url} is not migrated ({missing} to apply); run `tokenwright migrate`"
            )),
            Ok(MigrationState::Newer(versions)) => {
                Err(format!("{url} was migrated by a newer version: {}", versions.join(", ")))
            }
            Err(error) => Err(format!("{url}: {error}")),
        });
    }
    if let Some(files) = args.server.tls.files() {
        let now = SystemClock.now();
        tried(match read_validity(&files) {
            Ok((_, until)) if now > until => Err(format!(
                "the certificate {} (`tls-certificate`) has expired on {}",
                files.certificate.display(),
                written(until)
            )),
            Ok((from, _)) if now < from => Err(format!(
                "the certificate {} (`tls-certificate`) is not valid before {}",
                files.certificate.display(),
                written(from)
            )),
            Ok((_, until)) => Ok(format!(
                "the certificate {} belongs to its key and is valid until {}",
                files.certificate.display(),
                written(until)
            )),
            Err(error) => Err(error.to_string()),
        });
    }
    unusable
}
