//! Verifying a token for another service: the one use case behind forward-auth, introspection and
//! everything else that answers whether a token may be used.

use super::{JudgeError, Service};
use crate::domain::api_token::ApiToken;
use crate::domain::verdict::Verdict;
use crate::domain::verification::{Decision, Demand};
use crate::wire::identity::Identity;

impl Service {
    /// Decides whether a presented secret may be used for what is asked, by the database as it is
    /// now. A genuine secret from an allowed address counts as a use, whatever it is used for.
    ///
    /// # Errors
    /// When no decision is possible now: the request must then be refused.
    pub async fn verify(&self, presented: &str, demand: &Demand) -> Result<Decision, JudgeError> {
        let verdict = self.judge(presented, demand.client()).await?;
        if let Verdict::Valid(token) = &verdict {
            self.last_uses.note(token.id, self.clock.now(), demand.client());
        }
        Ok(verdict.decide(demand))
    }

    /// Who calls with this token, for the service behind a gateway. A permission that the catalogue
    /// lacks is left out: no demand can ask for it.
    pub fn identity<'a>(&'a self, token: &'a ApiToken) -> Identity<'a> {
        let permissions = self.catalogue.in_order(&token.permissions);
        let labels = token.labels.iter().map(|label| (&*label.key, &*label.value));
        Identity {
            user_id: token.user_id.to_string(),
            user_name: &token.name,
            token_id: token.id.to_string(),
            permissions: permissions.into_iter().map(|entry| entry.code.as_str()).collect(),
            labels: labels.collect(),
        }
    }
}
