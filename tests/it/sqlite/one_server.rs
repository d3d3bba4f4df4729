//! One server on one SQLite file, no migration under it, and nothing written by only looking.

use crate::support::{
    Binary, TestDatabase, assert_ended, files, migrated, migration_names, undo_migrations,
};

/// As if this version had a migration that was not applied yet.
const FORGET: &str = "DELETE FROM __diesel_schema_migrations";

const CREATE_TOKEN: [&str; 7] =
    ["admin", "create-token", "--name", "a", "--expires-in", "1h", "--all-permissions"];

#[test]
fn another_name_of_the_file_is_the_same_file() {
    let database = migrated();
    let link = database.folder().join("link.db");
    std::os::unix::fs::symlink("test.db", &link).unwrap();
    let url = format!("sqlite:{}", link.display());
    let _first = Binary::on(&database, &["serve"]).serve();
    let second = ["serve", "--listen", "127.0.0.1:0", "--database-url", &url];
    let second = Binary::new(database.folder(), &second).run();
    assert_ended(&second, 1, "another tokenwright server uses");
    let beside = files(database.folder());
    assert!(!beside.iter().any(|name| name.starts_with("link.db.")), "{beside:?}");
}

#[test]
fn nothing_is_migrated_under_a_running_server() {
    let database = migrated();
    let first = Binary::on(&database, &["serve"]).serve();
    let migrate = || Binary::on(&database, &["migrate"]).run();
    assert_ended(&migrate(), 0, "up to date");
    database.execute(FORGET);
    assert_ended(&migrate(), 1, "stop the server first");
    for second in [&["serve", "--migrate"][..], &["dev"]] {
        let second = Binary::on(&database, second).args(&["--listen", "127.0.0.1:0"]);
        assert_ended(&second.run(), 1, "another tokenwright server uses");
    }
    assert_eq!(first.stop().code, Some(0));
    undo_migrations(&database, "");
    let applied = format!("applied {}", migration_names(&database).len());
    assert_ended(&migrate(), 0, &applied);
}

#[test]
fn a_database_that_holds_other_tables_is_left_as_it_is() {
    let database = TestDatabase::new();
    database.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY)");
    let path = database.folder().join("test.db");
    let before = std::fs::read(&path).unwrap();
    for command in [&["migrate"][..], &["dev"], &["serve"], &["serve", "--migrate"], &CREATE_TOKEN]
    {
        let ended = Binary::on(&database, command).run();
        assert_ended(&ended, 1, "holds other tables (such as `orders`)");
    }
    assert!(std::fs::read(&path).unwrap() == before);
    let beside = files(database.folder());
    assert_eq!(beside, ["test.db", "test.db.migrating.lock"]);
}

#[test]
fn looking_at_a_database_writes_nothing() {
    let database = TestDatabase::new();
    database.execute("PRAGMA user_version = 1");
    let path = database.folder().join("test.db");
    let before = std::fs::read(&path).unwrap();
    let migrations = migration_names(&database).len();
    for command in [&["serve"][..], &CREATE_TOKEN] {
        let ended = Binary::on(&database, command).run();
        assert_ended(&ended, 1, &format!("not migrated ({migrations} to apply)"));
    }
    assert!(std::fs::read(&path).unwrap() == before);
    let migrate = Binary::on(&database, &["migrate"]).run();
    assert_ended(&migrate, 0, &format!("applied {migrations}"));
}
