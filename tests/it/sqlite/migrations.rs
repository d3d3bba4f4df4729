//! The migrations are reversible, and need nothing but the folder of the database.

use std::process::Command;

use diesel::{Connection, SqliteConnection};
use diesel_migrations::{FileBasedMigrations, MigrationHarness};

use crate::support::{Binary, TestDatabase, assert_ended, migrated, undo_migrations};

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

/// With so many rows that SQLite sorts them in files.
fn of_the_first_version() -> TestDatabase {
    let database = migrated();
    database.fill(20_000);
    undo_migrations(&database, "20261124");
    database
}

#[test]
fn a_migration_writes_nowhere_but_in_the_folder_of_the_database() {
    let database = of_the_first_version();
    let folder = database.folder().to_str().unwrap();
    let mut command = Command::new("bwrap");
    command.args(["--ro-bind", "/", "/", "--dev", "/dev", "--bind", folder, folder]);
    command.args(["--chdir", "/", "--die-with-parent", env!("CARGO_BIN_EXE_tokenwright")]);
    command.args(["migrate", "--database-url", &database.url_text()]);
    assert_ended(&Binary::from(command).run(), 0, "applied");
}

#[test]
fn a_migration_that_the_disk_ends_says_so_and_leaves_nothing() {
    let database = of_the_first_version();
    let before = database.texts(TABLES);
    // A disk that is full, as a bound on the size of files.
    let script = "trap '' XFSZ; ulimit -f 1000; exec \"$0\" \"$@\"";
    let mut command = Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_tokenwright"), "migrate", "--database-url"]);
    command.arg(database.url_text());
    let ended = Binary::from(command).run();
    assert_ended(&ended, 1, "a migration failed: ");
    assert_ended(&ended, 1, "disk I/O error");
    assert_eq!(database.texts(TABLES), before);
    assert_ended(&Binary::on(&database, &["migrate"]).run(), 0, "applied");
}
