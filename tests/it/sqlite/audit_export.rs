//! An export holds no read transaction open: the log is folded while its reader waits.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{EventRow, TokenRow, migrated};

/// A read transaction that is still open then stays open.
const PATIENCE: Duration = Duration::from_secs(10);

#[test]
fn a_slow_reader_of_an_export_does_not_keep_the_log() {
    let database = migrated();
    TokenRow::insert(&[TokenRow::new(1, "token 1")], &database);
    let rows = EventRow::updates(3_000, 1_600_000_000_000_000);
    EventRow::insert(&rows, &database);
    let mut child = Command::new(env!("CARGO_BIN_EXE_tokenwright"))
        .args(["admin", "audit", "export", "--database-url", &database.url_text()])
        .env_clear()
        .current_dir(database.folder())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // It has begun, and the pipe holds less than all of it.
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut first = String::new();
    output.read_line(&mut first).unwrap();
    database.execute("UPDATE users SET version = version");
    let log = database.folder().join("test.db-wal");
    assert!(log.metadata().unwrap().len() > 0);
    // It reads a few more pages, until the pipe is full.
    let start = Instant::now();
    while log.metadata().unwrap().len() > 0 {
        assert!(start.elapsed() < PATIENCE, "it goes on reading");
        database.execute("PRAGMA busy_timeout = 0; PRAGMA wal_checkpoint(TRUNCATE)");
    }
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    assert_eq!(rest.lines().count() + 1, rows.len());
    assert!(child.wait().unwrap().success());
}
