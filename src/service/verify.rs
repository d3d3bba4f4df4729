//! Verifying a token for another service: the one use case behind forward-auth, introspection and
//! everything else that answers whether a token may be used.

use std::net::IpAddr;

use zeroize::Zeroizing;

use super::{Failure, JudgeError, Service};
use crate::domain::api_token::ApiToken;
use crate::domain::fault::{Field, InputFault};
use crate::domain::permission::required;
use crate::domain::principal::{MissingPermission, Principal};
use crate::domain::verdict::Verdict;
use crate::domain::verification::{Decision, Demand};
use crate::metrics::{Outcome, Surface};
use crate::service::failure::ends_with_failure;
use crate::wire::identity::Identity;

/// How many secrets can be verified at once.
pub const MAX_VERIFIED: usize = 100;

/// A secret to verify, and what is asked of it, unchecked.
pub struct VerifyApiToken {
    /// The secret.
    pub secret: Zeroizing<String>,
    /// Dotted codes, all of which are needed.
    pub permissions: Vec<String>,
    /// The address of the client that showed the secret.
    pub client_address: Option<String>,
}

/// Why a secret was not verified for a caller.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The caller may not read tokens.
    #[error(transparent)]
    Forbidden(#[from] MissingPermission),
    /// No decision is possible now.
    #[error(transparent)]
    Unavailable(#[from] JudgeError),
}

/// Why secrets were not verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifyApiTokensError {
    /// Everything that is wrong with the input.
    #[error("the input has {} fault(s)", .0.len())]
    Refused(Vec<InputFault>),
    /// It failed for a reason that no other input would avoid.
    #[error(transparent)]
    Failed(Failure),
}

ends_with_failure!(VerifyApiTokensError);

impl Service {
    /// Decides whether a presented secret may be used for what is asked, by the database as it is
    /// now. A genuine secret from an allowed address counts as a use, whatever it is used for.
    ///
    /// # Errors
    /// When no decision is possible now: the request must then be refused.
    pub async fn verify(
        &self,
        surface: Surface,
        presented: &str,
        demand: &Demand,
    ) -> Result<Decision, JudgeError> {
        let verdict = self.judge(presented, demand.client()).await;
        let decided = verdict.map(|verdict| self.decide(verdict, demand));
        self.count(surface, decided.as_ref().ok());
        decided
    }

    /// Counts a decision; `None`: there was none.
    fn count(&self, surface: Surface, decision: Option<&Decision>) {
        let outcome = decision.map_or(Outcome::Unavailable, Outcome::from);
        self.metrics.verifications.count((surface, outcome));
    }

    /// The same for a caller, who must be one that may read tokens.
    ///
    /// # Errors
    /// When the caller may not, or no decision is possible now.
    pub async fn verify_for(
        &self,
        principal: &Principal,
        presented: &str,
        demand: &Demand,
    ) -> Result<Decision, VerifyError> {
        principal.require(required::API_TOKENS_READ)?;
        Ok(self.verify(Surface::Introspect, presented, demand).await?)
    }

    /// The same for many secrets with one read, in their order, each with the address of its client.
    ///
    /// # Errors
    /// When the caller may not, the input has faults, or no decision is possible now on one of
    /// them.
    pub async fn verify_api_tokens(
        &self,
        principal: &Principal,
        wanted: Vec<VerifyApiToken>,
    ) -> Result<Vec<(Option<IpAddr>, Decision)>, VerifyApiTokensError> {
        principal.require(required::API_TOKENS_READ)?;
        let demands = self.demands(&wanted).map_err(VerifyApiTokensError::Refused)?;
        let presented: Vec<(&str, Option<IpAddr>)> = wanted
            .iter()
            .zip(&demands)
            .map(|(wanted, demand)| (wanted.secret.as_str(), demand.client()))
            .collect();
        let verdicts = self.judge_all(&presented).await.inspect_err(|_| {
            presented.iter().for_each(|_| self.count(Surface::Graphql, None));
        })?;
        let decided = verdicts.into_iter().zip(&demands).map(|(verdict, demand)| {
            let decision = self.decide(verdict, demand);
            self.count(Surface::Graphql, Some(&decision));
            (demand.client(), decision)
        });
        Ok(decided.collect())
    }

    fn demands(&self, wanted: &[VerifyApiToken]) -> Result<Vec<Demand>, Vec<InputFault>> {
        if wanted.len() > MAX_VERIFIED {
            let message = format!("At most {MAX_VERIFIED} secrets can be verified at once.");
            return Err(vec![InputFault::invalid(Field::Tokens, "too_many_tokens", message)]);
        }
        let (mut demands, mut faults) = (Vec::new(), Vec::new());
        for (index, VerifyApiToken { permissions, client_address, .. }) in wanted.iter().enumerate()
        {
            let client = client_address.as_deref().map(str::parse::<IpAddr>).transpose();
            if client.is_err() {
                let message = "The client address must be an IP address, such as `192.0.2.7`.";
                let fault = InputFault::invalid(Field::ClientAddress, "address_invalid", message);
                faults.push(fault.at(index));
            }
            let codes = permissions.iter().map(String::as_str);
            let demand = Demand::new(&self.catalogue, codes, client.ok().flatten());
            if let Err(fault) = demand.permissions() {
                let message = format!("What the secret is to be used for is not known: {fault}.");
                let fault = InputFault::invalid(Field::Permissions, "permission_unknown", message);
                faults.push(fault.at(index));
            }
            demands.push(demand);
        }
        if faults.is_empty() { Ok(demands) } else { Err(faults) }
    }

    fn decide(&self, verdict: Verdict, demand: &Demand) -> Decision {
        if let Verdict::Valid(usable) = &verdict {
            self.last_uses.note(usable.token.id, self.clock.now(), demand.client());
        }
        verdict.decide(demand)
    }

    /// Who calls with this token, for the service behind a gateway. A permission that the catalogue
    /// lacks is left out: no demand can ask for it.
    pub fn identity<'a>(&'a self, token: &'a ApiToken) -> Identity<'a> {
        let permissions = self.catalogue.in_order(&token.permissions);
        let labels = token.labels.iter().map(|label| (&*label.key, &*label.value));
        Identity {
            user_id: token.user_id.text(),
            user_name: &token.name,
            token_id: token.id.text(),
            permissions: permissions.into_iter().map(|entry| entry.code.as_str()).collect(),
            labels: labels.collect(),
        }
    }
}
