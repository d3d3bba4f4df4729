//! The write-ahead log stays small, even with permanent readers.

use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::join_all;
use futures_util::join;
use serde_json::json;

use crate::support::{Log, TestApp, eventually};

/// It may grow while the searches that are under way end, and no further.
const MOST: u64 = 24 * 1024 * 1024;
/// What is longer is folded.
const FOLDED: u64 = 8 * 1024 * 1024;

/// The size of the log, in bytes.
fn log_size(app: &TestApp) -> u64 {
    std::fs::metadata(app.database.folder().join("test.db-wal")).unwrap().len()
}

/// Makes so many tokens; the size of the log at its longest.
async fn write(app: &TestApp, prefix: &str, tokens: usize) -> u64 {
    let mut most = 0;
    for n in 0..tokens {
        let answer = app.create(&app.admin, app.input(&format!("{prefix} {n}"), json!({}))).await;
        assert!(answer.data()["createApiToken"]["token"].is_string(), "{}", answer.text);
        most = most.max(log_size(app));
    }
    most
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_stays_small_while_searches_overlap() {
    let app = TestApp::start().await;
    app.database.fill(20_000);
    app.database.execute("PRAGMA wal_checkpoint(TRUNCATE)");
    let done = AtomicBool::new(false);
    let search = "{ apiTokens(filter: { nameContains: \"zz\" }) { nodes { id } } }";
    let searching = join_all((0..4).map(|_| async {
        while !done.load(Ordering::Relaxed) {
            app.query(&app.admin, search).await;
        }
    }));
    let writing = async {
        let most = write(&app, "written", 500).await;
        done.store(true, Ordering::Relaxed);
        most
    };
    let (_, most) = join!(searching, writing);
    assert!(most < MOST, "the log grew to {most} bytes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_outside_that_holds_the_log_is_reported() {
    let log = Log::start();
    let app = TestApp::start().await;
    let outside = app.database.read_transaction();
    let mut round = 0;
    while log_size(&app) <= FOLDED {
        write(&app, &format!("round {round}"), 20).await;
        round += 1;
    }
    let file = app.database.folder().join("test.db");
    let texts = ["WARN", "write-ahead log", "another process", file.to_str().unwrap()];
    eventually("it is reported", || !log.lines_with(&texts).is_empty()).await;
    // Nothing waits for that reader.
    write(&app, "meanwhile", 20).await;
    drop(outside);
    eventually("the log is folded", || log_size(&app) < FOLDED / 2).await;
    assert_eq!(log.lines_with(&texts).len(), 1);
}
