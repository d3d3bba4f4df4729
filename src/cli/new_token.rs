//! A token that a command creates and shows. If its secret cannot be shown, the token is deleted
//! again.

use super::CliError;
use super::output::{ensure_kept, print};
use crate::domain::api_token::ApiToken;
use crate::domain::principal::{Origin, Principal};
use crate::service::{CreateApiToken, CreatedApiToken, DeleteApiToken, Service};

/// Creates a token as the operator, and prints what `text` makes of it to standard output.
///
/// # Errors
/// When it cannot be created, or its secret cannot be written. No token is left, unless the error
/// says so.
pub(super) async fn make_and_print(
    service: &Service,
    wanted: CreateApiToken,
    text: impl FnOnce(&CreatedApiToken) -> String,
) -> Result<ApiToken, CliError> {
    ensure_kept().map_err(CliError::NoOutput)?;
    let (operator, origin) = (Principal::Operator, Origin::default());
    let created = service.create_api_token(&operator, &origin, wanted).await?;
    let Err(error) = print(&text(&created)) else {
        return Ok(created.token);
    };
    let wanted = DeleteApiToken { id: created.token.id, version: None, descendants: false };
    match service.delete_api_token(&operator, &origin, wanted).await {
        Ok(deleted) => Err(CliError::SecretLost(deleted.id, error)),
        Err(remains) => Err(CliError::LostTokenRemains(created.token.id, error, remains)),
    }
}
