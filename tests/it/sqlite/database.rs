//! A SQLite file for one test, looked into past the application.

use std::time::Duration;

use chrono::TimeDelta;
use diesel::connection::SimpleConnection;
use diesel::{Connection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use tempfile::TempDir;
use tokenwright::db::DatabaseUrl;
use tokenwright::domain::id::ApiTokenId;

use crate::support::{Follower, Random, Server};

/// A database in a folder of its own, removed with it.
pub struct TestDatabase {
    folder: TempDir,
}

/// A transaction that is committed when this is dropped.
struct Changed(SqliteConnection);

impl Drop for Changed {
    fn drop(&mut self) {
        self.0.batch_execute("COMMIT").unwrap();
    }
}

#[derive(QueryableByName)]
struct Text {
    #[diesel(sql_type = diesel::sql_types::Text)]
    text: String,
}

impl TestDatabase {
    /// The place of the last write.
    pub const NEWEST: &str = "test.db-wal";

    /// Stored values that no token can have, as assignments of SQL.
    pub const UNREADABLE: &[&str] = &[
        "allowed_addresses = 'anywhere'",
        "allowed_addresses = '[\"10.0.0.0/8\", \"anywhere\"]'",
        "allowed_addresses = ''",
        "permissions = 'everything'",
        "expiry = 9223372036854775807",
        "labels = ''",
        "labels = '[]'",
        "labels = '{\"tenant\": 7}'",
    ];

    /// A folder for a database; the file is made by migrating.
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// The folder, for files next to the database.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Sets the clock of the database, which has none of its own.
    pub fn clock(&self) -> Follower {
        Box::new(|_| ())
    }

    /// The URL as it would be given on the command line.
    pub fn url_text(&self) -> String {
        format!("sqlite:{}", self.folder.path().join("test.db").display())
    }

    /// The URL.
    pub fn url(&self) -> DatabaseUrl {
        DatabaseUrl::parse(&self.url_text()).unwrap()
    }

    /// Runs statements past the application, as an operator could.
    pub fn execute(&self, sql: &str) {
        self.connection().batch_execute(sql).unwrap();
    }

    /// The first column of a query, which is called `text`.
    pub fn texts(&self, sql: &str) -> Vec<String> {
        let rows: Vec<Text> = sql_query(sql).load(&mut self.connection()).unwrap();
        rows.into_iter().map(|row| row.text).collect()
    }

    /// Every row of a table with all its columns.
    pub fn rows(&self, table: &str) -> Vec<String> {
        let columns = format!(
            "SELECT group_concat('quote(' || name || ')', ' || '' '' || ') AS text \
             FROM pragma_table_info('{table}')"
        );
        let columns = &self.texts(&columns)[0];
        self.texts(&format!("SELECT {columns} AS text FROM {table} ORDER BY id"))
    }

    /// The number of rows in a table.
    pub fn count(&self, table: &str) -> i64 {
        let sql = format!("SELECT CAST(count(*) AS TEXT) AS text FROM {table}");
        self.texts(&sql)[0].parse().unwrap()
    }

    /// The password in the URL.
    pub fn password() -> Option<String> {
        None
    }

    /// Permissions or addresses, as SQL writes a stored list.
    pub fn list(items: &[&str]) -> String {
        format!("'{}'", serde_json::to_string(items).unwrap())
    }

    /// SQL for an instant, in microseconds since 1970.
    pub fn micros(column: &str) -> String {
        column.to_owned()
    }

    /// SQL for a later instant than that of a column.
    pub fn later(column: &str, by: TimeDelta) -> String {
        format!("{column} + {}", by.num_microseconds().unwrap())
    }

    /// An instant of so many microseconds since 1970, as SQL writes it.
    pub fn instant(micros: i64) -> String {
        micros.to_string()
    }

    /// Keeps everybody from migrating, as a migration does, until the answer is dropped.
    pub fn migration_lock(&self) -> impl Send + use<> {
        let file = std::fs::File::create(self.folder.path().join("test.db.migrating.lock"));
        let file = file.unwrap();
        file.lock().unwrap();
        file
    }

    /// Holds the write lock, as another process could, until the answer is dropped.
    pub fn write_lock(&self) -> impl Send {
        let mut connection = self.connection();
        connection.batch_execute("BEGIN IMMEDIATE").unwrap();
        connection
    }

    /// Changes a token as another process does, and commits when the answer is dropped.
    pub fn change(&self, id: &str, assignments: &str) -> impl Send + use<> {
        let id: ApiTokenId = id.parse().unwrap();
        let mut connection = self.connection();
        let change = format!("UPDATE api_tokens SET {assignments} WHERE id = '{}'", id.uuid());
        connection.batch_execute(&format!("BEGIN IMMEDIATE; {change}")).unwrap();
        Changed(connection)
    }

    /// What may happen to the database at any time: one of the ways to fold the log, or none.
    pub fn maintain(&self, random: &mut Random) {
        if let Some(how) = ["PASSIVE", "RESTART", "TRUNCATE"].get(random.below(6)) {
            // It may find readers, and then does less.
            self.execute(&format!("PRAGMA busy_timeout = 50; PRAGMA wal_checkpoint({how})"));
        }
    }

    /// Waits for as long as it usually takes until a transaction of the application waits for such
    /// a change; nothing tells.
    pub async fn until_waited_for(&self) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    /// From now on there are no events, and it takes a tenth of a second or so to find that out.
    pub fn make_events_slow(&self) {
        self.execute(
            "ALTER TABLE audit_events RENAME TO kept_events; \
             CREATE VIEW audit_events AS \
             WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 200000) \
             SELECT kept_events.* FROM s JOIN kept_events ON kept_events.id = -n; \
             CREATE TRIGGER unrecorded INSTEAD OF INSERT ON audit_events BEGIN SELECT 1; END",
        );
    }

    /// Reads, as a shell in a transaction does, until the answer is dropped.
    pub fn read_transaction(&self) -> impl Send + use<> {
        let mut connection = self.connection();
        connection.batch_execute("BEGIN; SELECT count(*) FROM users").unwrap();
        connection
    }

    /// Stores so many tokens, their users and an event for each.
    pub fn fill(&self, rows: usize) {
        const ID: &str = "printf('%08x-0000-7000-8000-000000000001', n)";
        const SYSTEM: &str = "'00000000-0000-7000-8000-000000000000'";
        let numbers = format!(
            "WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {rows})"
        );
        self.execute(&format!(
            "BEGIN; \
             INSERT INTO users (id, version, creation_date, last_modified_date, name, \
             service_account, enabled, name_key) {numbers} \
             SELECT {ID}, 1, n, n, 'row ' || n, TRUE, TRUE, 'row ' || n FROM s; \
             INSERT INTO api_tokens (id, version, creation_date, last_modified_date, \
             created_user_id, created_user_name, last_modified_user_id, last_modified_user_name, \
             user_id, name, name_key, secret_hash, expiry, allowed_addresses, permissions, enabled) \
             {numbers} SELECT {ID}, 1, n, n, {SYSTEM}, 'system', {SYSTEM}, 'system', {ID}, \
             'row ' || n, 'row ' || n, 'x', 4000000000000000, '[]', '[\"api.users.read\"]', TRUE \
             FROM s; \
             INSERT INTO audit_events (id, date, action, actor_user_id, actor_user_name, target_id, \
             changes) {numbers} SELECT {ID}, n, 'api_token_created', {SYSTEM}, 'system', {ID}, '[]' \
             FROM s; \
             COMMIT",
        ));
    }

    /// Has the application no transaction open that writes?
    pub fn is_quiet(&self) -> bool {
        let at_once = "PRAGMA busy_timeout = 0; BEGIN IMMEDIATE; ROLLBACK";
        self.connection().batch_execute(at_once).is_ok()
    }

    /// Makes every insertion into a table fail with this message.
    pub fn refuse_inserts(&self, table: &str, message: &str) {
        self.execute(&format!(
            "CREATE TRIGGER refused BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, '{message}'); END",
        ));
    }

    /// All that is kept: each file with its name.
    pub fn kept(&self) -> Vec<(String, Vec<u8>)> {
        let entries = std::fs::read_dir(self.folder()).unwrap();
        let file = |entry: std::fs::DirEntry| {
            let name = entry.file_name().into_string().unwrap();
            (name, std::fs::read(entry.path()).unwrap())
        };
        entries.map(|entry| file(entry.unwrap())).collect()
    }

    /// Measures what a server reads until it is handed in here, which ends it: the bytes of files.
    pub fn meter(&self) -> impl FnOnce(Server) -> u64 + use<> {
        |server: Server| {
            let path = format!("/proc/{}/io", server.running.id());
            let text = std::fs::read_to_string(path).unwrap();
            let read = text.lines().find_map(|line| line.strip_prefix("rchar: ")).unwrap();
            server.stop();
            read.parse().unwrap()
        }
    }

    fn connection(&self) -> SqliteConnection {
        let path = self.folder.path().join("test.db");
        let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        connection.batch_execute("PRAGMA busy_timeout = 10000").unwrap();
        connection
    }
}
