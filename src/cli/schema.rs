//! `tokenwright schema`.

use super::CliError;
use crate::config::TokenArgs;
use crate::graphql::sdl;

#[expect(clippy::print_stdout, reason = "what the command is for")]
pub(super) fn run(args: &TokenArgs) -> Result<(), CliError> {
    print!("{}", sdl(&args.catalogue()?));
    Ok(())
}
