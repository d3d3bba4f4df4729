//! A database for one test on a PostgreSQL server, looked into past the application.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use tempfile::TempDir;
use tokenwright::db::DatabaseUrl;
use tokenwright::domain::id::ApiTokenId;

use super::cluster::{Cluster, PASSWORD, shared};
use super::sql;
use crate::support::{Follower, Random, Server, eventually};

/// A database of its own on a server, removed with the value.
pub struct TestDatabase {
    name: String,
    /// URL of the server's own database.
    server: String,
    folder: TempDir,
}

impl TestDatabase {
    /// The place of the last write.
    pub const NEWEST: &str = "audit_events";

    /// Stored values that no token can have, as assignments of SQL.
    pub const UNREADABLE: &[&str] = &[
        "allowed_addresses = '{NULL}'",
        "allowed_addresses = '{10.0.0.0/8,NULL}'",
        "permissions = '{NULL}'",
        "permissions = '{{api.users.read,api.users.write}}'",
        "expiry = 'infinity'",
        "labels = ''",
        "labels = '[]'",
        "labels = '{\"tenant\": 7}'",
    ];

    /// A database without tables, on the server of `TOKENWRIGHT_TEST_POSTGRES_URL` or else on one
    /// that is started here.
    pub fn new() -> Self {
        match given_server() {
            Some(url) => Self::on_server(url),
            None => Self::on(shared()),
        }
    }

    /// A database without tables on this server.
    pub fn on(cluster: &Cluster) -> Self {
        Self::on_server(cluster.url("postgres"))
    }

    /// A database with these options of `CREATE DATABASE`.
    pub fn with_options(options: &str) -> Self {
        let server = given_server().unwrap_or_else(|| shared().url("postgres"));
        Self::created(server, options)
    }

    /// The same on the server of this URL.
    pub(super) fn on_server(server: String) -> Self {
        Self::created(server, "")
    }

    fn created(server: String, options: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let (process, number) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let name = format!("test_{process}_{number}");
        sql::run(&server, &format!("CREATE DATABASE {name} {options}")).unwrap();
        Self { name, server, folder: tempfile::tempdir().unwrap() }
    }

    /// A folder of its own, for settings files and the like.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Sets the clock of the database, for sessions that begin after this: they find a function of
    /// the same name before the built-in one.
    pub fn clock(&self) -> Follower {
        self.execute(&format!(
            "CREATE SCHEMA IF NOT EXISTS clock; \
             CREATE TABLE IF NOT EXISTS clock.setting (ahead INTERVAL, stopped TIMESTAMPTZ); \
             CREATE OR REPLACE FUNCTION clock.clock_timestamp() RETURNS TIMESTAMPTZ LANGUAGE sql \
             AS 'SELECT coalesce(stopped, pg_catalog.clock_timestamp() + ahead) \
                 FROM clock.setting'; \
             GRANT USAGE ON SCHEMA clock TO PUBLIC; GRANT SELECT ON clock.setting TO PUBLIC; \
             ALTER DATABASE {} SET search_path = \"$user\", public, clock, pg_catalog",
            self.name
        ));
        let url = self.url_text();
        Box::new(move |setting| {
            let ahead = setting.offset.num_microseconds().unwrap();
            let stopped = setting.stopped.map(|stopped| Self::instant(stopped.timestamp_micros()));
            let stopped = stopped.unwrap_or_else(|| "NULL".to_owned());
            let set = format!(
                "BEGIN; DELETE FROM clock.setting; INSERT INTO clock.setting VALUES \
                 ({ahead} * interval '1 microsecond', {stopped}); COMMIT"
            );
            sql::run(&url, &set).unwrap();
        })
    }

    /// Its name on the server.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The URL as it would be given on the command line.
    pub fn url_text(&self) -> String {
        let (server, query) = self.server.split_once('?').unwrap_or((&self.server, ""));
        let (server, _) = server.rsplit_once('/').unwrap();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{server}/{}{mark}{query}", self.name)
    }

