//! Rows that tests put into the database past the application: many, and just as they want them.

use std::collections::BTreeMap;

use serde_json::json;
use tokenwright::domain::id::{ApiTokenId, EventId, UserId};
use tokenwright::domain::name::ApiTokenName;
use uuid::Uuid;

use super::TestDatabase;

/// A token, and its user of the same number.
#[derive(Debug, Clone)]
pub struct TokenRow {
    /// Its id.
    pub number: u128,
    pub name: String,
    /// Instants are microseconds since 1970.
    pub created: i64,
    /// The number of the user that made it.
    pub created_by: u128,
    pub expiry: i64,
    /// 0: never.
    pub last_used: i64,
    pub enabled: bool,
    pub deleted: bool,
    /// Dotted codes.
    pub permissions: Vec<&'static str>,
    /// Keys and values.
    pub labels: Vec<(&'static str, &'static str)>,
}

impl TokenRow {
    /// A token of its own user's making that has nothing special.
    pub fn new(number: u128, name: impl Into<String>) -> Self {
        Self {
            number,
            name: name.into(),
            created: 1_600_000_000_000_000,
            created_by: number,
            expiry: 4_000_000_000_000_000,
            last_used: 0,
            enabled: true,
            deleted: false,
            permissions: vec!["api.users.read"],
            labels: Vec::new(),
        }
    }

    /// Stores `token 001` and so on, each newer than the one before it.
    pub fn numbered(database: &TestDatabase, count: u128) -> Vec<Self> {
        let row = |number: u128| {
            let row = Self::new(number, format!("token {number:03}"));
            Self { created: row.created + i64::try_from(number).unwrap(), ..row }
        };
        let rows: Vec<Self> = (1..=count).map(row).collect();
        Self::insert(&rows, database);
        rows
    }

    /// The id that clients see.
    pub fn id(&self) -> String {
        ApiTokenId::from_uuid(Uuid::from_u128(self.number)).to_string()
    }

    /// Its user's id, as clients see it.
    pub fn user_id(&self) -> String {
        Self::user_id_of(self.number)
    }

    /// The id of the user of this number, as clients see it.
    pub fn user_id_of(number: u128) -> String {
        UserId::from_uuid(Uuid::from_u128(number)).to_string()
    }

    /// What its name is compared by.
    pub fn name_key(&self) -> String {
        ApiTokenName::parse(&self.name).unwrap().key().to_owned()
    }

    /// Stores tokens and their users. Users that made a token must be among them.
    pub fn insert(rows: &[Self], database: &TestDatabase) {
        let users = rows.iter().map(|row| {
            let (id, created) = (uuid(row.number), TestDatabase::instant(row.created));
            let (name, key) = (text(&row.name), text(&row.name_key()));
            format!("({id}, 1, {created}, {created}, {name}, TRUE, {}, {key})", !row.deleted)
        });
        let tokens = rows.iter().map(|row| {
            let (id, by) = (uuid(row.number), uuid(row.created_by));
            let (name, key) = (text(&row.name), text(&row.name_key()));
            let [created, expiry, last_used] =
                [row.created, row.expiry, row.last_used].map(TestDatabase::instant);
            let (none, permissions) = (TestDatabase::list(&[]), TestDatabase::list(&row.permissions));
            let deleted = if row.deleted { created.as_str() } else { "NULL" };
            let labels: BTreeMap<_, _> = row.labels.iter().copied().collect();
            let labels = text(&json!(labels).to_string());
            format!(
                "({id}, 1, {created}, {created}, {by}, 'maker', {by}, 'maker', {id}, {name}, {key}, \
                 'x', {expiry}, {none}, {permissions}, {}, {deleted}, {last_used}, {labels})",
                row.enabled
            )
        });
        let labels = rows.iter().filter(|row| !row.deleted).flat_map(|row| {
            let (id, created) = (uuid(row.number), TestDatabase::instant(row.created));
            let label = move |(key, value): &(&str, &str)| {
                format!("({id}, {}, {}, {created})", text(key), text(value))
            };
            row.labels.iter().map(label)
        });
        let labels: Vec<String> = labels.collect();
        database.execute(&format!(
            "INSERT INTO users (id, version, creation_date, last_modified_date, name, \
             service_account, enabled, name_key) VALUES {}; \
             INSERT INTO api_tokens (id, version, creation_date, last_modified_date, \
             created_user_id, created_user_name, last_modified_user_id, last_modified_user_name, \
             user_id, name, name_key, secret_hash, expiry, allowed_addresses, permissions, enabled, \
             deleted_date, last_used_date, labels) VALUES {}",
            users.collect::<Vec<_>>().join(", "),
            tokens.collect::<Vec<_>>().join(", "),
        ));
        if !labels.is_empty() {
            database.execute(&format!(
                "INSERT INTO api_token_labels (api_token_id, key, value, creation_date) VALUES {}",
                labels.join(", ")
            ));
        }
    }
}

/// An audit event.
#[derive(Debug, Clone)]
pub struct EventRow {
    /// Its id.
    pub number: u128,
    pub date: i64,
    /// The stored word.
    pub action: &'static str,
    /// The number of the user that did it, who must be there.
    pub actor: u128,
    /// The number of the token that it was done to.
    pub target: u128,
}

impl EventRow {
    /// The id that clients see.
    pub fn id(&self) -> String {
        EventId::from_uuid(Uuid::from_u128(self.number)).to_string()
    }

    /// So many events of changes that the token and user with the number 1 made of itself, from this
    /// time on: a microsecond between them.
    pub fn updates(count: u128, since: i64) -> Vec<Self> {
        let row = |number: u128| Self {
            number,
            date: since + i64::try_from(number).unwrap(),
            action: "api_token_updated",
            actor: 1,
            target: 1,
        };
        (1..=count).map(row).collect()
    }

    /// Stores events.
    pub fn insert(rows: &[Self], database: &TestDatabase) {
        let values = rows.iter().map(|row| {
            let [id, actor, target] = [row.number, row.actor, row.target].map(uuid);
            let (date, action) = (TestDatabase::instant(row.date), row.action);
            format!("({id}, {date}, '{action}', {actor}, 'actor', {target}, '[]')")
        });
        database.execute(&format!(
            "INSERT INTO audit_events (id, date, action, actor_user_id, actor_user_name, target_id, \
             changes) VALUES {}",
            values.collect::<Vec<_>>().join(", ")
        ));
    }
}

fn uuid(number: u128) -> String {
    format!("'{}'", Uuid::from_u128(number))
}

fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
