//! Migrations: to the same tables as in SQLite, there and back, by several programs at once, and
//! with no more rights than each program needs.

use diesel::Connection;
use diesel_async::AsyncPgConnection;
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_migrations::{FileBasedMigrations, MigrationHarness};
use serde_json::json;
use similar::TextDiff;

use super::cluster::{self, ROLE};
use super::likeness::{of_postgres, of_sqlite};
use super::{TestDatabase, sql};
use crate::support::{
    Binary, administrator, assert_ended, eventually, files, migrated, migration_names,
    undo_migrations,
};

const CREATE_TOKEN: [&str; 7] =
    ["admin", "create-token", "--name", "a", "--expires-in", "1h", "--all-permissions"];

#[test]
fn the_tables_are_those_of_sqlite() {
    let database = migrated();
    let sqlite = ["migrate", "--database-url", "sqlite:t.db"];
    assert_ended(&Binary::new(database.folder(), &sqlite).run(), 0, "applied");
    let sqlite = of_sqlite(&database.folder().join("t.db")).join("\n");
    let postgres = of_postgres(&database).join("\n");
    assert!(sqlite.contains("users: column 01 id TEXT not null"), "{sqlite}");
    let difference = TextDiff::from_lines(&sqlite, &postgres);
    let difference = difference.unified_diff().header("SQLite", "PostgreSQL").to_string();
    assert!(difference.is_empty(), "\n{difference}");
}

