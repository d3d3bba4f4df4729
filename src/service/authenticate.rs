//! Authenticating a request: what follows from the verdict of the judge.
//!
//! A request is judged before its body is read, so that strangers cannot make the server read
//! bodies. But a body may come much later than the head, and by then the token may be deleted. So
//! what comes of the first look ([`FirstLook`]) is no principal, and no use case takes it. The
//! principal is made by [`Service::admit`], once the whole request is there, and by nothing else.
//!
//! A change is decided in its transaction, where the caller is found unchanged or nothing is done.
//! Reads are decided by [`Service::ensure_current`].

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::judge::Judgement;
use super::{JudgeError, Service};
use crate::db::DbError;
use crate::domain::clock;
use crate::domain::id::ApiTokenId;
use crate::domain::policy::Policy;
use crate::domain::principal::{CallerChanged, Principal};
use crate::domain::secret::{PlaintextSecret, SecretHash};
use crate::domain::verdict::{InvalidTokenReason, TokenRefusal, Usable, Verdict};
use crate::metrics::{Outcome, Surface};
use crate::repository::CredentialRead;

/// How long what was read of the caller counts without being read again.
///
/// An answer is given out only if the caller was found current at most this long before
/// ([`Service::ensure_current`] is asked at the end). So a token that was revoked gets nothing that
/// was read more than this after the acknowledgement; and that only by a request that was here as a
/// whole before it, as the row of the caller is read after the body. An acknowledgement takes about
/// as long to reach whoever waits for it, so nobody can tell such a read from one before the
/// revocation. Most requests are answered in less time, and pay for no second read.
const CURRENT_FOR: Duration = Duration::from_millis(10);

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

/// How the body of a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// All of it was there when the caller had been judged; or there is none.
    WithHead,
    /// It was waited for.
    Later,
}

/// A request whose secret was judged when its head had come.
#[derive(Debug)]
pub struct FirstLook {
    secret: PlaintextSecret,
    client: Option<IpAddr>,
    usable: Usable,
    proven: Option<SecretHash>,
    read: Instant,
}

/// A request that is here as a whole, with the principal that asks.
#[derive(Debug)]
pub struct Admitted {
    principal: Principal,
    client: Option<IpAddr>,
    policy: Policy,
    /// When the principal was last found as it is.
    current: Mutex<Instant>,
}

/// Why what was read for a request must not be given out.
#[derive(Debug, thiserror::Error)]
pub enum NotCurrent {
    /// The token may no longer be used.
    #[error(transparent)]
    Refused(#[from] TokenRefusal),
    /// The token may no longer do all that it could when the request came.
    #[error(transparent)]
    Changed(#[from] CallerChanged),
    /// It is not known.
    #[error(transparent)]
    Unavailable(#[from] DbError),
}

impl FirstLook {
    /// The token that was looked at.
    pub fn token_id(&self) -> ApiTokenId {
        self.usable.token.id
    }
}

impl Admitted {
    /// Who asks.
    pub const fn principal(&self) -> &Principal {
        &self.principal
    }

    /// The policy that they were judged by.
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The same caller, judged by a row that was just read. `used`: a use of it that may not be
    /// stored yet.
    pub(super) fn judged_again(
        &self,
        found: CredentialRead,
        used: impl Fn() -> Option<clock::Instant>,
    ) -> Result<Self, TokenRefusal> {
        match found.credential.judge(found.now, self.client, used) {
            Verdict::Refused(refusal) => Err(refusal),
            Verdict::Valid(Usable { token, policy }) => Ok(Self {
                principal: Principal::ApiToken(token),
                client: self.client,
                policy,
                current: Mutex::new(found.start),
            }),
        }
    }

    fn last_current(&self) -> Instant {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service {
    /// Judges a request by its head.
    ///
    /// # Errors
    /// When the request must not pass.
    pub async fn look(
        &self,
        presented: &str,
        client: Option<IpAddr>,
    ) -> Result<FirstLook, AuthenticateError> {
        let secret = self.well_formed(presented, client);
        let looked = match secret {
            Ok(secret) => self.look_at(secret, client, None).await,
            Err(refusal) => Err(refusal.into()),
        };
        self.metrics.verifications.count((
            Surface::Caller,
            match &looked {
                Ok(_) => Outcome::Allowed,
                Err(AuthenticateError::Refused(refusal)) => (*refusal).into(),
                Err(AuthenticateError::Unavailable(_)) => Outcome::Unavailable,
            },
        ));
        looked
    }

    /// Admits a request that is here as a whole: if its body came later than its head, the row is
    /// read and judged again. Its use is noted.
    ///
    /// # Errors
    /// When the request must not pass.
    pub async fn admit(
        &self,
        look: FirstLook,
        arrival: Arrival,
    ) -> Result<Admitted, AuthenticateError> {
        let look = match arrival {
            Arrival::WithHead => look,
            Arrival::Later => self.look_at(look.secret, look.client, look.proven).await?,
        };
        let FirstLook { usable: Usable { token, policy }, client, read, .. } = look;
        self.last_uses.note(token.id, self.clock.now(), client);
        let principal = Principal::ApiToken(token);
        Ok(Admitted { principal, client, policy, current: Mutex::new(read) })
    }

    /// The principal of a request that has no body.
    ///
    /// # Errors
    /// When the request must not pass.
    pub async fn authenticate(
        &self,
        presented: &str,
        client: Option<IpAddr>,
    ) -> Result<Admitted, AuthenticateError> {
        let look = self.look(presented, client).await?;
        self.admit(look, Arrival::WithHead).await
    }

    /// To be asked before something long is read for the request, and again before what was read
    /// for it is given out: may the caller still read as much as when the request was admitted? It
    /// costs an indexed read, if the last one is longer ago than `CURRENT_FOR`.
    ///
    /// # Errors
    /// When the caller may not, or it is not known.
    pub async fn ensure_current(&self, admitted: &Admitted) -> Result<(), NotCurrent> {
        let Principal::ApiToken(own) = &admitted.principal else { return Ok(()) };
        if admitted.last_current().elapsed() <= CURRENT_FOR {
            return Ok(());
        }
        let Some(found) = self.repository.proven_credential(own.id).await? else {
            let reason = InvalidTokenReason::Unknown;
            return Err(TokenRefusal::Invalid { reason, claimed: Some(own.id) }.into());
        };
        let (start, used) = (found.start, || self.last_uses.latest(own.id));
        match found.credential.judge(found.now, admitted.client, used) {
            Verdict::Refused(refusal) => Err(refusal.into()),
            Verdict::Valid(found) if own.permissions.is_subset(&found.token.permissions) => {
                *admitted.current.lock().unwrap_or_else(PoisonError::into_inner) = start;
                Ok(())
            }
            Verdict::Valid(_) => Err(CallerChanged.into()),
        }
    }

    async fn look_at(
        &self,
        secret: PlaintextSecret,
        client: Option<IpAddr>,
        proven: Option<SecretHash>,
    ) -> Result<FirstLook, AuthenticateError> {
        let Judgement { verdict, read, proven } =
            self.judge_secret(&secret, client, proven).await?;
        match verdict {
            Verdict::Refused(refusal) => Err(refusal.into()),
            Verdict::Valid(usable) => Ok(FirstLook { secret, client, usable, proven, read }),
        }
    }
}
