//! Migrations: the same for both databases.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::support::{Binary, TestDatabase};

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
