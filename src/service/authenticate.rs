//! Judging the secret that a request carries. The database is asked every time.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use super::{ProofBusy, Service};
use crate::db::DbError;
use crate::domain::api_token::{ApiTokenStatus, Credential};
use crate::domain::clock::Instant;
use crate::domain::principal::Principal;
use crate::domain::secret::{MalformedSecret, PlaintextSecret, SecretTag};

/// Why a request is not let in.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticateError {
    /// One answer for all reasons; the reason is for the log.
    #[error("the token is not valid ({0})")]
    InvalidToken(InvalidTokenReason),
    #[error("the token is not allowed from this address")]
    AddressNotAllowed,
    #[error(transparent)]
    Busy(#[from] ProofBusy),
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Why a token is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvalidTokenReason {
    Malformed(MalformedSecret),
    Unknown,
    WrongSecret,
    Deleted,
    Expired,
    Disabled,
    /// Deleted, expired or disabled, and without the tag that would tell whether the secret is its own.
    EndedUnproven,
}

impl fmt::Display for InvalidTokenReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(how) => write!(f, "malformed: {how}"),
            Self::Unknown => f.write_str("unknown"),
            Self::WrongSecret => f.write_str("wrong secret"),
            Self::Deleted => f.write_str("deleted"),
            Self::Expired => f.write_str("expired"),
            Self::Disabled => f.write_str("disabled"),
            Self::EndedUnproven => f.write_str("ended; the secret was not compared"),
        }
    }
}

impl Service {
    /// Judges a presented secret: its form, the row, the tag, then deletion, expiry and disabling, then
    /// the hash, then the address. Permissions are judged by what the request wants.
    ///
    /// Every refusal of a well-formed secret takes the same steps: one row is read, one tag compared.
    /// bcrypt runs for nobody but the holder of a token that can be used; the exception is a token that
    /// has no tag yet.
    ///
    /// # Errors
    /// When the request must not pass.
    pub async fn authenticate(
        &self,
        presented: &str,
        client: Option<IpAddr>,
    ) -> Result<Principal, AuthenticateError> {
        let refuse = |reason| Err(AuthenticateError::InvalidToken(reason));
        let secret = match PlaintextSecret::parse(presented) {
            Ok(secret) => secret,
            Err(how) => return refuse(InvalidTokenReason::Malformed(how)),
        };
        let tag = SecretTag::of(&secret);
        let credential = self.repository.credential(secret.token_id()).await?;
        let stored = credential.as_ref().and_then(|credential| credential.secret.tag.as_ref());
        let same = tag.is_same(stored);
        let Some(credential) = credential else {
            return refuse(InvalidTokenReason::Unknown);
        };
        let tagged = credential.secret.tag.is_some();
        if tagged && !same {
            return refuse(InvalidTokenReason::WrongSecret);
        }
        if let Some(reason) = refusal(&credential, self.clock.now()) {
            return refuse(if tagged { reason } else { InvalidTokenReason::EndedUnproven });
        }
        if !self.proofs.prove(&secret, &tag, &credential.secret).await? {
            return refuse(InvalidTokenReason::WrongSecret);
        }
        // The proof may have waited.
        let now = self.clock.now();
        if let Some(reason) = refusal(&credential, now) {
            return refuse(reason);
        }
        if !credential.token.allowed_addresses.admits(client) {
            return Err(AuthenticateError::AddressNotAllowed);
        }
        self.last_uses.note(credential.token.id, now, client);
        Ok(Principal::ApiToken(Arc::new(credential.token)))
    }
}

/// Why a token cannot be used now, whoever presents its secret.
fn refusal(credential: &Credential, now: Instant) -> Option<InvalidTokenReason> {
    if credential.deleted {
        return Some(InvalidTokenReason::Deleted);
    }
    match credential.token.status(now) {
        ApiTokenStatus::Expired => Some(InvalidTokenReason::Expired),
        ApiTokenStatus::Disabled => Some(InvalidTokenReason::Disabled),
        ApiTokenStatus::Active if !credential.user.enabled => Some(InvalidTokenReason::Disabled),
        ApiTokenStatus::Active => None,
    }
}
