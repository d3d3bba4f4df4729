//! Rows, made by the database itself.

use tokenwright::domain::clock::Instant;
use uuid::Uuid;

/// What the databases write differently.
pub struct Dialect {
    /// Numbers from 1 to `SIZE`, as `n`.
    series: &'static str,
    id: &'static str,
    instant: &'static str,
    permissions: &'static str,
    addresses: &'static str,
    end: &'static str,
}

pub const SQLITE: Dialect = Dialect {
    series: "(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < SIZE) \
             SELECT n FROM s) AS s",
    id: "printf('00000000-0000-0000-0000-%012x', NUMBER)",
    instant: "((SECOND) * 1000000)",
    permissions: "'[\"api.users.read\"]'",
    addresses: "'[]'",
    end: "",
};

pub const POSTGRES: Dialect = Dialect {
    series: "generate_series(1, SIZE) AS s(n)",
    id: "lpad(to_hex(NUMBER), 32, '0')::uuid",
    instant: "to_timestamp(SECOND)",
    permissions: "'{api.users.read}'",
    addresses: "'{}'",
    // As autovacuum does it, only sooner.
    end: "; ANALYZE",
};

/// The second that the first row was made in.
const FIRST: i64 = 1_600_000_000;
/// A second at which no token has expired.
const EXPIRY: i64 = 4_000_000_000;
/// Users that made the tokens, each as many.
pub const MAKERS: u128 = 10;

impl Dialect {
    /// Statements that make so many users, tokens and audit events. All tokens are live.
    pub fn rows(&self, size: usize) -> String {
        let id = |number: &str| self.id.replace("NUMBER", number);
        let instant = |second: &str| self.instant.replace("SECOND", second);
        let (own, maker) = (id("n"), id(&format!("n % {MAKERS} + 1")));
        let created = instant(&format!("{FIRST} + n"));
        let expiry = instant(&format!("{EXPIRY} + n * 7919 % 1000000"));
        let last_used = instant(&format!("{FIRST} + n * 104729 % 1000000"));
        let series = self.series.replace("SIZE", &size.to_string());
        let Self { permissions, addresses, end, .. } = self;
        let hash = "(SELECT max(secret_hash) FROM api_tokens)";
        format!(
            "BEGIN; \
             INSERT INTO users (id, version, creation_date, last_modified_date, name, service_account, \
             enabled, name_key) SELECT {own}, 1, {created}, {created}, 'token ' || n, TRUE, TRUE, \
             'token ' || n FROM {series}; \
             INSERT INTO api_tokens (id, version, creation_date, last_modified_date, created_user_id, \
             created_user_name, last_modified_user_id, last_modified_user_name, user_id, name, \
             name_key, secret_hash, expiry, allowed_addresses, permissions, enabled, last_used_date) \
             SELECT {own}, 1, {created}, {created}, {maker}, 'maker', {maker}, 'maker', {own}, \
             'token ' || n, 'token ' || n, {hash}, {expiry}, {addresses}, {permissions}, TRUE, \
             {last_used} FROM {series}; \
             INSERT INTO audit_events (id, date, action, actor_user_id, actor_user_name, target_id, \
             changes) SELECT {own}, {created}, 'api_token_created', {maker}, 'maker', {own}, '[]' \
             FROM {series}; \
             COMMIT{end}"
        )
    }
}

/// The id of a row.
pub fn id(number: usize) -> Uuid {
    Uuid::from_u128(number as u128)
}

/// When a row was made.
pub fn created(number: usize) -> Instant {
    second(FIRST + number as i64)
}

/// When a token expires.
pub fn expiry(number: usize) -> Instant {
    second(EXPIRY + number as i64 * 7919 % 1_000_000)
}

fn second(second: i64) -> Instant {
    Instant::from_timestamp(second, 0).unwrap()
}
