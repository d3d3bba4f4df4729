//! `audit-log`: every event is written out once it is recorded, at least once, whatever happens.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tokenwright::domain::clock::{Clock, SystemClock};
use tokenwright::domain::lifetime::Lifetime;

use crate::support::{
    Binary, EventRow, TestApp, TestDatabase, TokenRow, administrator, assert_ended, eventually,
    made_at, migrated,
};

/// A database, and an administrator whose making came before the audit log.
fn prepared() -> (TestDatabase, String, PathBuf) {
    let database = migrated();
    let admin = administrator(&database, "administrator");
    let log = database.folder().join("audit.jsonl");
    (database, admin, log)
}

fn logging(database: &TestDatabase, to: &Path) -> Binary {
    Binary::on(database, &["serve", "--audit-log", to.to_str().unwrap()])
}

/// The targets of whole lines, in their order.
fn targets(text: &str) -> Vec<String> {
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let target = |line: &str| {
        let event: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
        event["targetId"].as_str().unwrap().to_owned()
    };
    whole.lines().map(target).collect()
}

fn logged(path: &Path) -> Vec<String> {
    targets(&std::fs::read_to_string(path).unwrap_or_default())
}

/// As if so much time had passed that nobody holds the log any longer.
fn let_go(database: &TestDatabase) {
    let before = TestDatabase::instant(0);
    database.execute(&format!("UPDATE audit_log SET held_until = {before}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_written_as_an_export_writes_them() {
    let (database, admin, log) = prepared();
    let server = logging(&database, &log).serve();
    let mut made = Vec::new();
    for name in ["one", "two \"quoted\"", "three"] {
        made.push(made_at(&server, &admin, name).await.id);
    }
    eventually("they are in the log", || logged(&log).len() >= 3).await;
    assert_eq!(logged(&log), made, "what was before the log began is not in it");
    assert_eq!(log.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let exported = Binary::on(&database, &["admin", "audit", "export"]).run().stdout;
    let written = std::fs::read_to_string(&log).unwrap();
    assert!(exported.ends_with(&written), "{exported}\n{written}");
    assert!(!written.contains("twr_"));
    // What is recorded right before the end is not left for the next start.
    let last = made_at(&server, &admin, "last").await.id;
    assert_ended(&server.stop(), 0, "");
    made.push(last);
    assert_eq!(logged(&log), made);
    // The next process goes on after it, at once.
    let server = logging(&database, &log).serve();
    made.push(made_at(&server, &admin, "of the next process").await.id);
    assert_ended(&server.stop(), 0, "");
    assert_eq!(logged(&log), made, "each once");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_when_the_process_is_killed() {
    let (database, admin, log) = prepared();
    let mut made = BTreeSet::new();
    for round in 0..4 {
        let server = logging(&database, &log).serve();
        for number in 0..10 {
            made.insert(made_at(&server, &admin, &format!("{round} {number}")).await.id);
        }
        // In the first round the log has begun and has nothing, later any part of it.
        if round % 2 == 1 {
            eventually("some of it is written", || !logged(&log).is_empty()).await;
        }
        server.running.signal("KILL");
        server.running.wait();
        // While no server runs, more is recorded, and the last line is torn.
        administrator(&database, &format!("operator {round}"));
        let torn = std::fs::read_to_string(&log).unwrap() + "{\"id\":\"evt_torn";
        std::fs::write(&log, torn).unwrap();
        let_go(&database);
    }
    let server = logging(&database, &log).serve();
    let events = || usize::try_from(database.count("audit_events")).unwrap();
    let distinct = || logged(&log).into_iter().collect::<BTreeSet<_>>();
    // All but that of the administrator, which was recorded before.
    eventually("all of them are in the log", || distinct().len() == events() - 1).await;
    assert!(made.is_subset(&distinct()));
    assert_ended(&server.stop(), 0, "");
}

/// `/dev/full` is a disk without room.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_delays_the_log_and_stops_nothing() {
    let (database, admin, log) = prepared();
    let name = database.folder().join("current");
    std::os::unix::fs::symlink("/dev/full", &name).unwrap();
    let server = logging(&database, &name).args(&["--metrics-listen", "127.0.0.1:0"]).serve();
    let mut made = Vec::new();
    for number in 0..3 {
        made.push(made_at(&server, &admin, &format!("token {number}")).await.id);
    }
    let said = server.running.until(|said| said.err().contains("not in the audit log yet"));
    assert!(said.err().contains("No space left on device"), "{}", said.err());
    let said = said.err();
    let url = said.lines().find_map(|line| Some(line.split_once("Prometheus on ")?.1)).unwrap();
    let numbers = async || reqwest::get(url).await.unwrap().text().await.unwrap();
    let pending = "\ntokenwright_audit_log_pending_timestamp_seconds ";
    let failing = numbers().await;
    assert!(failing.contains(pending), "{failing}");
    assert!(!failing.contains("background_failures_total{duty=\"audit_log\"} 0"), "{failing}");
    assert!(failing.contains("\ntokenwright_audit_log_events_total 0\n"), "{failing}");
    // There is room again, under the same name.
    let fresh = database.folder().join("fresh");
    std::os::unix::fs::symlink(&log, &fresh).unwrap();
    std::fs::rename(&fresh, &name).unwrap();
    eventually("the log has caught up", || logged(&log).len() >= 3).await;
    assert_eq!(logged(&log), made);
    while numbers().await.contains(pending) {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(numbers().await.contains("\ntokenwright_audit_log_events_total 3\n"));
    assert_ended(&server.stop(), 0, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_does_not_read_stops_nothing() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    const EVENTS: u128 = 1_500;
    let (database, admin, _) = prepared();
    let mut child = Command::new(env!("CARGO_BIN_EXE_tokenwright"))
        .args(["serve", "--listen", "127.0.0.1:0", "--audit-log", "-"])
        .args(["--database-url", &database.url_text()])
        .env_clear()
        .current_dir(database.folder())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("listening on http://") {
        line.clear();
        assert!(said.read_line(&mut line).unwrap() > 0, "it does not listen");
    }
    let url = line.trim_end().split_once("listening on ").unwrap().1.to_owned();
    // More than a pipe holds, after the newest event.
    TokenRow::insert(&[TokenRow::new(1, "token 1")], &database);
    let soon = SystemClock.now().timestamp_micros() + 1_000_000;
    let row = |number: u128| EventRow {
        number,
        date: soon + i64::try_from(number).unwrap(),
        action: "api_token_updated",
        actor: 1,
        target: 1,
    };
    EventRow::insert(&(1..=EVENTS).map(row).collect::<Vec<_>>(), &database);
    for _ in 0..50 {
        let ask = reqwest::Client::new().post(format!("{url}/graphql")).bearer_auth(&admin);
        let answer = ask.json(&json!({ "query": "{ currentUser { name } }" })).send().await;
        assert!(answer.unwrap().text().await.unwrap().contains("administrator"));
    }
    let mut read = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = read.next().unwrap().unwrap();
    let rest = tokio::task::spawn_blocking(move || {
        read.take(usize::try_from(EVENTS).unwrap() - 1).map(Result::unwrap).collect::<Vec<_>>()
    });
    let all = [vec![first], rest.await.unwrap()].concat();
    let id = |line: &String| serde_json::from_str::<Value>(line).unwrap()["id"].clone();
    let expected: Vec<Value> = (1..=EVENTS).map(|number| json!(row(number).id())).collect();
    assert_eq!(all.iter().map(id).collect::<Vec<_>>(), expected);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hang_up_opens_the_file_again() {
    let (database, admin, log) = prepared();
    let server = logging(&database, &log).serve();
    let first = made_at(&server, &admin, "first").await.id;
    eventually("it is in the log", || logged(&log).len() == 1).await;
    let rotated = log.with_extension("1");
    std::fs::rename(&log, &rotated).unwrap();
    server.running.signal("HUP");
    server.running.until(|said| said.err().contains("the audit log was opened again"));
    assert_eq!(std::fs::read_to_string(&log).unwrap(), "", "the file is there");
    let second = made_at(&server, &admin, "second").await.id;
    eventually("the second is in the new file", || logged(&log).len() == 1).await;
    assert_eq!([logged(&rotated), logged(&log)].concat(), [first, second.clone()]);
    // Without a signal, the new name is noticed with the next event.
    std::fs::remove_file(&rotated).unwrap();
    std::fs::rename(&log, &rotated).unwrap();
    let third = made_at(&server, &admin, "third").await.id;
    eventually("the third is in a new file", || logged(&log).len() == 1).await;
    assert_eq!([logged(&rotated), logged(&log)].concat(), [second, third]);
    assert_ended(&server.stop(), 0, "");
}

#[test]
fn a_log_that_cannot_be_opened_is_an_error_at_the_start() {
    let (database, _, _) = prepared();
    let nowhere = database.folder().join("no/audit.jsonl");
    assert_ended(&logging(&database, &nowhere).run(), 1, "cannot write the audit log ");
    assert_ended(&logging(&database, database.folder()).run(), 1, "cannot write the audit log ");
}

#[tokio::test(flavor = "multi_thread")]
async fn retention_leaves_what_is_not_in_the_log_yet() {
    let app = TestApp::start().await;
    let holder = app.service.audit_log_holder().unwrap();
    app.service.claim_audit_log(holder).await.unwrap().unwrap();
    TokenRow::insert(&[TokenRow::new(1, "token 1")], &app.database);
    let old = SystemClock.now().timestamp_micros() - 500 * 24 * 60 * 60 * 1_000_000;
    EventRow::insert(&EventRow::updates(10, old), &app.database);
    let written = TestDatabase::instant(old + 4);
    app.database.execute(&format!("UPDATE audit_log SET date = {written}"));
    let retention = Lifetime::parse("400d").unwrap();
    let before = app.database.count("audit_events");
    app.service.remove_old_events(retention, true).await;
    assert_eq!(app.database.count("audit_events"), before - 3, "before the last that is written");
    app.service.remove_old_events(retention, false).await;
    assert_eq!(app.database.count("audit_events"), before - 10);
}
