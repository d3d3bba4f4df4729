//! `node`: the Relay way to read anything again by its id.

use async_graphql::{Context, ID, Object};

use crate::domain::id::{ApiTokenId, EventId, PolicyId};
use crate::domain::policy::PolicyRecord;
use crate::graphql::context::{held, principal, service};
use crate::graphql::error::GqlError;
use crate::graphql::schema::id::parse_id;
use crate::graphql::schema::types::{AuditEvent, Node, Policy, User};
use crate::service::ReadError;

#[derive(Default)]
pub(super) struct NodeQuery;

#[Object]
impl NodeQuery {
    /// The object with this id. Null when it does not exist or was deleted. Needs
    /// api.api-tokens.read for a token, an audit event or the policy, api.users.read for a user.
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "The id of a token, `tok_...`, a user, `usr_...`, an audit event, `evt_...`, or \
                    the policy, `pol_...`."
        )]
        id: ID,
    ) -> Result<Option<Node>, GqlError> {
        let (service, principal) = (service(ctx)?, principal(ctx)?);
        let node = if id.starts_with(ApiTokenId::PREFIX) {
            match service.api_token(principal, parse_id(&id)?).await {
                Ok(token) => Ok(Node::ApiToken(held(ctx, token)?.into())),
                Err(error) => Err(error),
            }
        } else if id.starts_with(EventId::PREFIX) {
            match service.audit_event(principal, parse_id(&id)?).await {
                Ok(event) => Ok(Node::AuditEvent(AuditEvent(held(ctx, event)?))),
                Err(error) => Err(error),
            }
        } else if id.starts_with(PolicyId::PREFIX) {
            match parse_id::<PolicyId>(&id)? {
                id if id == PolicyRecord::ID => match service.policy(principal).await {
                    Ok(policy) => Ok(Node::Policy(Policy(policy))),
                    Err(error) => Err(error),
                },
                _ => Err(ReadError::NotFound),
            }
        } else {
            match service.user(principal, parse_id(&id)?).await {
                Ok(user) => Ok(Node::User(User(held(ctx, user)?))),
                Err(error) => Err(error),
            }
        };
        match node {
            Ok(node) => Ok(Some(node)),
            Err(ReadError::NotFound) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