    /// Host and port of the server.
    pub fn server(&self) -> String {
        let url = self.url_text();
        let (_, rest) = url.split_once('@').unwrap();
        let (server, _) = rest.split_once('/').unwrap();
        if server.contains(':') { server.to_owned() } else { format!("{server}:5432") }
    }

    /// The URL with other hosts in it.
    pub fn url_by_way_of(&self, addresses: &[SocketAddr]) -> String {
        let hosts: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        let url = self.url_text();
        let (start, rest) = url.split_once('@').unwrap();
        let (_, database) = rest.split_once('/').unwrap();
        format!("{start}@{}/{database}", hosts.join(","))
    }

    /// The URL.
    pub fn url(&self) -> DatabaseUrl {
        DatabaseUrl::parse(&self.url_text()).unwrap()
    }

    /// Runs statements past the application, as an operator could.
    pub fn execute(&self, sql: &str) {
        sql::run(&self.url_text(), sql).unwrap();
    }

    /// The first column of a query.
    pub fn texts(&self, sql: &str) -> Vec<String> {
        sql::run(&self.url_text(), sql).unwrap()
    }

    /// Every row of a table with all its columns.
    pub fn rows(&self, table: &str) -> Vec<String> {
        self.texts(&format!("SELECT kept::text FROM {table} kept ORDER BY id"))
    }

    /// The number of rows in a table.
    pub fn count(&self, table: &str) -> i64 {
        self.texts(&format!("SELECT count(*) FROM {table}"))[0].parse().unwrap()
    }

    /// The password in the URL.
    pub fn password() -> Option<String> {
        given_server().is_none().then(|| PASSWORD.to_owned())
    }

    /// Permissions or addresses, as SQL writes a stored list.
    pub fn list(items: &[&str]) -> String {
        format!("'{{{}}}'", items.join(","))
    }

    /// SQL for an instant, in microseconds since 1970.
    pub fn micros(column: &str) -> String {
        format!("(extract(epoch FROM {column}) * 1000000)::bigint")
    }

    /// SQL for a later instant than that of a column.
    pub fn later(column: &str, by: TimeDelta) -> String {
        format!("{column} + interval '{} microseconds'", by.num_microseconds().unwrap())
    }

    /// An instant of so many microseconds since 1970, as SQL writes it.
    pub fn instant(micros: i64) -> String {
        format!("timestamptz '1970-01-01T00:00:00Z' + {micros} * interval '1 microsecond'")
    }

    /// Keeps everybody from migrating, as a migration does, until the answer is dropped.
    pub fn migration_lock(&self) -> impl Send + use<> {
        sql::hold(&self.url_text(), "SELECT pg_advisory_lock(8389759048285647465)")
    }

    /// Keeps everybody from writing tokens, as an operator could, until the answer is dropped.
    pub fn write_lock(&self) -> impl Send + use<> {
        sql::hold(&self.url_text(), "BEGIN; LOCK TABLE api_tokens IN SHARE MODE")
    }

    /// Keeps everybody from reading tokens, until the answer is dropped.
    pub fn read_lock(&self) -> impl Send + use<> {
        sql::hold(&self.url_text(), "BEGIN; LOCK TABLE api_tokens IN ACCESS EXCLUSIVE MODE")
    }

    /// Changes a token as another instance does, and commits when the answer is dropped.
    pub fn change(&self, id: &str, assignments: &str) -> impl Send + use<> {
        let id: ApiTokenId = id.parse().unwrap();
        let [.., a, b, c, d, e, f, g, h] = *id.uuid().as_bytes();
        let [first, second] = [[a, b, c, d], [e, f, g, h]].map(i32::from_be_bytes);
        let change = format!(
            "BEGIN; SELECT pg_advisory_xact_lock({first}, {second}); \
             UPDATE api_tokens SET {assignments} WHERE id = '{}'",
            id.uuid()
        );
        sql::hold_then(&self.url_text(), &change, "COMMIT")
    }

    /// What may happen to the database at any time: now and then its statistics are renewed, which
    /// makes every session plan its statements again.
    pub fn maintain(&self, random: &mut Random) {
        if random.once_in(20) {
            self.execute("ANALYZE api_tokens");
        }
    }

