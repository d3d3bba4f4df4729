//! A database for one test, looked into past the application.

use diesel::connection::SimpleConnection;
use diesel::{Connection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use tempfile::TempDir;
use tokenwright::db::DatabaseUrl;

/// A database in a folder of its own, removed with it.
pub struct TestDatabase {
    folder: TempDir,
}

#[derive(QueryableByName)]
struct Text {
    #[diesel(sql_type = diesel::sql_types::Text)]
    text: String,
}

impl TestDatabase {
    /// A folder for a database; the file is made by migrating.
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// The folder, for files beside the database.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
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

    /// Holds the write lock, as another process could, until the answer is dropped.
    pub fn write_lock(&self) -> impl Send {
        let mut connection = self.connection();
        connection.batch_execute("BEGIN IMMEDIATE").unwrap();
        connection
    }

    /// The first column, called `text`, of a query.
    pub fn texts(&self, sql: &str) -> Vec<String> {
        let rows: Vec<Text> = sql_query(sql).load(&mut self.connection()).unwrap();
        rows.into_iter().map(|row| row.text).collect()
    }

    /// The number of rows in a table.
    pub fn count(&self, table: &str) -> i64 {
        let sql = format!("SELECT CAST(count(*) AS TEXT) AS text FROM {table}");
        self.texts(&sql)[0].parse().unwrap()
    }

    fn connection(&self) -> SqliteConnection {
        let path = self.folder.path().join("test.db");
        let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        connection.batch_execute("PRAGMA busy_timeout = 10000").unwrap();
        connection
    }
}
