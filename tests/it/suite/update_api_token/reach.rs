//! A token that reaches further than the caller does not exist for the caller.

use serde_json::{Value, json};

use super::{assert_refused, update, updated};
use crate::support::{Answer, Made, TestApp, UNKNOWN_TOKEN, made, stored};

/// A caller of some permissions and addresses.
async fn caller(app: &TestApp) -> Made {
    let grant = json!({
        "permissions": ["API_API_TOKENS_WRITE", "API_API_TOKENS_READ", "API_ORGANIZATIONS_READ"],
        "allowedAddresses": ["127.0.0.0/9", "127.128.0.0/9", "10.0.0.0/24"],
    });
    made(app, "caller", grant).await
}

/// Everything in an answer except what is different for every request.
fn seen(answer: &Answer) -> (u16, Vec<(String, String)>, &str) {
    let own = ["x-request-id", "date"];
    let mut headers: Vec<(String, String)> = answer
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .filter(|(name, _)| !own.contains(&name.as_str()))
        .collect();
    headers.sort();
    (answer.status.as_u16(), headers, &answer.text)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_reaches_further_is_answered_like_what_is_not_there() {
    let app = TestApp::start().await;
    let by = caller(&app).await;
    let mut hidden = vec![("unknown", UNKNOWN_TOKEN.to_owned())];
    for (name, permissions, addresses) in [
        ("more", vec!["API_ORGANIZATIONS_READ", "API_USERS_READ"], vec!["10.0.0.1"]),
        ("other", vec!["API_USERS_READ"], vec!["10.0.0.1"]),
        ("wider", vec!["API_ORGANIZATIONS_READ"], vec!["10.0.0.0/23"]),
        ("elsewhere", vec!["API_ORGANIZATIONS_READ"], vec!["10.0.0.1", "::1"]),
        ("anywhere", vec!["API_ORGANIZATIONS_READ"], vec![]),
    ] {
        let grant = json!({ "permissions": permissions, "allowedAddresses": addresses });
        hidden.push((name, made(&app, name, grant).await.id));
    }
    let gone = made(&app, "gone", json!({ "allowedAddresses": ["10.0.0.1"] })).await;
    app.database.execute("UPDATE api_tokens SET deleted_date = creation_date WHERE name = 'gone'");
    hidden.push(("gone", gone.id));
    let admin = app.query(&app.admin, "{ currentApiToken { id } }").await;
    let admin = admin.data()["currentApiToken"]["id"].as_str().unwrap();
    hidden.push(("administrator", admin.to_owned()));

    let before = stored(&app);
    for more in [
        json!({}),
        json!({ "enabled": false }),
        json!({ "name": "fine" }),
        json!({ "name": "ADMINISTRATOR" }),
        json!({ "name": "more" }),
        json!({ "name": "", "expiry": "soon", "permissions": [], "allowedAddresses": ["x"] }),
        json!({ "permissions": ["API_TASKS_READ"], "allowedAddresses": [] }),
        json!({ "expiry": "1999-01-01T00:00:00Z" }),
        json!({ "expiry": "9999-01-01T00:00:00Z" }),
    ] {
        for version in [1, 2] {
            let mut answers = Vec::new();
            for (name, id) in &hidden {
                let mut input: Value = more.clone();
                (input["id"], input["version"]) = (json!(id), json!(version));
                answers.push((name, update(&app, &by.secret, input).await));
            }
            for (name, answer) in &answers {
                assert_eq!(seen(&answers[0].1), seen(answer), "{name} {more} {version}");
            }
            assert_eq!(answers[0].1.errors(), ["NOT_FOUND"]);
            assert_eq!(answers[0].1.message(), "There is nothing with this id.");
        }
    }
    assert_eq!(stored(&app), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_reaches_no_further_can_be_changed() {
    let app = TestApp::start().await;
    let by = caller(&app).await;
    for (name, permissions, addresses) in [
        ("less", vec!["API_ORGANIZATIONS_READ"], vec!["10.0.0.1"]),
        ("halves", vec!["API_API_TOKENS_WRITE"], vec!["127.0.0.0/8"]),
        ("same", vec!["API_API_TOKENS_WRITE", "API_ORGANIZATIONS_READ"], vec!["10.0.0.0/24"]),
    ] {
        let grant = json!({ "permissions": permissions, "allowedAddresses": addresses });
        let token = made(&app, name, grant).await;
        let input = json!({ "id": token.id, "version": 1, "enabled": false });
        assert_eq!(updated(&update(&app, &by.secret, input).await)["status"], "DISABLED");
        // The caller did not make it. The answer reveals nothing that the caller could not do
        // itself.
        let input = json!({ "id": token.id, "version": 1, "enabled": true });
        assert_refused(&app, &by.secret, input, &["CONFLICT version version_stale"]).await;
    }
    let input = json!({ "id": by.id, "version": 1, "name": "itself" });
    assert_eq!(updated(&update(&app, &by.secret, input).await)["name"], "itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_narrowed_comes_within_reach() {
    let app = TestApp::start().await;
    let by = caller(&app).await;
    let permissions = ["API_ORGANIZATIONS_READ", "API_USERS_READ"];
    let grant = json!({ "permissions": permissions, "allowedAddresses": ["10.0.0.1"] });
    let token = made(&app, "ci", grant).await;
    let own = json!({ "id": token.id, "version": 1, "enabled": false });
    assert_refused(&app, &by.secret, own, &["NOT_FOUND"]).await;
    let fewer = json!({ "id": token.id, "version": 1, "permissions": ["API_ORGANIZATIONS_READ"] });
    updated(&update(&app, &app.admin, fewer).await);
    let own = json!({ "id": token.id, "version": 2, "enabled": false });
    updated(&update(&app, &by.secret, own).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_done_for_a_token_that_the_same_document_narrowed() {
    let app = TestApp::start().await;
    let older = made(&app, "older", json!({ "allowedAddresses": ["127.0.0.1"] })).await;
    // Ids sort by their millisecond.
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    let own = caller(&app).await;
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    let newer = made(&app, "newer", json!({ "allowedAddresses": ["127.0.0.1"] })).await;
    let query = "mutation ($own: ID!, $older: ID!, $newer: ID!, $none: ID!, $expiry: DateTime!) {
        own: updateApiToken(input: { id: $own, version: 1, permissions: [API_API_TOKENS_WRITE] })
            { apiToken { version } }
        older: updateApiToken(input: { id: $older, version: 1, enabled: false }) { apiToken { id } }
        newer: updateApiToken(input: { id: $newer, version: 1, enabled: false }) { apiToken { id } }
        stale: updateApiToken(input: { id: $newer, version: 7 }) { apiToken { id } }
        none: updateApiToken(input: { id: $none, version: 1 }) { apiToken { id } }
        again: updateApiToken(input: { id: $own, version: 2, name: \"x\" }) { apiToken { id } }
        staleAgain: updateApiToken(input: { id: $own, version: 1 }) { apiToken { id } }
        renewed: renewApiToken(input: { id: $older, expiry: $expiry }) { token }
        itself: renewApiToken(input: { id: $own, expiry: $expiry }) { token }
    }";
    let variables = json!({
        "own": own.id, "older": older.id, "newer": newer.id, "none": UNKNOWN_TOKEN,
        "expiry": app.in_time(chrono::TimeDelta::days(1)),
    });
    let answer = app.graphql(&own.secret, query, variables).await;
    let data = answer.json["data"].as_object().unwrap();
    let done: Vec<&String> = data.keys().filter(|key| !data[*key].is_null()).collect();
    assert_eq!(done, ["own"]);
    assert_eq!(data["own"]["apiToken"]["version"], 2);
    assert_eq!(answer.errors(), ["UNAUTHENTICATED caller_changed"; 8]);
    let changed = "SELECT name AS text FROM api_tokens WHERE version > 1";
    assert_eq!(app.database.texts(changed), ["caller"]);
    assert_eq!(app.database.count("api_tokens"), 4);
}
