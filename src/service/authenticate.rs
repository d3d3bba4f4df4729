//! Authenticating a request: what follows from the verdict of the judge.

use std::net::IpAddr;

use super::{JudgeError, Service};
use crate::domain::principal::Principal;
use crate::domain::verdict::{TokenRefusal, Verdict};

/// Why a request is not authenticated.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticateError {
    /// The judge refused the token.
    #[error(transparent)]
    Refused(#[from] TokenRefusal),
    /// There is no verdict.
    #[error(transparent)]
    Unavailable(#[from] JudgeError),
}

impl Service {
    /// The principal of a request with this secret. Its use is noted.
    ///
    /// # Errors
    /// When the request must not pass.
    pub async fn authenticate(
        &self,
        presented: &str,
        client: Option<IpAddr>,
    ) -> Result<Principal, AuthenticateError> {
        match self.judge(presented, client).await? {
            Verdict::Refused(refusal) => Err(refusal.into()),
            Verdict::Valid(token) => {
                self.last_uses.note(token.id, self.clock.now(), client);
                Ok(Principal::ApiToken(token))
            }
        }
    }
}
