//! Rows, made by the database itself.

use tokenwright::domain::clock::Instant;
use uuid::Uuid;

/// What the databases write differently.
pub struct Dialect {
    /// Numbers from 1 to `SIZE`, as `n`.
    series: &'static str,
    id: &'static str,
    instant: &'static str,
    /// 32 bytes that no secret has.
    tag: &'static str,
    permissions: &'static str,
    addresses: &'static str,
}

pub const SQLITE: Dialect = Dialect {
    series: "(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < SIZE) \
             SELECT n FROM s) AS s",
    id: "printf('00000000-0000-0000-0000-%012x', NUMBER)",
    instant: "((SECOND) * 1000000)",
    tag: "randomblob(32)",
    permissions: "'[\"api.users.read\"]'",
    addresses: "'[]'",
};

pub const POSTGRES: Dialect = Dialect {
    series: "generate_series(1, SIZE::bigint) AS s(n)",
    id: "lpad(to_hex(NUMBER), 32, '0')::uuid",
    instant: "to_timestamp(SECOND)",
    tag: "decode(md5(n::text) || md5(n::text), 'hex')",
    permissions: "'{api.users.read}'",
    addresses: "'{}'",
};

/// The second that the first row was made in.
const FIRST: i64 = 1_600_000_000;
/// A second at which no token has expired.
const EXPIRY: i64 = 4_000_000_000;
/// Instants of expiry and of last use are spread over so many seconds.
const SPREAD: i64 = 1_000_000;
/// Users that made the tokens, each as many.
pub const MAKERS: usize = 10;

impl Dialect {
    /// Statements that make so many users, tokens with labels, and audit events. All tokens are
    /// live.
    pub fn rows(&self, size: usize) -> String {
        let (env, tenant) =
            ("CASE WHEN n % 10 = 0 THEN 'test' ELSE 'production' END", tenant_of("n", size));
        let labels = format!("'{{\"env\":\"' || {env} || '\",\"tenant\":\"' || {tenant} || '\"}}'");
        let tokens = self.tokens_with(size, &labels);
        let label = |key: &str, value: &str| {
            let own = self.id.replace("NUMBER", "n");
            let created = self.instant.replace("SECOND", &format!("{FIRST} + n"));
            let series = self.series(size);
            format!(
                "INSERT INTO api_token_labels (api_token_id, key, value, creation_date) \
                 SELECT {own}, '{key}', {value}, {created} FROM {series}"
            )
        };
        let labels = [label("env", env), label("tenant", &tenant)].join("; ");
        format!("BEGIN; {tokens}; {labels}; COMMIT")
    }

    /// The same without labels.
    pub fn tokens(&self, size: usize) -> String {
        format!("BEGIN; {}; COMMIT", self.tokens_with(size, "'{}'"))
    }

    fn tokens_with(&self, size: usize, labels: &str) -> String {
        let id = |number: &str| self.id.replace("NUMBER", number);
        let instant = |second: &str| self.instant.replace("SECOND", second);
        let (own, maker) = (id("n"), id(&format!("n % {MAKERS} + 1")));
        let created = instant(&format!("{FIRST} + n"));
        let expiry = instant(&format!("{EXPIRY} + n * 7919 % {SPREAD}"));
        let last_used = instant(&format!("{FIRST} + n * 104729 % {SPREAD}"));
        let series = self.series(size);
        let Self { permissions, addresses, tag, .. } = self;
        let hash = "(SELECT max(secret_hash) FROM api_tokens)";
        format!(
            "INSERT INTO users (id, version, creation_date, last_modified_date, name, \
             service_account, enabled, name_key) SELECT {own}, 1, {created}, {created}, \
             'token ' || n, TRUE, TRUE, \
             'token ' || n FROM {series}; \
             INSERT INTO api_tokens (id, version, creation_date, last_modified_date, \
             created_user_id, created_user_name, last_modified_user_id, \
             last_modified_user_name, user_id, name, \
             name_key, secret_hash, secret_tag, expiry, allowed_addresses, permissions, enabled, \
             last_used_date, labels) \
             SELECT {own}, 1, {created}, {created}, {maker}, 'maker', {maker}, 'maker', {own}, \
             'token ' || n, 'token ' || n, {hash}, {tag}, {expiry}, {addresses}, {permissions}, TRUE, \
             {last_used}, {labels} FROM {series}; \
             INSERT INTO audit_events (id, date, action, actor_user_id, actor_user_name, \
             target_id, changes) SELECT {own}, {created}, 'api_token_created', \
             {maker}, 'maker', {own}, '[]' \
             FROM {series}"
        )
    }

