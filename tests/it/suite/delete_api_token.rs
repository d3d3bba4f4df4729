//! `deleteApiToken`: what is gone, what remains, and every refusal.

use chrono::TimeDelta;
use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use crate::support::{
    Answer, Log, Made, ManualClock, Options, TestApp, UNKNOWN_TOKEN, made, works,
};

/// A token that may delete tokens, and make some.
async fn deleter(app: &TestApp, name: &str) -> Made {
    let permissions = [
        "API_API_TOKENS_DELETE",
        "API_API_TOKENS_WRITE",
        "API_ORGANIZATIONS_READ",
        "API_USERS_READ",
    ];
    made(app, name, json!({ "permissions": permissions })).await
}

async fn delete_with(app: &TestApp, token: &str, input: Value) -> Answer {
    let query = "mutation ($input: DeleteApiTokenInput!) { deleteApiToken(input: $input) {
        deletedApiTokenId user { id version name enabled serviceAccount lastModifiedDate } } }";
    app.graphql(token, query, json!({ "input": input })).await
}

async fn delete(app: &TestApp, token: &str, id: &str) -> Answer {
    delete_with(app, token, json!({ "id": id })).await
}

/// All that a deletion could change.
fn stored(app: &TestApp) -> Vec<String> {
    let mut rows = app.database.texts(
        "SELECT name || ' ' || CAST(version AS TEXT) || ' ' || CAST(last_modified_date AS TEXT) \
         || CASE WHEN deleted_date IS NULL THEN '' ELSE ' deleted' END AS text \
         FROM api_tokens ORDER BY id",
    );
    rows.extend(app.database.texts(
        "SELECT name || ' ' || CAST(version AS TEXT) || ' ' || CAST(last_modified_date AS TEXT) \
         || CASE WHEN enabled THEN '' ELSE ' disabled' END AS text FROM users ORDER BY id",
    ));
    rows.extend(app.database.texts("SELECT action AS text FROM audit_events ORDER BY id"));
    rows
}

