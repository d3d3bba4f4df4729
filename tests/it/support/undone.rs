//! A database as an earlier version left it.

use std::path::{Path, PathBuf};

use tokenwright::db::DatabaseUrl;

use super::TestDatabase;

/// The names of the migrations, in their order.
pub fn migration_names(database: &TestDatabase) -> Vec<String> {
    let folders = std::fs::read_dir(folder(database)).unwrap();
    let mut names: Vec<String> =
        folders.map(|folder| folder.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    names
}

/// Undoes the migrations from this version on; an empty text: all of them.
pub fn undo_migrations(database: &TestDatabase, since: &str) {
    for name in migration_names(database).iter().rev().filter(|name| name.as_str() >= since) {
        let undo = folder(database).join(name).join("down.sql");
        database.execute(&std::fs::read_to_string(undo).unwrap());
    }
    database.execute(&format!("DELETE FROM __diesel_schema_migrations WHERE version >= '{since}'"));
}

fn folder(database: &TestDatabase) -> PathBuf {
    let backend = match database.url() {
        DatabaseUrl::Sqlite(_) => "sqlite",
        DatabaseUrl::Postgres(_) => "postgres",
    };
    Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(backend)
}
