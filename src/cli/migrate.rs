//! `tokenwright migrate`.

use super::CliError;
use crate::config::DatabaseArgs;
use crate::db::migrate;

#[expect(clippy::print_stderr, reason = "said to the person who ran it")]
pub(super) async fn run(args: DatabaseArgs) -> Result<(), CliError> {
    match migrate(&args.url()?).await? {
        0 => eprintln!("tokenwright: the database is up to date"),
        applied => eprintln!("tokenwright: applied {applied} migration(s)"),
    }
    Ok(())
}
