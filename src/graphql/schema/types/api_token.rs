//! The record of a token.

use std::sync::Arc;

use async_graphql::parser::types::Field;
use async_graphql::{Context, Enum, ID, Object};

use super::user::{load_user, loaders};
use super::{Label, PolicyRule, User, UserInfo};
use crate::domain::api_token;
use crate::domain::secret::partial_token;
use crate::graphql::context::{held, policy, service};
use crate::graphql::error::GqlError;
use crate::graphql::schema::leaves::Leaves;
use crate::graphql::schema::permission::Permission;
use crate::graphql::schema::plain::Plain;
use crate::graphql::schema::scalars::{DateTime, IpNetwork};

/// An API token.
pub(in crate::graphql) struct ApiToken(pub(in crate::graphql) Arc<api_token::ApiToken>);

impl From<api_token::ApiToken> for ApiToken {
    fn from(token: api_token::ApiToken) -> Self {
        Self(Arc::new(token))
    }
}

/// An API token: who holds its secret may do what its permissions allow, until its expiry and from
/// its allowed addresses. The secret itself is not part of it.
#[Object]
impl ApiToken {
    /// `tok_...`. Opaque; sorts by creation.
    pub(in crate::graphql) async fn id(&self) -> ID {
        ID(self.0.id.text())
    }

    /// 1 at creation, one more with every change. A use is not a change.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// When the token was created.
    async fn creation_date(&self) -> DateTime {
        self.0.creation_date.into()
    }

    /// When the token was last changed; initially, when it was created.
    async fn last_modified_date(&self) -> DateTime {
        self.0.last_modified_date.into()
    }

    /// Who created the token.
    async fn created_user_info(&self) -> UserInfo {
        UserInfo(self.0.created.clone())
    }

    /// Who changed the token last; initially, who created it.
    async fn last_modified_user_info(&self) -> UserInfo {
        UserInfo(self.0.last_modified.clone())
    }

    /// The id of the API Token User, `usr_...`.
    async fn user_id(&self) -> ID {
        ID(self.0.user_id.text())
    }

    /// The API Token User, to which everything that the token does is attributed. Needs
    /// api.users.read, except for the caller's own.
    async fn user(&self, ctx: &Context<'_>) -> Result<Option<User>, GqlError> {
        load_user(ctx, self.0.user_id).await
    }

    /// The name that people know the token by. Unique, regardless of case, among the tokens that
    /// are not deleted.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What the token is for, in words; may be empty. It gives no authority.
    async fn description(&self) -> &str {
        &self.0.description
    }

    /// What the token is for, as pairs of a key and a value, sorted by the keys. Labels give no
    /// authority.
    async fn labels(&self) -> Vec<Label> {
        self.0.labels.iter().map(Label::from).collect()
    }

    /// The start of the secret, the rest masked: enough to recognise the secret of this token.
    async fn partial_token(&self) -> String {
        partial_token(self.0.id)
    }

    /// The instant from which the token is refused, whatever the policy says.
    async fn expiry(&self) -> DateTime {
        self.0.expiry.into()
    }

    /// The instant from which the token is refused: its expiry, or the end of the longest lifetime
    /// that the policy allows it, if that is earlier.
    async fn effective_expiry(&self, ctx: &Context<'_>) -> Result<DateTime, GqlError> {
        Ok(policy(ctx)?.effective_expiry(&self.0).into())
    }

    /// The rules of the policy that refuse the token now.
    async fn refused_by(&self, ctx: &Context<'_>) -> Result<Leaves<PolicyRule>, GqlError> {
        let rules = service(ctx)?.refused_by(policy(ctx)?, &self.0);
        Ok(rules.map(PolicyRule::from).collect())
    }

    /// The addresses and networks from which the token may be used. Empty: any address.
    async fn allowed_addresses(&self) -> Leaves<IpNetwork> {
        self.0.allowed_addresses.iter().map(IpNetwork::from).collect()
    }

    /// What the token may do, in the order of `permissions`.
    async fn permissions(&self, ctx: &Context<'_>) -> Result<Leaves<Permission>, GqlError> {
        // Another instance may have a newer catalogue; a shorter list would be wrong.
        let known =
            service(ctx)?.catalogue().all_in_order(&self.0.permissions).map_err(|code| {
                GqlError::internal(format!("{} holds the unknown {code}", self.0.id))
            })?;
        Ok(known.into_iter().map(Permission::of).collect())
    }

    /// Whether the token can be used now, unless `refusedBy` names a rule.
    async fn status(&self, ctx: &Context<'_>) -> Result<ApiTokenStatus, GqlError> {
        Ok(service(ctx)?.status(policy(ctx)?, &self.0).into())
    }

    /// When the token was last used, to within a minute. Null until it is first used.
    async fn last_used_date(&self) -> Option<DateTime> {
        self.0.last_use.map(|last| last.date.into())
    }

    /// The address from which the token was last used. Null if it was unknown.
    async fn last_used_address(&self) -> Option<String> {
        self.0.last_use?.address.map(|address| address.to_string())
    }

    /// The token that this one renewed. Null if this one is not a renewal, and once the old token
    /// is deleted. Needs api.api-tokens.read.
    async fn renewed_from(&self, ctx: &Context<'_>) -> Result<Option<ApiToken>, GqlError> {
        match self.0.renewed_from {
            Some(id) => {
                let token = loaders(ctx)?.api_tokens().load_one(id).await?;
                token.map(|token| held(ctx, token).map(Self::from)).transpose()
            }
            None => Ok(None),
        }
    }
}

impl Plain for ApiToken {
    fn is_plain(field: &Field) -> bool {
        matches!(
            field.name.node.as_str(),
            "id" | "version"
                | "creationDate"
                | "lastModifiedDate"
                | "userId"
                | "name"
                | "description"
                | "partialToken"
                | "expiry"
                | "effectiveExpiry"
                | "refusedBy"
                | "allowedAddresses"
                | "permissions"
                | "status"
                | "lastUsedDate"
                | "lastUsedAddress"
        )
    }
}

/// Whether a token can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "api_token::ApiTokenStatus")]
pub(in crate::graphql) enum ApiTokenStatus {
    /// It can be used.
    Active,
    /// It was disabled; it can be enabled again.
    Disabled,
    /// Its effective expiry has passed.
    Expired,
}
