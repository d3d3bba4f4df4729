//! Changes at once: none is lost, and none waits for another forever.

use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use super::{update, writer};
use crate::support::{Answer, Made, TestApp, made, works};

/// In the order of the catalogue.
const PERMISSIONS: [&str; 8] = [
    "API_ORGANIZATIONS_READ",
    "API_ORGANIZATIONS_WRITE",
    "API_USERS_READ",
    "API_USERS_WRITE",
    "API_API_TOKENS_READ",
    "API_API_TOKENS_DELETE",
    "API_TASKS_READ",
    "API_TASKS_WRITE",
];

/// The errors of an answer to `updateApiToken`; none where it was done.
fn refusals(answer: &Answer) -> Vec<String> {
    let done = answer.json["data"]["updateApiToken"]["apiToken"].is_object();
    assert_eq!(done, answer.json["errors"].is_null(), "{}", answer.text);
    answer.errors()
}

/// Nothing but these refusals, each alone.
fn assert_either(answer: &Answer, expected: &[&str]) -> bool {
    let refusals = refusals(answer);
    let known = |refusal: &String| expected.contains(&refusal.as_str());
    assert!(refusals.len() <= 1 && refusals.iter().all(known), "{}", answer.text);
    refusals.is_empty()
}

fn events(app: &TestApp, action: &str) -> usize {
    let events = format!("SELECT action AS text FROM audit_events WHERE action = '{action}'");
    app.database.texts(&events).len()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_at_once_on_one_version_one_is_done() {
    let app = TestApp::start().await;
    let token = made(&app, "contested", json!({})).await;
    let race = (0..20).map(|n| {
        let input = json!({ "id": token.id, "version": 1, "name": format!("won by {n}") });
        update(&app, &app.admin, input)
    });
    let answers = join_all(race).await;
    let (won, lost): (Vec<&Answer>, Vec<&Answer>) =
        answers.iter().partition(|answer| answer.json["errors"].is_null());
    assert_eq!((won.len(), events(&app, "api_token_updated")), (1, 1));
    for answer in lost {
        assert_eq!(answer.errors(), ["CONFLICT version version_stale"]);
        assert_eq!(answer.json["errors"][0]["extensions"]["currentVersion"], 2);
    }
    let name = won[0].json["data"]["updateApiToken"]["apiToken"]["name"].as_str().unwrap();
    let names = "SELECT u.name AS text FROM users u JOIN api_tokens t \
                 ON t.user_id = u.id AND t.name = u.name WHERE t.version = 2 AND u.version = 2";
    assert_eq!(app.database.texts(names), [name]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_at_once_one_gets_the_name() {
    let app = TestApp::start().await;
    let app_of = &app;
    let making = (0..20).map(async |n| made(app_of, &format!("number {n}"), json!({})).await);
    let tokens = join_all(making).await;
    let race = tokens.iter().map(|token| {
        update(&app, &app.admin, json!({ "id": token.id, "version": 1, "name": "contested" }))
    });
    let answers = join_all(race).await;
    let won = answers.iter().filter(|answer| assert_either(answer, &["CONFLICT name name_taken"]));
    assert_eq!(won.count(), 1);
    let users = app.database.texts("SELECT name AS text FROM users WHERE name = 'contested'");
    assert_eq!(users.len(), 1, "the users of the losers keep their names");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_change_is_lost_to_who_looks_again() {
    let app = TestApp::start().await;
    let token = made(&app, "shrinking", json!({ "permissions": PERMISSIONS })).await;
    // Each takes one permission away from what it has read, until that is done.
    let race = (1..8).map(|own| {
        let (app, token) = (&app, &token);
        async move {
            loop {
                let (version, mut held) = read(app, token).await;
                held.retain(|permission| permission != PERMISSIONS[own]);
                let input = json!({ "id": token.id, "version": version, "permissions": held });
                let answer = update(app, &app.admin, input).await;
                if assert_either(&answer, &["CONFLICT version version_stale"]) {
                    return;
                }
            }
        }
    });
    join_all(race).await;
    assert_eq!(read(&app, &token).await, (8, vec![PERMISSIONS[0].to_owned()]));
    assert_eq!(events(&app, "api_token_updated"), 7);
}

async fn read(app: &TestApp, token: &Made) -> (i64, Vec<String>) {
    let query = "query ($id: ID!) { apiToken(id: $id) { version permissions } }";
    let answer = app.graphql(&app.admin, query, json!({ "id": token.id })).await;
    let read = &answer.data()["apiToken"];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let permissions = read["permissions"].as_array().unwrap().iter().map(text).collect();
    (read["version"].as_i64().unwrap(), permissions)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_that_change_each_other_at_once_do_not_wait_for_each_other() {
    let app = TestApp::start().await;
    for round in 0..20 {
        let a = writer(&app, &format!("a {round}")).await;
        let b = writer(&app, &format!("b {round}")).await;
        assert!(works(&app, &a.secret).await && works(&app, &b.secret).await);
        let disable = |id: &str| json!({ "id": id, "version": 1, "enabled": false });
        let by_a = update(&app, &a.secret, disable(&b.id));
        let by_b = update(&app, &b.secret, disable(&a.id));
        let (by_a, by_b) = join(by_a, by_b).await;
        let gone = ["UNAUTHENTICATED invalid_token", "UNAUTHENTICATED caller_changed"];
        let (by_a, by_b) = (assert_either(&by_a, &gone), assert_either(&by_b, &gone));
        assert!(by_a != by_b, "whoever is disabled first disables nobody after");
        assert_eq!(works(&app, &a.secret).await, !by_b);
        assert_eq!(works(&app, &b.secret).await, !by_a);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_changes_of_itself_at_once_one_is_done() {
    let app = TestApp::start().await;
    for round in 0..10 {
        let own = writer(&app, &format!("own {round}")).await;
        // Once proven, no request waits for another's proof.
        assert!(works(&app, &own.secret).await);
        let race = (0..8).map(|n| {
            let input = json!({ "id": own.id, "version": 1, "name": format!("{round} by {n}") });
            update(&app, &own.secret, input)
        });
        let lost = ["UNAUTHENTICATED caller_changed", "CONFLICT version version_stale"];
        let answers = join_all(race).await;
        let won = answers.iter().filter(|answer| assert_either(answer, &lost)).count();
        assert_eq!(won, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_narrowed_meanwhile_changes_only_what_is_within_reach() {
    let app = TestApp::start().await;
    for round in 0..20 {
        let by = writer(&app, &format!("by {round}")).await;
        let held = json!({ "permissions": ["API_ORGANIZATIONS_READ", "API_USERS_READ"] });
        let token = made(&app, &format!("ci {round}"), held).await;
        assert!(works(&app, &by.secret).await);
        let fewer = ["API_API_TOKENS_WRITE", "API_API_TOKENS_READ", "API_ORGANIZATIONS_READ"];
        let narrow = json!({ "id": by.id, "version": 1, "permissions": fewer });
        let change = json!({ "id": token.id, "version": 1, "enabled": false });
        let narrowing = update(&app, &app.admin, narrow);
        let (narrowed, changed) = join(narrowing, update(&app, &by.secret, change.clone())).await;
        assert!(refusals(&narrowed).is_empty(), "{}", narrowed.text);
        let done = assert_either(&changed, &["UNAUTHENTICATED caller_changed", "NOT_FOUND"]);
        assert_eq!(works(&app, &token.secret).await, !done);
        assert_eq!(refusals(&update(&app, &by.secret, change).await), ["NOT_FOUND"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deleted_meanwhile_is_not_there() {
    let app = TestApp::start().await;
    let deletion = "mutation ($id: ID!) { deleteApiToken(input: { id: $id }) { user { name } } }";
    for round in 0..10 {
        let token = made(&app, &format!("ci {round}"), json!({})).await;
        let input = json!({ "id": token.id, "version": 1, "name": format!("renamed {round}") });
        let deleting = app.graphql(&app.admin, deletion, json!({ "id": token.id }));
        let (deleted, changed) = join(deleting, update(&app, &app.admin, input)).await;
        let name = if assert_either(&changed, &["NOT_FOUND"]) { "renamed" } else { "ci" };
        let left = &deleted.data()["deleteApiToken"]["user"]["name"];
        assert_eq!(left, &json!(format!("{name} {round}")));
    }
}
