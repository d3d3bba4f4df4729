//! Following the audit events while transactions overlap: what began early and is committed late
//! comes after what was read meanwhile.

use std::time::Duration;

use serde_json::{Value, json};
use tokenwright::db::PoolSettings;

use crate::support::{Binary, Ended, Options, TestApp, assert_ended, made};

fn export(app: &TestApp, more: &[&str]) -> Ended {
    let ended = Binary::on(&app.database, &["admin", "audit", "export"]).args(more).run();
    assert_ended(&ended, 0, "");
    ended
}

fn targets(lines: &str) -> Vec<(String, String)> {
    let target = |line: &str| {
        let event: Value = serde_json::from_str(line).unwrap();
        let text = |field: &str| event[field].as_str().unwrap().to_owned();
        (text("id"), text("targetId"))
    };
    lines.lines().map(target).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_was_committed_late_is_exported_after_those_before_it() {
    // The transaction waits for as long as it takes to export.
    let (options, long) = (Options::default(), Duration::from_secs(60));
    let pool = PoolSettings {
        connections: 12,
        statement_timeout: long,
        idle_transaction_timeout: long,
        ..options.pool
    };
    let app = TestApp::with(Options { pool, request_timeout: long, ..options }).await;
    let slow = made(&app, "slow", json!({})).await;
    let held = app.database.change(&slow.id, "version = version");
    let delete = "mutation ($id: ID!) { deleteApiToken(input: { id: $id }) { deletedApiTokenId } }";
    let variables = json!({ "id": slow.id });
    let late = async { app.graphql(&app.admin, delete, variables).await };
    let meanwhile = async {
        // Its transaction is open, and has its time.
        app.database.until_waited_for().await;
        let quick = made(&app, "quick", json!({})).await;
        let seen = targets(&export(&app, &[]).stdout);
        let (last, target) = seen.last().unwrap().clone();
        assert_eq!(target, quick.id);
        assert_eq!(seen.iter().filter(|(_, target)| *target == slow.id).count(), 1, "its making");
        drop(held);
        last
    };
    let (deleted, last) = tokio::join!(late, meanwhile);
    deleted.data();
    let rest = targets(&export(&app, &["--after", &last]).stdout);
    let rest: Vec<&str> = rest.iter().map(|(_, target)| target.as_str()).collect();
    assert_eq!(rest, [&slow.id]);
}