    /// Waits until a transaction of the application waits for such a change.
    pub async fn until_waited_for(&self) {
        eventually("a transaction waits", || self.waiting() > 0).await;
    }

    /// From now on there are no events, and it takes a tenth of a second to find that out.
    pub fn make_events_slow(&self) {
        self.execute(
            "ALTER TABLE audit_events RENAME TO kept_events; \
             CREATE VIEW audit_events AS SELECT * FROM kept_events \
             WHERE (SELECT 1 FROM pg_sleep(0.1)) IS NULL; \
             CREATE RULE unrecorded AS ON INSERT TO audit_events DO INSTEAD NOTHING",
        );
    }

    /// What the application's sessions do: `idle` and so on, or `waits` for a lock.
    pub fn sessions(&self) -> Vec<String> {
        self.texts(
            "SELECT CASE WHEN wait_event_type = 'Lock' THEN 'waits' ELSE state END \
             FROM pg_stat_activity \
             WHERE datname = current_database() AND application_name = 'tokenwright'",
        )
    }

    /// How many of the application's sessions wait for a lock on behalf of a request. Uses are
    /// recorded later, at any time.
    pub fn waiting(&self) -> usize {
        let sessions = "SELECT 1 FROM pg_stat_activity \
                        WHERE datname = current_database() AND application_name = 'tokenwright' \
                        AND wait_event_type = 'Lock' \
                        AND query NOT LIKE 'UPDATE \"api_tokens\" SET \"last_used_date\"%'";
        self.texts(sessions).len()
    }

    /// Has the application no transaction open, and no lock?
    pub fn is_quiet(&self) -> bool {
        let locks = "SELECT 1 FROM pg_locks JOIN pg_stat_activity USING (pid) \
                     WHERE datname = current_database() AND application_name = 'tokenwright'";
        self.sessions().iter().all(|session| session == "idle") && self.texts(locks).is_empty()
    }

    /// Measures what a server reads until it is handed in here, which ends it: rows of tables. A
    /// session reports what it has read when it ends.
    pub fn meter(&self) -> impl FnOnce(Server) -> u64 {
        let read = || -> u64 {
            let sum = "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) \
                       FROM pg_stat_user_tables WHERE relname IN ('api_tokens', 'users')";
            self.texts(sum)[0].parse().unwrap()
        };
        self.execute("ANALYZE");
        let before = read();
        move |server| {
            server.stop();
            while !self.sessions().is_empty() {
                std::thread::sleep(Duration::from_millis(10));
            }
            read() - before
        }
    }

    /// Makes every insertion into a table fail with this message.
    pub fn refuse_inserts(&self, table: &str, message: &str) {
        self.execute(&format!(
            "CREATE FUNCTION refused() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION '{message}'; END $$; \
             CREATE TRIGGER refused BEFORE INSERT ON {table} EXECUTE FUNCTION refused()",
        ));
    }

    /// All that is kept: each table with its rows, and the server's log where it can be read.
    pub fn kept(&self) -> Vec<(String, Vec<u8>)> {
        let tables = "SELECT relname FROM pg_class WHERE relkind = 'r' \
                      AND relnamespace = 'public'::regnamespace";
        let rows = |table: String| {
            let rows = self.texts(&format!("SELECT kept::text FROM {table} kept")).join("\n");
            (table, rows.into_bytes())
        };
        let mut kept: Vec<_> = self.texts(tables).into_iter().map(rows).collect();
        if given_server().is_none() {
            kept.push(("the log of the server".to_owned(), shared().log()));
        }
        kept
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // A server that a test has stopped takes its databases with it.
        let _gone = sql::run(&self.server, &format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

/// A server that the tests are to use instead of their own.
#[expect(clippy::disallowed_methods, reason = "a setting of the tests, not of the program")]
fn given_server() -> Option<String> {
    std::env::var("TOKENWRIGHT_TEST_POSTGRES_URL").ok()
}
