//! When and from where a token was last used: known soon, at no request's cost.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::support::{Binary, Options, TestApp, administrator, migrated};

const OF_ALL: &str = "SELECT name || ' ' || coalesce(last_used_address, '-') AS text FROM api_tokens \
                      WHERE last_used_address IS NOT NULL ORDER BY name";
const SECRET: &str = "mutation ($input: CreateApiTokenInput!) { \
                      createApiToken(input: $input) { token apiToken { id } } }";

/// The application, which writes soon.
async fn writing_soon() -> TestApp {
    let last_use_interval = Duration::from_millis(20);
    TestApp::with(Options { last_use_interval, ..Options::default() }).await
}

/// A token: its secret and its id.
async fn made(app: &TestApp, name: &str, more: Value) -> (String, String) {
    let variables = json!({ "input": app.input(name, more) });
    let answer = app.graphql(&app.admin, SECRET, variables).await;
    let made = &answer.data()["createApiToken"];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&made["token"]), text(&made["apiToken"]["id"]))
}

/// What the administrator reads of a token.
async fn read(app: &TestApp, id: &str) -> Value {
    let query = "query ($id: ID!) { apiToken(id: $id) { \
                 version lastModifiedDate lastUsedDate lastUsedAddress } }";
    let answer = app.graphql(&app.admin, query, json!({ "id": id })).await;
    answer.data()["apiToken"].clone()
}

/// The same, once a use is known that is not this one.
async fn read_once_used(app: &TestApp, id: &str, before: &Value) -> Value {
    for _ in 0..1000 {
        let token = read(app, id).await;
        if token["lastUsedDate"] != *before {
            return token;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("no use is known");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_use_is_known_soon_and_is_no_change() {
    let app = writing_soon().await;
    let (secret, id) = made(&app, "ci", json!({})).await;
    let unused = read(&app, &id).await;
    assert_eq!((&unused["lastUsedDate"], &unused["lastUsedAddress"]), (&Value::Null, &Value::Null));

    let before = app.in_time(chrono::TimeDelta::zero());
    app.query(&secret, "{ currentApiToken { id } }").await.data();
    let used = read_once_used(&app, &id, &Value::Null).await;
    let date = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    assert!(date(used["lastUsedDate"].as_str().unwrap()) >= date(&before));
    assert_eq!(used["lastUsedAddress"], "127.0.0.1");
    for kept in ["version", "lastModifiedDate"] {
        assert_eq!(used[kept], unused[kept], "{kept}");
    }
    assert_eq!(
        app.database.count("audit_events"),
        2,
        "two tokens were made, and nothing else done"
    );

    app.query(&secret, "{ currentApiToken { id } }").await.data();
    let later = read_once_used(&app, &id, &used["lastUsedDate"]).await;
    let [used, later] = [used, later].map(|token| date(token["lastUsedDate"].as_str().unwrap()));
    assert!(later > used);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_request_is_no_use() {
    let app = writing_soon().await;
    let elsewhere = json!({ "allowedAddresses": ["192.0.2.1"] });
    let (elsewhere, _) = made(&app, "elsewhere", elsewhere).await;
    let (disabled, _) = made(&app, "disabled", json!({})).await;
    let (_, control) = made(&app, "control", json!({})).await;
    app.database.execute("UPDATE api_tokens SET enabled = FALSE WHERE name = 'disabled'");
    assert_eq!(app.query(&elsewhere, "{ __typename }").await.status, 403);
    assert_eq!(app.query(&disabled, "{ __typename }").await.status, 401);
    // The administrator's reading is a use: once that is written, all before it would be.
    read(&app, &control).await;
    let admin = "SELECT name AS text FROM api_tokens WHERE last_used_address IS NOT NULL";
    for _ in 0..1000 {
        if !app.database.texts(admin).is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(app.database.texts(OF_ALL), ["administrator 127.0.0.1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_takes_no_write_holds_up_no_request_and_loses_no_use() {
    let app = writing_soon().await;
    let (secret, _) = made(&app, "ci", json!({})).await;
    let lock = app.database.write_lock();
    for _ in 0..20 {
        assert_eq!(app.query(&secret, "{ currentApiToken { id } }").await.status, 200);
    }
    drop(lock);
    for _ in 0..1000 {
        if app.database.texts(OF_ALL).contains(&"ci 127.0.0.1".to_owned()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the use is lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_noted_is_written_at_the_end() {
    let database = migrated();
    let admin = administrator(&database, "caller");
    let server = Binary::on(&database, &["serve"]).serve();
    for _ in 0..50 {
        server.graphql(&admin, "{ currentApiToken { id } }", json!({})).await.data();
    }
    assert_eq!(server.stop().code, Some(0));
    assert_eq!(database.texts(OF_ALL), ["caller 127.0.0.1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_write_nothing() {
    // The application writes at its end, and then every hour.
    let app = TestApp::start().await;
    let (secret, id) = made(&app, "ci", json!({})).await;
    for _ in 0..50 {
        app.query(&secret, "{ currentApiToken { id } }").await.data();
    }
    assert_eq!(read(&app, &id).await["lastUsedDate"], Value::Null);
}
