//! The judge of presented secrets, which every surface asks. It reads the database every time.

use std::net::IpAddr;
use std::time::Instant;

use super::proof::Proof;
use super::{ProofBusy, Service};
use crate::db::DbError;
use crate::domain::id::ApiTokenId;
use crate::domain::secret::{PlaintextSecret, SecretHash, SecretTag};
use crate::domain::verdict::{InvalidTokenReason, TokenRefusal, Verdict};
use crate::repository::CredentialRead;

/// How often the row is read again because a proof had to be made. Only a stored hash that keeps
/// changing needs more than two.
const ATTEMPTS: usize = 5;

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

/// A verdict and what it is based on.
pub(super) struct Judgement {
    pub(super) verdict: Verdict,
    /// When the read of the row began.
    pub(super) read: Instant,
    /// The stored hash that the secret was proven against, as far as it came to that.
    pub(super) proven: Option<SecretHash>,
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
        match PlaintextSecret::parse(presented) {
            Ok(secret) => Ok(self.judge_secret(&secret, client, None).await?.verdict),
            Err(how) => Ok(invalid(InvalidTokenReason::Malformed(how), None)),
        }
    }

    /// Judges a well-formed secret. A hash that it was already proven against needs no other proof.
    ///
    /// A proof waits for its turn, so the row that it started from says nothing about the time
    /// after it: the row is read again.
    pub(super) async fn judge_secret(
        &self,
        secret: &PlaintextSecret,
        client: Option<IpAddr>,
        mut proven: Option<SecretHash>,
    ) -> Result<Judgement, JudgeError> {
        let (id, tag) = (secret.token_id(), SecretTag::of(secret));
        for _ in 0..ATTEMPTS {
            let start = Instant::now();
            let found = self.repository.credential(id).await?;
            let read = found.as_ref().map_or(start, |found| found.start);
            let judged = |verdict, proven| Ok(Judgement { verdict, read, proven });
            let refused = |reason| judged(invalid(reason, Some(id)), None);
            let stored = found.as_ref().and_then(|found| found.credential.secret.tag.as_ref());
            let same = tag.is_same(stored);
            let Some(CredentialRead { credential, now, .. }) = found else {
                return refused(InvalidTokenReason::Unknown);
            };
            let tagged = credential.secret.tag.is_some();
            if tagged && !same {
                return refused(InvalidTokenReason::WrongSecret);
            }
            if let Some(reason) = credential.ended(now) {
                if !tagged {
                    return refused(InvalidTokenReason::EndedUnproven);
                }
                self.note_ended_use(&credential.token, reason, client);
                return refused(reason);
            }
            let stored = &credential.secret;
            if proven.as_ref().is_some_and(|proven| proven.is_same(&stored.hash)) {
                return judged(credential.judge(now, client), proven);
            }
            match self.proofs.prove(secret, &tag, stored).await? {
                Proof::Remembered => {
                    proven = Some(stored.hash.clone());
                    return judged(credential.judge(now, client), proven);
                }
                Proof::Made(hash) => proven = Some(hash),
                Proof::Failed => return refused(InvalidTokenReason::WrongSecret),
            }
        }
        Err(ProofBusy.into())
    }
}

const fn invalid(reason: InvalidTokenReason, claimed: Option<ApiTokenId>) -> Verdict {
    Verdict::Refused(TokenRefusal::Invalid { reason, claimed })
}
