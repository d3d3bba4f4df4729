//! Groups on a real file, with what can go wrong in the middle of one.

use diesel::connection::SimpleConnection;
use diesel::sql_types::BigInt;
use diesel::{Connection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use diesel_async::pooled_connection::PoolableConnection;
use tempfile::TempDir;

use super::super::change::{Awaited, change};
use super::super::link::InPlace;
use super::*;

const TABLES: &str = "PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON;
    CREATE TABLE rows (id INTEGER PRIMARY KEY, parent INTEGER
        REFERENCES rows (id) DEFERRABLE INITIALLY DEFERRED);";

struct File {
    folder: TempDir,
    changes: Changes,
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

impl File {
    fn new() -> Self {
        let file = Self { folder: tempfile::tempdir().unwrap(), changes: Changes::default() };
        file.open().batch_execute(TABLES).unwrap();
        file
    }

    fn open(&self) -> SqliteConnection {
        let path = self.folder.path().join("file.db");
        SqliteConnection::establish(path.to_str().unwrap()).unwrap()
    }

    fn add(&self, priority: Priority, sql: &str) -> Awaited<()> {
        let sql = sql.to_owned();
        let (change, awaited) = change(move |link: &mut SqliteLink| {
            let run = link.spawn_blocking(move |connection| sql_query(sql).execute(connection));
            now(run).map(drop)
        });
        self.changes.push(priority, change);
        awaited
    }

    fn usual(&self, sql: &str) -> Awaited<()> {
        self.add(Priority::Usual, sql)
    }

    /// Runs one group on a connection of its own.
    fn run(&self) {
        let mut connection = self.open();
        connection.batch_execute("PRAGMA foreign_keys = ON").unwrap();
        let mut link = SqliteLink::with_runtime(connection, InPlace);
        self.changes.run_group(&mut link, || Ok(()), || Ok(()));
    }

    fn rows(&self) -> Vec<i64> {
        let rows = sql_query("SELECT id FROM rows ORDER BY id").load::<Id>(&mut self.open());
        rows.unwrap().into_iter().map(|row| row.id).collect()
    }
}

/// What was told; `None`: nothing yet.
fn told(awaited: &mut Awaited<()>) -> Option<Result<(), DbError>> {
    awaited.answer.try_recv().ok()
}

#[test]
fn a_change_that_fails_takes_no_other_with_it() {
    let file = File::new();
    let mut one = file.usual("INSERT INTO rows VALUES (1, NULL)");
    let mut again = file.usual("INSERT INTO rows VALUES (1, NULL)");
    let mut two = file.usual("INSERT INTO rows VALUES (2, NULL)");
    file.run();
    assert!(matches!(told(&mut one), Some(Ok(()))));
    assert!(matches!(told(&mut again), Some(Err(DbError::Unique(_)))));
    assert!(matches!(told(&mut two), Some(Ok(()))));
    assert_eq!(file.rows(), [1, 2]);
    assert!(!file.changes.is_waiting());
}

#[test]
fn the_first_one_that_fails_is_alone() {
    let file = File::new();
    file.usual("INSERT INTO rows VALUES (1, NULL)");
    let mut bad = file.usual("INSERT INTO rows VALUES ('no integer', NULL)");
    let mut good = file.usual("INSERT INTO rows VALUES (2, NULL)");
    file.run();
    assert!(matches!(told(&mut bad), Some(Err(_))));
    assert!(told(&mut good).is_none());
    file.run();
    assert_eq!(file.rows(), [2], "nobody waited for the very first one");
}

/// As SQLite does by itself where the disk or the memory fails.
#[test]
fn where_the_whole_transaction_is_rolled_back_nobody_is_told_of_a_success() {
    let file = File::new();
    let mut one = file.usual("INSERT INTO rows VALUES (1, NULL)");
    let mut fatal = file.usual("INSERT OR ROLLBACK INTO rows VALUES (1, NULL)");
    let mut two = file.usual("INSERT INTO rows VALUES (2, NULL)");
    let mut link = SqliteLink::with_runtime(file.open(), InPlace);
    file.changes.run_group(&mut link, || Ok(()), || Ok(()));
    assert!(matches!(told(&mut one), Some(Err(DbError::Unavailable(_)))));
    assert!(matches!(told(&mut fatal), Some(Err(DbError::Unique(_)))));
    assert!(file.rows().is_empty());
    assert!(told(&mut two).is_none());
    assert!(file.changes.is_waiting());
    // The connection is either not handed out again, or as good as new.
    assert!(!link.is_broken());
    file.changes.run_group(&mut link, || Ok(()), || Ok(()));
    assert!(matches!(told(&mut two), Some(Ok(()))));
    assert_eq!(file.rows(), [2]);
}

#[test]
fn where_the_commit_fails_nobody_is_told_of_a_success() {
    let file = File::new();
    let one = file.usual("INSERT INTO rows VALUES (1, NULL)");
    let orphan = file.usual("INSERT INTO rows VALUES (2, 7)");
    file.run();
    for mut awaited in [one, orphan] {
        assert!(matches!(told(&mut awaited), Some(Err(_))));
    }
    assert!(file.rows().is_empty());
}

#[test]
fn where_the_disk_is_full_what_is_told_is_what_is_stored() {
    let file = File::new();
    let mut connection = file.open();
    connection.batch_execute("CREATE TABLE filler (bytes BLOB)").unwrap();
    let one = file.usual("INSERT INTO rows VALUES (1, NULL)");
    let mut large = file.usual("INSERT INTO filler VALUES (randomblob(1000000))");
    let two = file.usual("INSERT INTO rows VALUES (2, NULL)");
    connection.batch_execute("PRAGMA max_page_count = 20").unwrap();
    let mut link = SqliteLink::with_runtime(connection, InPlace);
    file.changes.run_group(&mut link, || Ok(()), || Ok(()));
    assert!(matches!(told(&mut large), Some(Err(DbError::Unavailable(_)))));
    let told = [one, two].map(|mut awaited| matches!(told(&mut awaited), Some(Ok(()))));
    let stored = file.rows();
    assert_eq!(told, [stored.contains(&1), stored.contains(&2)]);
}

#[test]
fn what_was_removed_before_the_acknowledgement_is_no_success() {
    let file = File::new();
    let one = file.usual("INSERT INTO rows VALUES (1, NULL)");
    let two = file.usual("INSERT INTO rows VALUES (2, NULL)");
    let gone = || Err(DbError::OutcomeUnknown("the file was removed".to_owned()));
    let mut link = SqliteLink::with_runtime(file.open(), InPlace);
    file.changes.run_group(&mut link, || Ok(()), gone);
    for mut awaited in [one, two] {
        assert!(matches!(told(&mut awaited), Some(Err(DbError::OutcomeUnknown(_)))));
    }
}

#[test]
fn a_revocation_goes_first_and_waits_for_no_other() {
    let file = File::new();
    let mut usual = file.usual("INSERT INTO rows VALUES (1, NULL)");
    let mut revocation = file.add(Priority::Revocation, "INSERT INTO rows VALUES (2, NULL)");
    file.run();
    assert!(matches!(told(&mut revocation), Some(Ok(()))));
    assert_eq!(file.rows(), [2]);
    file.run();
    assert!(matches!(told(&mut usual), Some(Ok(()))));
    assert_eq!(file.rows(), [1, 2]);
}

#[test]
fn a_change_that_was_withdrawn_does_nothing() {
    let file = File::new();
    let given_up = file.usual("INSERT INTO rows VALUES (1, NULL)");
    let too_late = file.usual("INSERT INTO rows VALUES (2, NULL)");
    assert!(given_up.claim.withdraw());
    file.run();
    assert!(!too_late.claim.withdraw(), "it ran");
    assert_eq!(file.rows(), [2]);
}

#[test]
fn one_leader_is_called_for_at_a_time() {
    let file = File::new();
    let push = |sql: &'static str| {
        let (change, awaited) = change(move |link: &mut SqliteLink| {
            now(link.spawn_blocking(move |one| sql_query(sql).execute(one))).map(drop)
        });
        (file.changes.push(Priority::Usual, change), awaited)
    };
    let (first, _one) = push("SELECT 1");
    let (second, _two) = push("SELECT 1");
    assert!(first && !second);
    file.run();
    assert!(!file.changes.is_waiting());
    let (third, _three) = push("SELECT 1");
    assert!(third);
}
