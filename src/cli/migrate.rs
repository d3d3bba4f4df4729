//! `tokenwright migrate`.

use super::CliError;
use super::output::tell;
use crate::config::DatabaseArgs;
use crate::db::migrate;

pub(super) async fn run(args: DatabaseArgs) -> Result<(), CliError> {
    match migrate(&args.url()?).await? {
        0 => tell("the database is up to date"),
        applied => tell(&format!("applied {applied} migration(s)")),
    }
    Ok(())
}
