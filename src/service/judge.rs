//! The judge of presented secrets, which every surface asks. It reads the database every time.

use std::net::IpAddr;
use std::time::Instant;

use futures_util::future::try_join_all;
use tracing::Instrument;

use super::proof::Proof;
use super::{ProofBusy, Service};
use crate::db::DbError;
use crate::domain::id::ApiTokenId;
use crate::domain::secret::{PlaintextSecret, SecretHash, SecretTag};
use crate::domain::verdict::{InvalidTokenReason, TokenRefusal, Verdict};
use crate::metrics::Retry;
use crate::repository::CredentialRead;
use crate::trace;

/// How often the row is read again because a proof was waited for. Only a stored hash that keeps
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

/// A well-formed secret that is being judged.
struct Case<'a> {
    secret: &'a PlaintextSecret,
    tag: SecretTag,
    client: Option<IpAddr>,
    /// The stored hash that the secret was last proven against.
    proven: Option<SecretHash>,
}

impl<'a> Case<'a> {
    fn new(
        secret: &'a PlaintextSecret,
        client: Option<IpAddr>,
        proven: Option<SecretHash>,
    ) -> Self {
        Self { secret, tag: SecretTag::of(secret), client, proven }
    }
}

impl Service {
    /// Judges a presented secret: its form, the row, the tag, then deletion, expiry and disabling,
    /// then the proof, then the address. It does not note the use, and does not judge permissions.
    ///
    /// Every refusal of a well-formed secret takes the same steps: one row is read, one tag
    /// compared. bcrypt is waited for only where a token has no tag.
    ///
    /// # Errors
    /// When no verdict is possible now.
    pub async fn judge(
        &self,
        presented: &str,
        client: Option<IpAddr>,
    ) -> Result<Verdict, JudgeError> {
        match self.well_formed(presented, client) {
            Ok(secret) => Ok(self.judge_secret(&secret, client, None).await?.verdict),
            Err(refusal) => Ok(Verdict::Refused(refusal)),
        }
    }

    /// Judges many secrets, each for a client of its own, in the same way. The rows are read
    /// together. A single one is judged as on every other surface.
    ///
    /// # Errors
    /// When no verdict is possible now on one of them.
    pub(super) async fn judge_all(
        &self,
        presented: &[(&str, Option<IpAddr>)],
    ) -> Result<Vec<Verdict>, JudgeError> {
        match presented {
            [(text, client)] => Ok(vec![self.judge(text, *client).await?]),
            _ => self.judge_each(presented).instrument(trace::judging()).await,
        }
    }

