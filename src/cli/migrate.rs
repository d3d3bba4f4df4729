//! `tokenwright migrate`.

use super::CliError;
use super::output::report;
use crate::config::DatabaseArgs;
use crate::db::migrate;

pub(super) async fn run(args: DatabaseArgs) -> Result<(), CliError> {
    match migrate(&args.url()?).await? {
        0 => report("the database is up to date"),
        applied => report(&format!("applied {applied} migration(s)")),
    }
    Ok(())
}