/// A refusal that changed nothing.
async fn assert_refused(app: &TestApp, token: &str, input: Value, expected: &str) -> Answer {
    let before = stored(app);
    let answer = delete_with(app, token, input).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.errors(), [expected]);
    assert_eq!(answer.json["data"], json!({ "deleteApiToken": null }));
    assert_eq!(answer.json["errors"][0]["path"], json!(["deleteApiToken"]));
    assert_eq!(stored(app), before, "nothing is half done");
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_request_is_refused_and_the_user_remains_disabled() {
    let clock = ManualClock::at("2026-11-30T11:00:00Z".parse().unwrap());
    let app = TestApp::with(Options { clock, ..Options::default() }).await;
    let gone = made(&app, "ci", json!({})).await;
    assert!(works(&app, &gone.secret).await);
    app.clock.stop_at("2026-11-30T12:00:00.5Z".parse().unwrap());

    let answer = delete(&app, &app.admin, &gone.id).await;
    let payload = &answer.data()["deleteApiToken"];
    assert_eq!(payload["deletedApiTokenId"], gone.id);
    let expected = json!({
        "id": gone.user_id, "version": 2, "name": "ci", "enabled": false, "serviceAccount": true,
        "lastModifiedDate": "2026-11-30T12:00:00.500Z",
    });
    assert_eq!(payload["user"], expected);
    assert!(!works(&app, &gone.secret).await);

    let query = "query ($token: ID!, $user: ID!) {
        node(id: $token) { id }
        user(id: $user) { id version name enabled serviceAccount lastModifiedDate }
        seen: user(id: $user) { apiToken { id } }
    }";
    let ids = json!({ "token": gone.id, "user": gone.user_id });
    let answer = app.graphql(&app.admin, query, ids).await;
    let expected = json!({ "node": null, "user": expected, "seen": { "apiToken": null } });
    assert_eq!(answer.data(), &expected);
    let query = "query ($token: ID!) { apiToken(id: $token) { id } }";
    let answer = app.graphql(&app.admin, query, json!({ "token": gone.id })).await;
    assert_eq!(answer.errors(), ["NOT_FOUND"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_row_stays_and_tells_who_deleted_it_when() {
    let app = TestApp::start().await;
    made(&app, "bystander", json!({})).await;
    let gone = made(&app, "ci", json!({})).await;
    let by = deleter(&app, "cleaner").await;
    delete(&app, &by.secret, &gone.id).await.data();
    let rows = app.database.texts(
        "SELECT name || ' ' || CAST(version AS TEXT) || ' ' || last_modified_user_name AS text \
         FROM api_tokens WHERE deleted_date = last_modified_date AND deleted_date > creation_date",
    );
    assert_eq!(rows, ["ci 2 cleaner"]);
    let users = app.database.texts(
        "SELECT u.name || ' ' || CAST(u.version AS TEXT) AS text FROM users u \
         JOIN api_tokens t ON t.user_id = u.id AND t.deleted_date = u.last_modified_date \
         WHERE NOT u.enabled",
    );
    assert_eq!(users, ["ci 2"]);
    let disabled = app.database.texts("SELECT name AS text FROM users WHERE NOT enabled");
    assert_eq!(disabled, ["ci"], "and nobody else");
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_who_did_what_in_the_same_transaction() {
    let log = Log::start();
    let app = TestApp::start().await;
    let gone = made(&app, "ci", json!({})).await;
    let by = deleter(&app, "cleaner").await;
    let answer = delete(&app, &by.secret, &gone.id).await;
    let request_id = answer.header("x-request-id");
    let told = |column: &str| {
        app.database.texts(&format!(
            "SELECT {column} AS text FROM audit_events e \
             JOIN api_tokens target ON target.id = e.target_id \
             JOIN api_tokens caller ON caller.id = e.actor_api_token_id \
             JOIN users actor ON actor.id = e.actor_user_id \
             WHERE e.action = 'api_token_deleted' AND e.date = target.deleted_date \
             AND actor.id = caller.user_id"
        ))
    };
    for (column, expected) in [
        ("target.name", "ci"),
        ("caller.name", "cleaner"),
        ("e.actor_user_name", "cleaner"),
        ("e.client_address", "127.0.0.1"),
        ("e.request_id", request_id),
        ("e.changes", "[]"),
    ] {
        assert_eq!(told(column), [expected], "{column}");
    }
    assert_eq!(log.lines_with(&[request_id, "API token deleted", &gone.id]).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_cannot_be_written_leaves_token_and_user_as_they_were() {
    let app = TestApp::start().await;
    let token = made(&app, "ci", json!({})).await;
    let before = stored(&app);
    app.database.execute("ALTER TABLE audit_events RENAME TO gone");
    let answer = delete(&app, &app.admin, &token.id).await;
    assert_eq!(answer.json["data"], json!({ "deleteApiToken": null }));
    assert!(!answer.text.contains("audit_events"), "errors show no internals");
    app.database.execute("ALTER TABLE gone RENAME TO audit_events");
    assert_eq!(stored(&app), before);
    assert!(works(&app, &token.secret).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_gives_the_name_back() {
    let app = TestApp::start().await;
    for _ in 0..3 {
        let token = made(&app, "ci", json!({})).await;
        let taken = app.create(&app.admin, app.input("CI", json!({}))).await;
        assert_eq!(taken.errors(), ["CONFLICT name name_taken"]);
        delete(&app, &app.admin, &token.id).await.data();
    }
    let users = app.database.texts("SELECT name AS text FROM users WHERE name = 'ci'");
    assert_eq!(users.len(), 3, "the past stays attributed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_version_is_refused_and_told_the_current_one() {
    let app = TestApp::start().await;
    let token = made(&app, "ci", json!({})).await;
    app.database.execute("UPDATE api_tokens SET version = 2 WHERE name = 'ci'");
    for version in [1, 0, -1, 3, i32::MIN, i32::MAX] {
        let input = json!({ "id": token.id, "version": version });
        let answer =
            assert_refused(&app, &app.admin, input, "CONFLICT version version_stale").await;
        assert_eq!(answer.json["errors"][0]["extensions"]["currentVersion"], 2);
        assert!(answer.message().contains("version is now 2"), "{}", answer.message());
        assert!(works(&app, &token.secret).await);
    }
    let input = json!({ "id": token.id, "version": 2 });
    let answer = delete_with(&app, &app.admin, input.clone()).await;
    assert_eq!(answer.data()["deleteApiToken"]["deletedApiTokenId"], token.id);
    assert!(!works(&app, &token.secret).await);
    for version in [json!(2), json!(3), Value::Null] {
        let again = json!({ "id": token.id, "version": version });
        assert_refused(&app, &app.admin, again, "NOT_FOUND").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_is_null_or_left_out_is_any() {
    let app = TestApp::start().await;
    let token = made(&app, "ci", json!({})).await;
    app.database.execute("UPDATE api_tokens SET version = 7 WHERE name = 'ci'");
    delete_with(&app, &app.admin, json!({ "id": token.id, "version": null })).await.data();
    let versions =
        "SELECT CAST(version AS TEXT) AS text FROM api_tokens WHERE deleted_date IS NOT NULL";
    assert_eq!(app.database.texts(versions), ["8"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_not_found() {
    let app = TestApp::start().await;
    let token = made(&app, "ci", json!({})).await;
    for input in [json!({ "id": UNKNOWN_TOKEN }), json!({ "id": UNKNOWN_TOKEN, "version": 1 })] {
        assert_refused(&app, &app.admin, input, "NOT_FOUND").await;
    }
    delete(&app, &app.admin, &token.id).await.data();
    assert_refused(&app, &app.admin, json!({ "id": token.id }), "NOT_FOUND").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_is_none_is_bad_input() {
    let app = TestApp::start().await;
    let token = made(&app, "ci", json!({})).await;
    let upper = token.id.to_uppercase();
    let longer = format!("{}0", token.id);
    let (user, event) = (&token.user_id, token.id.replace("tok_", "evt_"));
    for id in ["", "x", "tok_", "tok_' OR 1=1 --", &token.secret, &upper, &longer, user, &event] {
        let expected = "BAD_USER_INPUT id id_syntax";
        let answer = assert_refused(&app, &app.admin, json!({ "id": id }), expected).await;
        assert!(!answer.text.contains(&token.secret), "{}", answer.text);
    }
    for input in [json!({}), json!({ "id": null }), json!({ "id": token.id, "version": "1" })] {
        let answer = delete_with(&app, &app.admin, input).await;
        assert!(answer.json.get("data").is_none(), "{}", answer.text);
        assert!(answer.errors()[0].starts_with("BAD_USER_INPUT"), "{}", answer.text);
    }
    assert!(works(&app, &token.secret).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_its_permission() {
    let app = TestApp::start().await;
    let token = made(&app, "ci", json!({})).await;
    let others = ["API_API_TOKENS_READ", "API_API_TOKENS_WRITE", "API_USERS_READ"];
    let by = made(&app, "writer", json!({ "permissions": others })).await;
    let expected = "FORBIDDEN permission_missing";
    for id in [&token.id, &by.id, UNKNOWN_TOKEN, "x"] {
        let answer = assert_refused(&app, &by.secret, json!({ "id": id }), expected).await;
        let extensions = &answer.json["errors"][0]["extensions"];
        assert_eq!(extensions["permission"], "api.api-tokens.delete");
    }
    assert!(works(&app, &token.secret).await);
    let document = format!(
        "mutation {{ deleteApiToken(input: {{ id: \"{}\" }}) {{ deletedApiTokenId }} }}",
        token.id
    );
    let anonymous = app.post().body(json!({ "query": document }).to_string());
    assert_eq!(anonymous.send().await.unwrap().status(), 401);
    assert!(works(&app, &token.secret).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn its_permission_is_enough_for_any_token() {
    let app = TestApp::start().await;
    let lowly = json!({
        "permissions": ["API_API_TOKENS_DELETE", "API_USERS_READ"], "allowedAddresses": ["127.0.0.1"],
    });
    let lowly = made(&app, "lowly", lowly).await;
    let query = "{ currentApiToken { id } }";
    let admin = app.query(&app.admin, query).await.data()["currentApiToken"]["id"].clone();
    let answer = delete(&app, &lowly.secret, admin.as_str().unwrap()).await;
    assert_eq!(answer.data()["deleteApiToken"]["user"]["name"], "administrator");
    assert!(!works(&app, &app.admin).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_cannot_be_used_can_be_deleted() {
    let app = TestApp::start().await;
    let disabled = made(&app, "disabled", json!({})).await;
    app.database.execute("UPDATE api_tokens SET enabled = FALSE WHERE name = 'disabled'");
    let orphaned = made(&app, "orphaned", json!({})).await;
    app.database.execute("UPDATE users SET enabled = FALSE WHERE name = 'orphaned'");
    let expiry = app.in_time(TimeDelta::seconds(60));
    let expired = made(&app, "expired", json!({ "expiry": expiry })).await;
    app.clock.advance(TimeDelta::seconds(120));
    for token in [disabled, orphaned, expired] {
        let answer = delete(&app, &app.admin, &token.id).await;
        assert_eq!(answer.data()["deleteApiToken"]["user"]["enabled"], false);
        assert_eq!(answer.data()["deleteApiToken"]["user"]["version"], 2);
        assert_refused(&app, &app.admin, json!({ "id": token.id }), "NOT_FOUND").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_may_delete_itself() {
    let app = TestApp::start().await;
    let own = deleter(&app, "own").await;
    let stale = json!({ "id": own.id, "version": 2 });
    let answer = assert_refused(&app, &own.secret, stale, "CONFLICT version version_stale").await;
    assert_eq!(answer.json["errors"][0]["extensions"]["currentVersion"], 1);
    let answer = delete_with(&app, &own.secret, json!({ "id": own.id, "version": 1 })).await;
    assert_eq!(answer.data()["deleteApiToken"]["user"]["id"], own.user_id);
    assert!(!works(&app, &own.secret).await);
    let by = "SELECT actor_user_name AS text FROM audit_events WHERE action = 'api_token_deleted'";
    assert_eq!(app.database.texts(by), ["own"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_done_for_a_token_that_the_same_document_deleted() {
    let app = TestApp::start().await;
    let older = made(&app, "older", json!({})).await;
    // Ids sort by their millisecond.
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    let own = deleter(&app, "own").await;
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    let newer = made(&app, "newer", json!({})).await;
    let query = "mutation ($own: ID!, $older: ID!, $newer: ID!, $none: ID!,
                           $new: CreateApiTokenInput!) {
        own: deleteApiToken(input: { id: $own }) { user { enabled } }
        older: deleteApiToken(input: { id: $older }) { user { enabled } }
        newer: deleteApiToken(input: { id: $newer }) { user { enabled } }
        stale: deleteApiToken(input: { id: $older, version: 9 }) { user { enabled } }
        none: deleteApiToken(input: { id: $none }) { user { enabled } }
        again: deleteApiToken(input: { id: $own }) { user { enabled } }
        staleAgain: deleteApiToken(input: { id: $own, version: 1 }) { user { enabled } }
        made: createApiToken(input: $new) { token }
    }";
    let variables = json!({
        "own": own.id, "older": older.id, "newer": newer.id, "none": UNKNOWN_TOKEN,
        "new": app.input("new", json!({})),
    });
    let answer = app.graphql(&own.secret, query, variables).await;
    let expected = json!({
        "own": { "user": { "enabled": false } }, "older": null, "newer": null, "stale": null,
        "none": null, "again": null, "staleAgain": null, "made": null,
    });
    assert_eq!(answer.json["data"], expected);
    assert_eq!(answer.errors(), ["UNAUTHENTICATED caller_changed"; 7]);
    assert!(works(&app, &older.secret).await && works(&app, &newer.secret).await);
    let rows = stored(&app);
    let ends = |end: &str| rows.iter().filter(|row| row.ends_with(end)).count();
    assert_eq!((ends(" deleted"), ends(" disabled"), ends("api_token_deleted")), (1, 1, 1));
    assert!(!rows.iter().any(|row| row.starts_with("new ")));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_at_once_one_deletes() {
    let app = TestApp::start().await;
    for (round, version) in [json!(null), json!(1)].into_iter().enumerate() {
        let token = made(&app, "contested", json!({})).await;
        let input = json!({ "id": token.id, "version": version });
        let by = deleter(&app, &format!("by {round}")).await;
        let race = (0..20).map(|n| {
            let secret = if n % 2 == 0 { &app.admin } else { &by.secret };
            delete_with(&app, secret, input.clone())
        });
        let answers = join_all(race).await;
        let (won, lost): (Vec<&Answer>, Vec<&Answer>) =
            answers.iter().partition(|answer| answer.json["errors"].is_null());
        assert_eq!(won.len(), 1);
        for answer in lost {
            assert_eq!(answer.errors(), ["NOT_FOUND"]);
        }
    }
    let rows = stored(&app);
    let ends = |end: &str| rows.iter().filter(|row| row.ends_with(end)).count();
    assert_eq!((ends(" deleted"), ends(" disabled"), ends("api_token_deleted")), (2, 2, 2));
}

/// How a call by a token that may be gone has ended: done, or refused because the token is gone.
fn is_done(answer: &Answer) -> bool {
    if answer.json["errors"].is_null() {
        assert!(answer.data()["deleteApiToken"].is_object());
        return true;
    }
    let errors = answer.errors();
    let expected = ["UNAUTHENTICATED invalid_token", "UNAUTHENTICATED caller_changed"];
    assert!(expected.contains(&errors[0].as_str()) && errors.len() == 1, "{}", answer.text);
    false
}

#[tokio::test(flavor = "multi_thread")]
async fn two_that_delete_each_other_at_once_do_not_wait_for_each_other() {
    let app = TestApp::start().await;
    for round in 0..20 {
        let a = deleter(&app, &format!("a {round}")).await;
        let b = deleter(&app, &format!("b {round}")).await;
        assert!(works(&app, &a.secret).await && works(&app, &b.secret).await);
        let by_a = delete(&app, &a.secret, &b.id);
        let by_b = delete(&app, &b.secret, &a.id);
        let (by_a, by_b) = join(by_a, by_b).await;
        let (by_a, by_b) = (is_done(&by_a), is_done(&by_b));
        assert!(by_a != by_b, "whoever is deleted first deletes nobody after");
        assert_eq!(works(&app, &a.secret).await, !by_b);
        assert_eq!(works(&app, &b.secret).await, !by_a);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_self_deletions_at_once_one_is_done() {
    let app = TestApp::start().await;
    for round in 0..10 {
        let own = deleter(&app, &format!("own {round}")).await;
        // Once proven, no request waits for another's proof.
        assert!(works(&app, &own.secret).await);
        let race = (0..8).map(|_| delete(&app, &own.secret, &own.id));
        let answers = join_all(race).await;
        let done = answers.iter().filter(|answer| is_done(answer)).count();
        assert_eq!(done, 1);
        assert!(!works(&app, &own.secret).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_get_deletes_nothing() {
    let app = TestApp::start().await;
    let token = made(&app, "ci", json!({})).await;
    let document =
        format!("mutation{{deleteApiToken(input:{{id:\"{}\"}}){{deletedApiTokenId}}}}", token.id);
    let url = reqwest::Url::parse_with_params(&app.url(), [("query", document)]).unwrap();
    let answer = app.http.get(url).bearer_auth(&app.admin).send().await.unwrap();
    assert_eq!(answer.status(), 405);
    assert!(works(&app, &token.secret).await);
}