    /// Statements that make so many tokens that were made before all others and deleted a day
    /// later, as rotation leaves them: with their users, and two audit events each.
    pub fn deleted(&self, size: usize) -> String {
        // Beside the ids of `rows`.
        let id = |offset: u64| self.id.replace("NUMBER", &format!("n + {offset}"));
        let instant = |second: String| self.instant.replace("SECOND", &second);
        let (own, gone, maker) = (id(1 << 40), id(1 << 41), self.id.replace("NUMBER", "1"));
        let created = instant(format!("{FIRST} - 86400 - n"));
        let deleted = instant(format!("{FIRST} - n"));
        let series = self.series(size);
        let Self { permissions, addresses, tag, .. } = self;
        let event = |id: &str, at: &str, action: &str| {
            format!(
                "INSERT INTO audit_events (id, date, action, actor_user_id, actor_user_name, \
                 target_id, changes) SELECT {id}, {at}, '{action}', {maker}, 'maker', {own}, '[]' \
                 FROM {series}"
            )
        };
        let (made, ended) = (
            event(&own, &created, "api_token_renewed"),
            event(&gone, &deleted, "api_token_deleted"),
        );
        format!(
            "BEGIN; INSERT INTO users (id, version, creation_date, last_modified_date, name, \
             service_account, enabled, name_key) SELECT {own}, 2, {created}, {deleted}, \
             'rotated ' || n, TRUE, FALSE, 'rotated ' || n FROM {series}; \
             INSERT INTO api_tokens (id, version, creation_date, last_modified_date, \
             created_user_id, created_user_name, last_modified_user_id, \
             last_modified_user_name, user_id, name, \
             name_key, secret_hash, secret_tag, expiry, allowed_addresses, permissions, enabled, \
             deleted_date, last_used_date) \
             SELECT {own}, 2, {created}, {deleted}, {maker}, 'maker', {maker}, 'maker', {own}, \
             'rotated ' || n, 'rotated ' || n, '', {tag}, {deleted}, {addresses}, {permissions}, \
             TRUE, {deleted}, {created} FROM {series}; {made}; {ended}; COMMIT"
        )
    }

    fn series(&self, size: usize) -> String {
        self.series.replace("SIZE", &size.to_string())
    }
}

/// The value of the label `tenant` of a row, which ten tokens have, as SQL. Nine in ten tokens have
/// `env` with the value `production`, the others `test`.
fn tenant_of(number: &str, size: usize) -> String {
    format!("'t' || {number} % {}", size.div_ceil(10))
}

/// The id of a row.
pub fn id(number: usize) -> Uuid {
    Uuid::from_u128(number as u128)
}

/// When a row was made.
pub fn created(number: usize) -> Instant {
    second(FIRST + number as i64)
}

/// The expiry of what expires so far into the spread.
pub fn expiry(place: i64) -> Instant {
    second(EXPIRY + place)
}

/// The last use of what was used so far into the spread.
pub fn last_used(place: i64) -> Instant {
    second(FIRST + place)
}

/// A name in the middle of all.
pub fn middle_name() -> String {
    "token 5".to_owned()
}

fn second(second: i64) -> Instant {
    Instant::from_timestamp(second, 0).unwrap()
}
