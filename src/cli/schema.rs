//! `tokenwright schema`.

use super::CliError;
use super::output::print;
use crate::config::TokenArgs;
use crate::graphql::sdl;

pub(super) fn run(args: &TokenArgs) -> Result<(), CliError> {
    print(&sdl(&args.catalogue()?)).map_err(CliError::Output)
}
