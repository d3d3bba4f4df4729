//! Migrations: the same on both databases, and reversible.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use diesel::{Connection, SqliteConnection};
use diesel_migrations::{FileBasedMigrations, MigrationHarness};

use crate::support::{Binary, TestDatabase};

/// What a database looks like, but for what the migrations are recorded in.
const TABLES: &str = "SELECT coalesce(sql, name) AS text FROM sqlite_master \
                      WHERE name NOT LIKE '%diesel%' ORDER BY name";

fn folder(backend: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(backend)
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn both_databases_have_the_same_migrations_there_and_back() {
    let sqlite = names(&folder("sqlite"));
    assert!(!sqlite.is_empty());
    assert_eq!(sqlite, names(&folder("postgres")));
    let both = BTreeSet::from(["down.sql".to_owned(), "up.sql".to_owned()]);
    for backend in ["sqlite", "postgres"] {
        for name in &sqlite {
            let folder = folder(backend).join(name);
            assert_eq!(names(&folder), both, "{}", folder.display());
            for file in &both {
                let text = std::fs::read_to_string(folder.join(file)).unwrap();
                assert_ne!(text.trim(), "", "{backend} {name} {file}");
            }
        }
    }
}

#[test]
fn up_down_and_up_again_gives_the_same_tables() {
    let database = TestDatabase::new();
    let path = database.url_text();
    let path = path.strip_prefix("sqlite:").unwrap();
    let mut connection = SqliteConnection::establish(path).unwrap();
    let migrations = || FileBasedMigrations::from_path(folder("sqlite")).unwrap();

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

#[test]
fn the_program_applies_every_migration_of_the_folder() {
    let database = TestDatabase::new();
    assert_eq!(Binary::on(&database, &["migrate"]).run().code, Some(0));
    let applied = "SELECT version AS text FROM __diesel_schema_migrations ORDER BY version";
    let versions: Vec<String> = names(&folder("sqlite"))
        .iter()
        .map(|name| name.split('_').next().unwrap().replace('-', ""))
        .collect();
    assert_eq!(database.texts(applied), versions);
}
