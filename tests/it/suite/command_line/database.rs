//! The database that a command meets: a wrong URL, no server, no migrations, or newer ones.

use std::net::TcpListener;

use super::{CREATE_TOKEN, HIDDEN, leaving_no_file, on_a_database};
use crate::support::{Binary, TestDatabase, assert_ended, files, migrated};

#[test]
fn a_wrong_database_url_ends_with_2_and_is_not_repeated() {
    for url in [
        "mysql://someone:hidden-word@localhost/db",
        "postgresq://someone:hidden-word@localhost/db",
        "someone:hidden-word@localhost/db",
        "hidden-word.db",
        "postgres://someone:hidden-word@localhost:port/db",
        "postgres://someone:hidden-word@localhost/db?nonsense=1",
        "sqlite:",
        "sqlite::memory:",
        "sqlite::memory:?cache=shared",
        "sqlite:t.db?mode=ro",
        "sqlite:///tmp/t.db?mode=rwc&hidden-word",
        "sqlite:t.db#hidden-word",
        "sqlite:t.db\n.old",
        "sqlite: \n",
        "",
    ] {
        for command in on_a_database() {
            let ended = leaving_no_file(&[&command[..], &["--database-url", url]].concat());
            assert_eq!(ended.code, Some(2), "{command:?} {url}: {}", ended.stderr);
            assert!(!ended.stderr.contains(HIDDEN), "{}", ended.stderr);
        }
    }
}

#[test]
fn a_postgresql_out_of_reach_ends_with_1_and_the_cause() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let url = format!("postgres://someone:{HIDDEN}@{address}/db");
    for command in on_a_database() {
        let ended = leaving_no_file(&[&command[..], &["--database-url", &url]].concat());
        assert_ended(&ended, 1, "Connection refused");
        assert!(!ended.stderr.contains(HIDDEN), "{}", ended.stderr);
    }
}

#[test]
fn serve_and_admin_need_a_migrated_database_and_make_none() {
    for command in [&["serve"][..], &CREATE_TOKEN] {
        let missing = leaving_no_file(&[command, &["--database-url", "sqlite:t.db"]].concat());
        assert_ended(&missing, 1, "tokenwright migrate");
        let default = leaving_no_file(command);
        assert_ended(&default, 1, "tokenwright migrate");

        let empty = TestDatabase::new();
        empty.execute("CREATE TABLE gone (id INTEGER); DROP TABLE gone");
        let unmigrated = Binary::on(&empty, command).run();
        assert_ended(&unmigrated, 1, "tokenwright migrate");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn serve_migrates_where_it_is_told_to() {
    let database = TestDatabase::new();
    for _ in 0..2 {
        let server = Binary::on(&database, &["serve", "--migrate"]).serve();
        assert_eq!(server.get("/readyz").await.status, 200);
        assert_ended(&server.stop(), 0, "");
    }
}

#[test]
fn a_database_of_a_newer_version_is_left_alone() {
    let database = migrated();
    database.execute(
        "INSERT INTO __diesel_schema_migrations (version, run_on) \
         VALUES ('99991231000000', CURRENT_TIMESTAMP)",
    );
    for command in on_a_database() {
        let ended = Binary::on(&database, &command).run();
        assert_ended(&ended, 1, "newer version of tokenwright");
        assert_ended(&ended, 1, "99991231000000");
    }
    let ended = Binary::on(&database, &["serve", "--migrate"]).run();
    assert_ended(&ended, 1, "newer version of tokenwright");
}

#[test]
fn migrating_twice_does_nothing_more() {
    let database = migrated();
    let again = Binary::on(&database, &["migrate"]).run();
    assert_ended(&again, 0, "up to date");
    assert_eq!(again.stdout, "");
}

#[test]
fn six_may_migrate_at_once() {
    let database = TestDatabase::new();
    let started: Vec<_> = (0..6).map(|_| Binary::on(&database, &["migrate"]).start()).collect();
    let applied: usize = started
        .into_iter()
        .map(|running| running.wait())
        .inspect(|ended| assert_ended(ended, 0, ""))
        .filter(|ended| ended.stderr.contains("applied"))
        .count();
    assert_eq!(applied, 1);
}

#[test]
fn the_name_of_a_database_ends_where_its_line_does() {
    for url in ["sqlite:t.db\n", " sqlite:t.db\r\n", "SQLITE:t.db"] {
        let folder = tempfile::tempdir().unwrap();
        let migrate = || Binary::new(folder.path(), &["migrate"]);
        assert_ended(&migrate().args(&["--database-url", url]).run(), 0, "applied");
        let made = files(folder.path());
        assert!(
            made.iter().all(|name| name.starts_with("t.db") && !name.contains('\n')),
            "{made:?}"
        );
        assert_ended(&migrate().env("TOKENWRIGHT_DATABASE_URL", url).run(), 0, "up to date");
    }
}