#[test]
fn up_down_and_up_again_gives_the_same_tables() {
    let database = TestDatabase::new();
    let left = "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace \
                UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace \
                UNION ALL SELECT typname FROM pg_type WHERE typnamespace = 'public'::regnamespace";
    let ours = |name: &String| !name.contains("__diesel_schema_migrations");
    let left = || database.texts(left).into_iter().filter(ours).collect::<Vec<_>>();
    let url = database.url_text();
    let mut connection = AsyncConnectionWrapper::<AsyncPgConnection>::establish(&url).unwrap();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/postgres");
    let migrations = || FileBasedMigrations::from_path(folder).unwrap();

    connection.run_pending_migrations(migrations()).unwrap();
    let first = of_postgres(&database);
    assert!(first.iter().any(|line| line.starts_with("api_tokens: ")));
    connection.revert_all_migrations(migrations()).unwrap();
    assert_eq!(left(), [""; 0], "nothing is left of it");
    connection.run_pending_migrations(migrations()).unwrap();
    assert_eq!(of_postgres(&database), first);
    assert_eq!(database.texts("SELECT name FROM users"), ["system"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn six_servers_may_start_and_migrate_at_once() {
    for isolation in ["read committed", "serializable", "read committed", "repeatable read"] {
        let database = TestDatabase::new();
        let name = database.name();
        let default = format!("SET default_transaction_isolation = '{isolation}'");
        database.execute(&format!("ALTER DATABASE {name} {default}"));
        let serve = || {
            let serve = ["serve", "--migrate", "--listen", "127.0.0.1:0"];
            Binary::on(&database, &serve).args(&["--database-connections", "2"]).start()
        };
        let started: Vec<_> = (0..6).map(|_| serve()).collect();
        for running in &started {
            let ready = format!("http://{}/readyz", running.listening());
            assert_eq!(reqwest::get(ready).await.unwrap().status(), 200);
        }
        // One transaction has written what there is: `run_on` is when it began.
        let transactions = "SELECT DISTINCT run_on FROM __diesel_schema_migrations";
        assert_eq!(database.texts(transactions).len(), 1);
        assert_eq!(database.texts("SELECT name FROM users"), ["system"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn six_servers_may_start_at_once_after_an_upgrade() {
    let database = migrated();
    let name = database.name();
    for isolation in ["serializable", "repeatable read", "read committed"] {
        let default = format!("SET default_transaction_isolation = '{isolation}'");
        database.execute(&format!("ALTER DATABASE {name} {default}"));
        // As if an earlier version had made the keys of names, and known no permission.
        database.execute("UPDATE name_keys SET version = 0; DELETE FROM permissions");
        let held = sql::hold(&database.url_text(), "BEGIN; SELECT FROM name_keys FOR UPDATE");
        let serve = || Binary::on(&database, &["serve", "--listen", "127.0.0.1:0"]).start();
        let started: Vec<_> = (0..6).map(|_| serve()).collect();
        eventually("all want to make the keys", || database.waiting() == 6).await;
        drop(held);
        for running in &started {
            running.listening();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_is_applied_under_running_servers() {
    let database = migrated();
    let servers = [(); 2].map(|()| Binary::on(&database, &["serve"]).serve());
    undo_migrations(&database, "");
    for server in &servers {
        assert_eq!(server.get("/readyz").await.status, 503);
    }
    let applied = format!("applied {}", migration_names(&database).len());
    assert_ended(&Binary::on(&database, &["migrate"]).run(), 0, &applied);
    let third = Binary::on(&database, &["serve", "--migrate"]).serve();
    let token = administrator(&database, "caller");
    for server in servers.iter().chain([&third]) {
        assert_eq!(server.get("/readyz").await.status, 200);
        let answer = server.graphql(&token, "{ currentApiToken { name } }", json!({})).await;
        assert_eq!(answer.data()["currentApiToken"]["name"], "caller");
    }
}

/// A migration that waits while the table of tokens is locked.
const CHANGES_TOKENS: &str = "20261127000010";

/// Or else it would hold the locks that it has, or get, until the statement ends. Here that is one
/// without an end, which waits for another migration.
#[tokio::test(flavor = "multi_thread")]
async fn the_server_notices_that_a_migration_was_killed() {
    let database = migrated();
    undo_migrations(&database, CHANGES_TOKENS);
    let held = database.migration_lock();
    let migrating = Binary::on(&database, &["migrate"]).start();
    eventually("it waits for the lock", || database.waiting() == 1).await;
    migrating.signal("KILL");
    eventually("the session ends", || database.sessions().is_empty()).await;
    drop(held);
    assert_ended(&Binary::on(&database, &["migrate"]).run(), 0, "applied");
}

/// Who reads would wait as long, behind the migration.
#[test]
fn a_migration_does_not_wait_for_whoever_keeps_a_table() {
    let database = migrated();
    undo_migrations(&database, CHANGES_TOKENS);
    let applied = || database.texts("SELECT version FROM __diesel_schema_migrations").len();
    let before = applied();
    // As `pg_dump` does.
    let keeps = "BEGIN; LOCK TABLE api_tokens IN ACCESS SHARE MODE";
    let held = sql::hold(&database.url_text(), keeps);
    let migrate = || Binary::on(&database, &["migrate"]).run();
    assert_ended(&migrate(), 1, "another session uses the tables");
    assert_eq!(applied(), before);
    drop(held);
    assert_ended(&migrate(), 0, "applied");
}

/// PostgreSQL would end one of the two.
#[tokio::test(flavor = "multi_thread")]
async fn a_migration_makes_room_for_what_instances_have_begun() {
    let database = migrated();
    undo_migrations(&database, CHANGES_TOKENS);
    for (first, then) in [("users", "api_tokens"), ("api_tokens", "users")] {
        let begun = format!("BEGIN; LOCK TABLE {first} IN ROW EXCLUSIVE MODE");
        let goes_on = format!("LOCK TABLE {then} IN ROW EXCLUSIVE MODE; COMMIT");
        let held = sql::hold_then(&database.url_text(), &begun, &goes_on);
        let migrating = Binary::on(&database, &["migrate"]).start();
        eventually("it waits for a table", || database.waiting() == 1).await;
        drop(held);
        assert_ended(&migrating.wait(), 0, "applied");
        undo_migrations(&database, CHANGES_TOKENS);
    }
}

#[test]
fn a_database_that_holds_other_tables_is_left_as_it_is() {
    let database = TestDatabase::new();
    database.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY)");
    let before = of_postgres(&database);
    for command in [&["migrate"][..], &["dev"], &["serve"], &["serve", "--migrate"], &CREATE_TOKEN]
    {
        let ended = Binary::on(&database, command).run();
        assert_ended(&ended, 1, "holds other tables (such as `orders`)");
    }
    assert_eq!(of_postgres(&database), before);
    assert_eq!(database.texts("SELECT to_regclass('__diesel_schema_migrations')"), [""]);
    assert_eq!(files(database.folder()), [""; 0]);
}

/// Makes a token, and deletes it through a server.
async fn assert_works(limited: impl Fn(&[&str]) -> Binary) {
    let made = limited(&CREATE_TOKEN).run();
    assert_ended(&made, 0, "tok_");
    let server = limited(&["serve", "--migrate"]).serve();
    assert_eq!(server.get("/readyz").await.status, 200);
    let token = made.stdout.trim_end();
    let own = server.graphql(token, "{ currentApiToken { id version } }", json!({})).await;
    let input = &own.data()["currentApiToken"];
    let delete = "mutation ($input: DeleteApiTokenInput!) { \
                  deleteApiToken(input: $input) { deletedApiTokenId } }";
    let deleted = server.graphql(token, delete, json!({ "input": input })).await;
    assert_eq!(deleted.data()["deleteApiToken"]["deletedApiTokenId"], input["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_needs_no_more_rights_than_to_read_and_write_rows() {
    // Roles are made by a superuser, so the server is our own.
    let cluster = cluster::shared();
    let database = TestDatabase::on(cluster);
    let role = format!("limited_{}", database.name());
    let superuser = |sql: &str| {
        sql::run(&cluster.url_as("postgres", database.name()), sql).unwrap();
    };
    superuser(&format!("CREATE ROLE {role} LOGIN"));
    superuser("REVOKE ALL ON SCHEMA public FROM PUBLIC");
    superuser(&format!("GRANT ALL ON SCHEMA public TO {ROLE}"));
    let limited = |command: &[&str]| {
        let url = cluster.url_as(&role, database.name());
        Binary::new(database.folder(), command).args(&["--database-url", &url])
    };
    let migrate = || Binary::on(&database, &["migrate"]).run();

    assert_ended(&limited(&["serve"]).run(), 1, "GRANT USAGE ON SCHEMA public");
    superuser(&format!("GRANT USAGE ON SCHEMA public TO {role}"));
    for command in [&["migrate"][..], &["serve", "--migrate"]] {
        assert_ended(&limited(command).run(), 1, "permission denied for schema public");
    }
    assert_ended(&migrate(), 0, "applied");
    assert_ended(&limited(&["serve"]).run(), 1, "permission denied for table");
    let rows = "SELECT, INSERT, UPDATE, DELETE";
    database.execute(&format!("GRANT {rows} ON ALL TABLES IN SCHEMA public TO {role}"));
    assert_ended(&limited(&["migrate"]).run(), 0, "up to date");
    assert_works(limited).await;

    undo_migrations(&database, "");
    let later =
        format!("ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT {rows} ON TABLES TO {role}");
    database.execute(&later);
    assert_ended(&limited(&["migrate"]).run(), 1, "permission denied");
    assert_ended(&migrate(), 0, "applied");
    assert_works(limited).await;
}
