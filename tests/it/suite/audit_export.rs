//! `admin audit export`: every event once, in its order, as a line of JSON.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use chrono::TimeDelta;
use serde_json::{Value, json};
use tokenwright::domain::clock::Clock;
use tokenwright::domain::id::EventId;
use tokenwright::domain::random::SystemRandom;

use crate::support::{
    Binary, Ended, EventRow, TestApp, TestDatabase, TokenRow, assert_ended, files, made, migrated,
};

/// An instant before all others, in microseconds since 1970.
const START: i64 = 1_600_000_000_000_000;
const EXPORT: [&str; 3] = ["admin", "audit", "export"];

fn export(database: &TestDatabase, more: &[&str]) -> Ended {
    Binary::on(database, &EXPORT).args(more).run()
}

fn events(lines: &str) -> Vec<Value> {
    assert!(lines.is_empty() || lines.ends_with('\n'), "the last line is whole");
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn ids(lines: &str) -> Vec<String> {
    events(lines).iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect()
}

/// A database with so many events, three of each date; and their ids in the order of the list.
fn filled(count: u128) -> (TestDatabase, Vec<String>) {
    let database = migrated();
    TokenRow::insert(&[TokenRow::new(1, "token 1")], &database);
    let row = |number: u128| EventRow {
        number,
        date: START + i64::try_from(number / 3).unwrap(),
        action: "api_token_updated",
        actor: 1,
        target: 1,
    };
    let rows: Vec<EventRow> = (1..=count).map(row).collect();
    EventRow::insert(&rows, &database);
    let ids = rows.iter().map(EventRow::id).collect();
    (database, ids)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_has_what_graphql_says_of_an_event() {
    let app = TestApp::start().await;
    let more = json!({ "labels": [{ "key": "a", "value": "b\u{201c}\u{fffd}" }] });
    let maker = made(&app, "maker", json!({ "permissions": ["API_API_TOKENS_WRITE"] })).await;
    let token = made(&app, "two words, \"quoted\" \\ \u{1f600}", more).await;
    let update = "mutation ($id: ID!) { updateApiToken(input: { id: $id, version: 1, name: \"x\", \
                  enabled: false, description: \"one\\ntwo\" }) { apiToken { id } } }";
    app.graphql(&app.admin, update, json!({ "id": token.id })).await.data();
    // It may not make what reaches further: that is an event, too.
    let denied = app.create(&maker.secret, app.input("wider", json!({}))).await;
    assert_eq!(denied.status, 200);
    let delete = "mutation ($id: ID!) { deleteApiToken(input: { id: $id }) { deletedApiTokenId } }";
    app.graphql(&app.admin, delete, json!({ "id": token.id })).await.data();

    let query = "{ auditEvents(last: 100) { nodes { id date action actor { userId userName } \
                 actorApiTokenId clientAddress requestId targetId \
                 changes { field before after } } } }";
    let answer = app.query(&app.admin, query).await;
    let mut listed = answer.data()["auditEvents"]["nodes"].as_array().unwrap().clone();
    listed.reverse();
    let exported = export(&app.database, &["--format", "jsonl"]);
    assert_ended(&exported, 0, &format!("exported {} events", listed.len()));
    assert_eq!(events(&exported.stdout), listed);
    assert!(listed.len() >= 5);
    let last = listed.last().unwrap()["id"].as_str().unwrap();
    assert_ended(&exported, 0, &format!("go on later with `--after {last}`"));
    for secret in [&maker.secret, &token.secret, &app.admin] {
        assert!(!exported.stdout.contains(&secret[27..]), "no secret");
    }
}

#[test]
fn every_part_goes_on_where_the_one_before_it_ended() {
    let (database, ids_in_order) = filled(451);
    let _server = Binary::on(&database, &["serve"]).serve();
    let all = export(&database, &[]);
    assert_ended(&all, 0, "exported 451 events");
    assert!(!all.stderr.contains('\r'), "no progress where nobody looks: {}", all.stderr);
    assert_eq!(ids(&all.stdout), ids_in_order);
    for last in [0, 1, 199, 200, 399, 449] {
        let rest = export(&database, &["--after", &ids_in_order[last]]);
        assert_eq!(ids(&rest.stdout), ids_in_order[last + 1..], "{last}");
    }
    let none = export(&database, &["--after", &ids_in_order[450]]);
    assert_ended(&none, 0, "there are no events to export");
    assert_eq!(none.stdout, "");
}

#[test]
fn a_file_is_made_for_its_owner_and_none_is_replaced() {
    let (database, expected) = filled(5);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("events.jsonl");
    let to_file = || export(&database, &["--output", file.to_str().unwrap()]);
    assert_ended(&to_file(), 0, "exported 5 events");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(ids(&text), expected);
    assert_ended(&to_file(), 1, "exists already");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    let nowhere = folder.path().join("no/events");
    assert_ended(&export(&database, &["--output", nowhere.to_str().unwrap()]), 1, "cannot write");
    assert_eq!(files(folder.path()), ["events.jsonl"]);
}

/// The id after which a failed export can be resumed.
fn last_whole(told: &str) -> &str {
    let (_, rest) = told.split_once("go on with `--after ").unwrap_or_else(|| panic!("{told}"));
    rest.split_once('`').unwrap().0
}

/// A disk that is full, as a bound on the size of files.
#[test]
fn a_full_disk_leaves_whole_lines_and_the_way_on() {
    let (database, expected) = filled(600);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("events.jsonl");
    let script = "trap '' XFSZ; ulimit -f 100; exec \"$0\" \"$@\"";
    let mut command = Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_tokenwright")]).args(EXPORT);
    command.args(["--output", file.to_str().unwrap(), "--database-url", &database.url_text()]);
    command.env_clear().current_dir(folder.path());
    let ended = Binary::from(command).run();
    assert_ended(&ended, 1, "cannot write to ");
    assert_ended(&ended, 1, "the last event that was written whole is evt_");
    let kept = ids(&std::fs::read_to_string(&file).unwrap());
    assert!((1..600).contains(&kept.len()), "{}", kept.len());
    let last = last_whole(&ended.stderr);
    assert_eq!(kept.last().unwrap(), last);
    let rest = export(&database, &["--after", last]);
    assert_eq!([kept, ids(&rest.stdout)].concat(), expected);
}

#[test]
fn an_output_that_takes_nothing_is_an_error() {
    let (database, _) = filled(3);
    let mut command = Command::new("sh");
    command.args(["-c", "exec \"$0\" \"$@\" >/dev/full", env!("CARGO_BIN_EXE_tokenwright")]);
    command.args(EXPORT).args(["--database-url", &database.url_text()]);
    command.env_clear().current_dir(database.folder());
    let ended = Binary::from(command).run();
    assert_ended(&ended, 1, "cannot write to standard output: ");
    assert_ended(&ended, 1, "no event was written");
}

#[test]
fn a_reader_that_goes_away_is_an_error_with_the_way_on() {
    let (database, expected) = filled(3_000);
    let mut child = Command::new(env!("CARGO_BIN_EXE_tokenwright"))
        .args(EXPORT)
        .args(["--database-url", &database.url_text()])
        .env_clear()
        .current_dir(database.folder())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut read = String::new();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    output.read_line(&mut read).unwrap();
    assert_eq!(ids(&read), expected[..1]);
    drop(output);
    let ended = child.wait_with_output().unwrap();
    let told = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{told}");
    assert!(told.contains("cannot write to standard output"), "{told}");
    let last = expected.iter().position(|id| id == last_whole(&told)).unwrap();
    assert!(last < expected.len() - 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_event_that_was_removed_the_oldest_is_next() {
    let app = TestApp::start().await;
    let first = made(&app, "first", json!({})).await;
    let before = ids(&export(&app.database, &[]).stdout);
    app.service.prune(app.clock.now() + TimeDelta::hours(1)).await.unwrap();
    // Nothing is left: still nobody may take the id for a wrong one.
    let none = export(&app.database, &["--after", &before[0]]);
    assert_ended(&none, 0, "there are no events to export");
    made(&app, "second", json!({})).await;
    made(&app, "third", json!({})).await;
    let all = export(&app.database, &[]).stdout;
    assert_eq!(ids(&all).len(), 2);
    for id in &before {
        let rest = export(&app.database, &["--after", id]);
        assert_ended(&rest, 0, &format!("the event {id} was removed"));
        assert_eq!(rest.stdout, all);
    }
    assert!(!all.contains(&first.id));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_no_event_can_have_had_is_refused() {
    let app = TestApp::start().await;
    let later = app.clock.now() + TimeDelta::seconds(1);
    let later = EventId::generate(later, &SystemRandom).unwrap();
    let foreign = EventId::from_uuid(uuid::Uuid::from_u128(7));
    for id in [later, foreign] {
        let ended = export(&app.database, &["--after", &id.to_string()]);
        assert_ended(&ended, 1, &format!("there is no event {id}"));
        assert_eq!(ended.stdout, "");
    }
    for wrong in ["tok_0000000000000000000001", "evt_1", "1"] {
        let ended = export(&app.database, &["--after", wrong]);
        assert_ended(&ended, 2, "not an id that this server gives out");
    }
    assert_ended(&export(&app.database, &["--format", "csv"]), 2, "jsonl");
}
