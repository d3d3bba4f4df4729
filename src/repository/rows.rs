//! The rows of the tables, and their conversion to and from domain types.

mod audit_event;
mod insert_events;
mod insert_labels;
mod policy;

use std::sync::Arc;

use diesel::prelude::*;

use crate::db::{DbId, DbInstant, DbLabels, DbNetworks, DbPermissions, api_tokens, users};
use crate::domain::address::AllowedAddresses;
use crate::domain::api_token::{ApiToken, Credential, LastUse, NewApiToken};
use crate::domain::api_token_change::ApiTokenChange;
use crate::domain::audit::AuditEvent;
use crate::domain::clock::Instant;
use crate::domain::cursor::{Key, Position};
use crate::domain::id::{ApiTokenId, UserId};
use crate::domain::order::ApiTokenOrderField;
use crate::domain::secret::{SecretHash, SecretTag, StoredSecret};
use crate::domain::user::{User, UserInfo};

pub(super) use audit_event::AuditEventRow;
pub(super) use insert_events::InsertEvents;
pub(super) use insert_labels::InsertLabels;
pub(super) use policy::{PolicyChangeRow, PolicyRecordRow, PolicyRow};

/// The stored last use of a token that was never used, and the stored instant of enabling one that was
/// never disabled.
pub(super) const NEVER: Instant = Instant::UNIX_EPOCH;

#[derive(Queryable, Selectable, Insertable, Clone)]
#[diesel(table_name = users, check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
pub(super) struct UserRow {
    id: DbId,
    version: i32,
    creation_date: DbInstant,
    last_modified_date: DbInstant,
    name: String,
    service_account: bool,
    enabled: bool,
}

impl From<&User> for UserRow {
    fn from(user: &User) -> Self {
        Self {
            id: DbId(user.id.uuid()),
            version: user.version,
            creation_date: DbInstant(user.creation_date),
            last_modified_date: DbInstant(user.last_modified_date),
            name: user.name.clone(),
            service_account: user.service_account,
            enabled: user.enabled,
        }
    }
}

impl From<UserRow> for User {
    fn from(row: UserRow) -> Self {
        Self {
            id: UserId::from_uuid(row.id.0),
            version: row.version,
            creation_date: row.creation_date.0,
            last_modified_date: row.last_modified_date.0,
            name: row.name,
            service_account: row.service_account,
            enabled: row.enabled,
        }
    }
}

// NULL is written as such: a statement that leaves columns out is compiled anew each time.
#[derive(Queryable, Selectable, Insertable, Clone)]
#[diesel(treat_none_as_default_value = false)]
#[diesel(table_name = api_tokens, check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
pub(super) struct ApiTokenRow {
    id: DbId,
    version: i32,
    creation_date: DbInstant,
    last_modified_date: DbInstant,
    created_user_id: DbId,
    created_user_name: String,
    last_modified_user_id: DbId,
    last_modified_user_name: String,
    user_id: DbId,
    name: String,
    name_key: String,
    secret_hash: String,
    expiry: DbInstant,
    allowed_addresses: DbNetworks,
    permissions: DbPermissions,
    enabled: bool,
    deleted_date: Option<DbInstant>,
    renewed_from_id: Option<DbId>,
    last_used_date: DbInstant,
    last_used_address: Option<String>,
    secret_tag: Option<Vec<u8>>,
    description: String,
    labels: DbLabels,
    enabled_date: DbInstant,
}

impl From<&NewApiToken> for ApiTokenRow {
    fn from(new: &NewApiToken) -> Self {
        let token = &new.token;
        Self {
            id: DbId(token.id.uuid()),
            version: token.version,
            creation_date: DbInstant(token.creation_date),
            last_modified_date: DbInstant(token.last_modified_date),
            created_user_id: DbId(token.created.user_id.uuid()),
            created_user_name: token.created.user_name.clone(),
            last_modified_user_id: DbId(token.last_modified.user_id.uuid()),
            last_modified_user_name: token.last_modified.user_name.clone(),
            user_id: DbId(token.user_id.uuid()),
            name: token.name.clone(),
            name_key: new.name_key.clone(),
            secret_hash: new.secret.hash.expose().to_owned(),
            expiry: DbInstant(token.expiry),
            allowed_addresses: networks(&token.allowed_addresses),
            permissions: DbPermissions(token.permissions.clone()),
            enabled: token.enabled,
            deleted_date: None,
            renewed_from_id: token.renewed_from.map(|id| DbId(id.uuid())),
            last_used_date: DbInstant(NEVER),
            last_used_address: None,
            secret_tag: new.secret.tag.map(|tag| tag.expose().to_vec()),
            description: token.description.clone(),
            labels: DbLabels(token.labels.clone()),
            enabled_date: DbInstant(token.enabled_date.unwrap_or(NEVER)),
        }
    }
}

