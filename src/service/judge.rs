//! The judge of presented secrets, which every surface asks. It reads the database every time.

use std::net::IpAddr;

use super::{ProofBusy, Service};
use crate::db::DbError;
use crate::domain::id::ApiTokenId;
use crate::domain::secret::{PlaintextSecret, SecretTag};
use crate::domain::verdict::{InvalidTokenReason, TokenRefusal, Verdict};

/// Why there is no verdict. The request must then be refused.
#[derive(Debug, thiserror::Error)]
pub enum JudgeError {
    /// Too many secrets wait to be proven.
    #[error(transparent)]
    Busy(#[from] ProofBusy),
    /// The database did not answer.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl Service {
    /// Judges a presented secret: its form, the row, the tag, then deletion, expiry and disabling,
    /// then the hash, then the address. It does not note the use, and does not judge permissions.
    ///
    /// Every refusal of a well-formed secret takes the same steps: one row is read, one tag
    /// compared. bcrypt runs only for the holder of a usable token, except for a token without a
    /// tag.
    ///
    /// # Errors
    /// When no verdict is possible now.
    pub async fn judge(
        &self,
        presented: &str,
        client: Option<IpAddr>,
    ) -> Result<Verdict, JudgeError> {
        let secret = match PlaintextSecret::parse(presented) {
            Ok(secret) => secret,
            Err(how) => return Ok(invalid(InvalidTokenReason::Malformed(how), None)),
        };
        let (id, tag) = (secret.token_id(), SecretTag::of(&secret));
        let refused = |reason| Ok(invalid(reason, Some(id)));
        let credential = self.repository.credential(id).await?;
        let stored = credential.as_ref().and_then(|credential| credential.secret.tag.as_ref());
        let same = tag.is_same(stored);
        let Some(credential) = credential else {
            return refused(InvalidTokenReason::Unknown);
        };
        let tagged = credential.secret.tag.is_some();
        if tagged && !same {
            return refused(InvalidTokenReason::WrongSecret);
        }
        if let Some(reason) = credential.ended(self.clock.now()) {
            return refused(if tagged { reason } else { InvalidTokenReason::EndedUnproven });
        }
        if !self.proofs.prove(&secret, &tag, &credential.secret).await? {
            return refused(InvalidTokenReason::WrongSecret);
        }
        // Waiting for the proof may have taken time.
        Ok(credential.judge(self.clock.now(), client))
    }
}

const fn invalid(reason: InvalidTokenReason, claimed: Option<ApiTokenId>) -> Verdict {
    Verdict::Refused(TokenRefusal::Invalid { reason, claimed })
}
