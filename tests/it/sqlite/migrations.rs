//! The migrations are reversible.

use diesel::{Connection, SqliteConnection};
use diesel_migrations::{FileBasedMigrations, MigrationHarness};

use crate::support::TestDatabase;

/// What a database looks like, but for what the migrations are recorded in.
const TABLES: &str = "SELECT coalesce(sql, name) AS text FROM sqlite_master \
                      WHERE name NOT LIKE '%diesel%' ORDER BY name";

#[test]
fn up_down_and_up_again_gives_the_same_tables() {
    let database = TestDatabase::new();
    let path = database.url_text();
    let path = path.strip_prefix("sqlite:").unwrap();
    let mut connection = SqliteConnection::establish(path).unwrap();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/sqlite");
    let migrations = || FileBasedMigrations::from_path(folder).unwrap();

    connection.run_pending_migrations(migrations()).unwrap();
    let first = database.texts(TABLES);
    assert!(first.iter().any(|sql| sql.contains("CREATE TABLE api_tokens")));
    connection.revert_all_migrations(migrations()).unwrap();
    assert_eq!(database.texts(TABLES), [""; 0], "nothing is left of it");
    connection.run_pending_migrations(migrations()).unwrap();
    assert_eq!(database.texts(TABLES), first);
    let users = database.texts("SELECT name AS text FROM users");
    assert_eq!(users, ["system"]);
}