/// The columns that a change sets; none: the column stays as it is.
#[derive(AsChangeset)]
#[diesel(table_name = api_tokens)]
pub(super) struct ApiTokenChangeRow {
    name: Option<String>,
    name_key: Option<String>,
    description: Option<String>,
    labels: Option<DbLabels>,
    expiry: Option<DbInstant>,
    allowed_addresses: Option<DbNetworks>,
    permissions: Option<DbPermissions>,
    enabled: Option<bool>,
    /// From where its idle time is counted.
    enabled_date: Option<DbInstant>,
    /// Set and removed together with `enabled`.
    disabled_user_id: Option<Option<DbId>>,
    disabled_api_token_id: Option<Option<DbId>>,
}

impl ApiTokenChangeRow {
    /// A change that this actor makes.
    pub(super) fn of(change: &ApiTokenChange, event: &AuditEvent) -> Self {
        let (user, token) = (event.actor.user_id.uuid(), event.actor_token.map(|id| id.uuid()));
        Self {
            name: change.name.as_ref().map(|name| name.as_str().to_owned()),
            name_key: change.name.as_ref().map(|name| name.key().to_owned()),
            description: change.description.clone().map(String::from),
            labels: change.labels.clone().map(DbLabels),
            expiry: change.expiry.map(DbInstant),
            allowed_addresses: change.allowed_addresses.as_ref().map(networks),
            permissions: change.permissions.clone().map(DbPermissions),
            enabled: change.enabled,
            enabled_date: change.enabled.filter(|on| *on).map(|_| DbInstant(event.date)),
            disabled_user_id: change.enabled.map(|enabled| (!enabled).then_some(DbId(user))),
            disabled_api_token_id: change
                .enabled
                .map(|enabled| token.filter(|_| !enabled).map(DbId)),
        }
    }
}

impl ApiTokenRow {
    pub(super) const fn id(&self) -> DbId {
        self.id
    }

    /// Its position among the tokens.
    pub(super) fn position(&self, field: ApiTokenOrderField) -> Position {
        let key = match field {
            ApiTokenOrderField::Name => Key::Text(self.name_key.clone()),
            ApiTokenOrderField::CreationDate => Key::Instant(self.creation_date.0),
            ApiTokenOrderField::Expiry => Key::Instant(self.expiry.0),
            ApiTokenOrderField::LastUsedDate => Key::Instant(self.last_used_date.0),
        };
        Position { key, id: self.id.0 }
    }
}

impl From<ApiTokenRow> for ApiToken {
    fn from(row: ApiTokenRow) -> Self {
        let info = |id: DbId, user_name| UserInfo { user_id: UserId::from_uuid(id.0), user_name };
        Self {
            id: ApiTokenId::from_uuid(row.id.0),
            version: row.version,
            creation_date: row.creation_date.0,
            last_modified_date: row.last_modified_date.0,
            created: info(row.created_user_id, row.created_user_name),
            last_modified: info(row.last_modified_user_id, row.last_modified_user_name),
            user_id: UserId::from_uuid(row.user_id.0),
            name: row.name,
            description: row.description,
            labels: row.labels.0,
            expiry: row.expiry.0,
            allowed_addresses: row.allowed_addresses.0,
            permissions: row.permissions.0,
            enabled: row.enabled,
            renewed_from: row.renewed_from_id.map(|id| ApiTokenId::from_uuid(id.0)),
            last_use: last_use(row.last_used_date.0, row.last_used_address.as_deref()),
            enabled_date: Some(row.enabled_date.0).filter(|date| *date != NEVER),
        }
    }
}

impl From<(ApiTokenRow, UserRow, PolicyRow)> for Credential {
    fn from((mut token, user, policy): (ApiTokenRow, UserRow, PolicyRow)) -> Self {
        Self {
            secret: stored_secret(&mut token),
            deleted: token.deleted_date.is_some(),
            token: Arc::new(token.into()),
            user: user.into(),
            policy: policy.into(),
        }
    }
}

fn stored_secret(token: &mut ApiTokenRow) -> StoredSecret {
    StoredSecret {
        hash: SecretHash::new(std::mem::take(&mut token.secret_hash)),
        tag: token.secret_tag.as_deref().map(SecretTag::stored),
    }
}

fn last_use(date: Instant, address: Option<&str>) -> Option<LastUse> {
    let address = address.and_then(|address| address.parse().ok());
    (date != NEVER).then_some(LastUse { date, address })
}

fn networks(addresses: &AllowedAddresses) -> DbNetworks {
    DbNetworks(addresses.clone())
}