    async fn judge_each(
        &self,
        presented: &[(&str, Option<IpAddr>)],
    ) -> Result<Vec<Verdict>, JudgeError> {
        let parsed = presented.iter().map(|(text, client)| self.well_formed(text, *client));
        let parsed: Vec<Result<PlaintextSecret, TokenRefusal>> = parsed.collect();
        let mut verdicts: Vec<Option<Verdict>> = parsed
            .iter()
            .map(|parsed| parsed.as_ref().err().map(|refusal| Verdict::Refused(*refusal)))
            .collect();
        let secrets = parsed.iter().zip(presented).enumerate();
        let mut cases: Vec<(usize, Case<'_>)> = secrets
            .filter_map(|(place, (parsed, (_, client)))| {
                Some((place, Case::new(parsed.as_ref().ok()?, *client, None)))
            })
            .collect();
        for _ in 0..ATTEMPTS {
            if cases.is_empty() {
                break;
            }
            let wanted: Vec<(ApiTokenId, &SecretTag)> =
                cases.iter().map(|(_, case)| (case.secret.token_id(), &case.tag)).collect();
            let start = Instant::now();
            let found = self.repository.credentials(&wanted).await?;
            let weighed = cases.iter_mut().map(|(_, case)| {
                let found = found.get(&case.secret.token_id()).cloned();
                self.weigh(case, found, start)
            });
            let weighed = try_join_all(weighed).await?;
            for ((place, _), judgement) in cases.iter().zip(&weighed) {
                let verdict = judgement.as_ref().map(|judgement| judgement.verdict.clone());
                if let (Some(slot), Some(verdict)) = (verdicts.get_mut(*place), verdict) {
                    *slot = Some(verdict);
                }
            }
            let mut open = weighed.iter().map(Option::is_none);
            cases.retain(|_| open.next().unwrap_or(false));
            cases.iter().for_each(|_| self.metrics.retries.count(Retry::Judge));
        }
        verdicts.into_iter().map(|verdict| verdict.ok_or_else(|| ProofBusy.into())).collect()
    }

    /// A presented text as a secret, if it has the form of one.
    pub(super) fn well_formed(
        &self,
        presented: &str,
        client: Option<IpAddr>,
    ) -> Result<PlaintextSecret, TokenRefusal> {
        let malformed = |how| self.invalid(InvalidTokenReason::Malformed(how), None, client);
        PlaintextSecret::parse(presented).map_err(malformed)
    }

    /// Judges a well-formed secret. A hash that it was already proven against needs no other proof.
    pub(super) async fn judge_secret(
        &self,
        secret: &PlaintextSecret,
        client: Option<IpAddr>,
        proven: Option<SecretHash>,
    ) -> Result<Judgement, JudgeError> {
        let span = trace::judging();
        let case = Case::new(secret, client, proven);
        let judged = self.judge_case(case).instrument(span.clone()).await;
        if let Ok(Judgement { verdict, .. }) = &judged {
            trace::judged(
                &span,
                match verdict {
                    Verdict::Valid(_) => None,
                    Verdict::Refused(refusal) => Some((*refusal).into()),
                },
            );
        }
        judged
    }

    async fn judge_case(&self, mut case: Case<'_>) -> Result<Judgement, JudgeError> {
        let secret = case.secret;
        for _ in 0..ATTEMPTS {
            let start = Instant::now();
            let found = self.repository.credential(secret.token_id(), &case.tag).await?;
            if let Some(judgement) = self.weigh(&mut case, found, start).await? {
                return Ok(judgement);
            }
            self.metrics.retries.count(Retry::Judge);
        }
        Err(ProofBusy.into())
    }

    /// The judgement by a row that was just read. `None`: the secret of a token without a tag was
    /// proven first, and that is noted in the case. A proof waits for its turn, so the row that it
    /// started from says nothing about the time after it: the row must be read again.
    async fn weigh(
        &self,
        case: &mut Case<'_>,
        found: Option<CredentialRead>,
        start: Instant,
    ) -> Result<Option<Judgement>, JudgeError> {
        let Case { secret, tag, client, proven } = case;
        let (id, client) = (secret.token_id(), *client);
        let read = found.as_ref().map_or(start, |found| found.start);
        let judged = |verdict, proven| Ok(Some(Judgement { verdict, read, proven }));
        let refused = |reason| {
            let refusal = self.invalid(reason, Some(id), client);
            judged(Verdict::Refused(refusal), None)
        };
        let stored = found.as_ref().and_then(|found| found.credential.secret.tag.as_ref());
        let same = tag.is_same(stored);
        let Some(CredentialRead { credential, now, .. }) = found else {
            return refused(InvalidTokenReason::Unknown);
        };
        self.last_uses.pace().follow(credential.policy.idle);
        let used = || self.last_uses.latest(id);
        let tagged = credential.secret.tag.is_some();
        if tagged && !same {
            return refused(InvalidTokenReason::WrongSecret);
        }
        if let Some(reason) = credential.ended(now, used) {
            if !tagged {
                return refused(InvalidTokenReason::EndedUnproven);
            }
            self.note_ended_use(&credential.token, reason, client);
            return refused(reason);
        }
        let stored = &credential.secret;
        if proven.as_ref().is_some_and(|proven| proven.is_same(&stored.hash)) {
            let proven = proven.take();
            return judged(credential.judge(now, client, used), proven);
        }
        match self.proofs.prove(secret, tag, stored).await? {
            Proof::AtOnce => {
                let proven = Some(stored.hash.clone());
                judged(credential.judge(now, client, used), proven)
            }
            Proof::Made(hash) => {
                *proven = Some(hash);
                Ok(None)
            }
            Proof::Failed => refused(InvalidTokenReason::WrongSecret),
        }
    }

    /// The refusal of a secret that is not valid, which counts as a failed proof.
    fn invalid(
        &self,
        reason: InvalidTokenReason,
        claimed: Option<ApiTokenId>,
        client: Option<IpAddr>,
    ) -> TokenRefusal {
        match self.failed_proofs.count(client, self.clock.now()) {
            Ok(()) => TokenRefusal::Invalid { reason, claimed },
            Err(retry_after) => TokenRefusal::TooManyFailures { reason, claimed, retry_after },
        }
    }
}
