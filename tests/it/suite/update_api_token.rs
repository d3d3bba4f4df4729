//! `updateApiToken`: what becomes different, and from when on.

mod narrowing;
mod races;
mod reach;
mod refusals;

use chrono::TimeDelta;
use serde_json::{Value, json};

use tokenwright::domain::clock::{Clock, written};

use crate::support::{Answer, Log, Made, TestApp, made, stored, works};

const UPDATE: &str = "mutation ($input: UpdateApiTokenInput!) {
    updateApiToken(input: $input) { apiToken {
        id version creationDate lastModifiedDate userId name partialToken expiry allowedAddresses
        permissions status
        createdUserInfo { userId userName } lastModifiedUserInfo { userId userName }
    } }
}";

async fn update(app: &TestApp, token: &str, input: Value) -> Answer {
    app.graphql(token, UPDATE, json!({ "input": input })).await
}

fn updated(answer: &Answer) -> &Value {
    &answer.data()["updateApiToken"]["apiToken"]
}

/// A token that may change tokens, and what it can hand on.
async fn writer(app: &TestApp, name: &str) -> Made {
    let permissions =
        ["API_API_TOKENS_WRITE", "API_API_TOKENS_READ", "API_ORGANIZATIONS_READ", "API_USERS_READ"];
    made(app, name, json!({ "permissions": permissions })).await
}

/// A refusal that changed nothing.
async fn assert_refused(app: &TestApp, token: &str, input: Value, expected: &[&str]) -> Answer {
    let before = stored(app);
    let answer = update(app, token, input).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.errors(), expected);
    assert_eq!(answer.json["data"], json!({ "updateApiToken": null }));
    assert_eq!(answer.json["errors"][0]["path"], json!(["updateApiToken"]));
    assert_eq!(stored(app), before, "nothing is half done");
    answer
}

/// What the newest event says about the changes.
fn newest_changes(app: &TestApp) -> Value {
    let newest = "SELECT changes AS text FROM audit_events ORDER BY date DESC, id DESC LIMIT 1";
    serde_json::from_str(&app.database.texts(newest)[0]).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_name_is_the_users_name_too() {
    let app = TestApp::start().await;
    let token = made(&app, "ci", json!({})).await;
    let before = app.in_time(TimeDelta::zero());
    let input = json!({ "id": token.id, "version": 1, "name": "Build № 2" });
    let answer = update(&app, &app.admin, input).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    let now = updated(&answer);
    assert_eq!((&now["id"], &now["userId"]), (&json!(token.id), &json!(token.user_id)));
    assert_eq!((&now["version"], &now["name"]), (&json!(2), &json!("Build № 2")));
    assert_eq!(now["lastModifiedUserInfo"]["userName"], "administrator");
    let modified = now["lastModifiedDate"].as_str().unwrap();
    assert!(modified >= before.as_str() && now["creationDate"].as_str().unwrap() < modified);

    let query = "{ currentApiToken { name version } \
                 currentUser { name version enabled lastModifiedDate } }";
    let own = app.query(&token.secret, query).await;
    let expected = json!({
        "currentApiToken": { "name": "Build № 2", "version": 2 },
        "currentUser": {
            "name": "Build № 2", "version": 2, "enabled": true, "lastModifiedDate": modified,
        },
    });
    assert_eq!(own.data(), &expected);
    let keys = "SELECT u.name_key AS text FROM users u JOIN api_tokens t ON t.user_id = u.id \
                WHERE u.name_key = t.name_key AND t.version = 2";
    assert_eq!(app.database.texts(keys), ["build no 2"]);

    let taken = app.create(&app.admin, app.input("BUILD № 2", json!({}))).await;
    assert_eq!(taken.errors(), ["CONFLICT name name_taken"]);
    made(&app, "ci", json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_renamed_token_does_carries_its_new_name() {
    let app = TestApp::start().await;
    let by = writer(&app, "before").await;
    let input = json!({ "id": by.id, "version": 1, "name": "after" });
    assert_eq!(updated(&update(&app, &by.secret, input).await)["name"], "after");
    let answer = app.create(&by.secret, app.input("made", json!({}))).await;
    let info = &answer.data()["createApiToken"]["apiToken"]["createdUserInfo"];
    assert_eq!(info, &json!({ "userId": by.user_id, "userName": "after" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn its_own_name_can_be_spelt_otherwise() {
    let app = TestApp::start().await;
    let token = made(&app, "ci", json!({})).await;
    for (version, name) in [(1, "CI"), (2, " Ｃｉ "), (3, "ci")] {
        let input = json!({ "id": token.id, "version": version, "name": name });
        let answer = update(&app, &app.admin, input).await;
        assert_eq!(updated(&answer)["name"], name);
        let users = app.database.texts("SELECT name AS text FROM users WHERE name_key = 'ci'");
        assert_eq!(users, [name]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_token_is_refused_at_once_until_it_is_enabled() {
    let app = TestApp::start().await;
    let token = made(&app, "ci", json!({})).await;
    for (version, enabled) in [(1, false), (2, true), (3, false), (4, true)] {
        let input = json!({ "id": token.id, "version": version, "enabled": enabled });
        let answer = update(&app, &app.admin, input).await;
        let status = if enabled { "ACTIVE" } else { "DISABLED" };
        assert_eq!(updated(&answer)["status"], status);
        assert_eq!(works(&app, &token.secret).await, enabled);
        let changes = json!([{
            "field": "enabled", "before": (!enabled).to_string(), "after": enabled.to_string(),
        }]);
        assert_eq!(newest_changes(&app), changes);
    }
    let query = "query ($id: ID!) { user(id: $id) { enabled version } }";
    let user = app.graphql(&app.admin, query, json!({ "id": token.user_id })).await;
    assert_eq!(user.data()["user"], json!({ "enabled": true, "version": 1 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_changes_nothing_leaves_everything_as_it_is() {
    let app = TestApp::start().await;
    let grant = json!({
        "permissions": ["API_USERS_READ", "API_ORGANIZATIONS_READ"],
        "allowedAddresses": ["127.0.0.1", "10.0.0.0/8"], "expiry": app.in_time(TimeDelta::days(9)),
    });
    let token = made(&app, "ci", grant.clone()).await;
    let before = stored(&app);
    let same = [
        json!({}),
        json!({
            "name": null, "enabled": null, "permissions": null, "allowedAddresses": null,
            "expiry": null,
        }),
        json!({ "name": "ci" }),
        json!({ "enabled": true }),
        json!({ "permissions": ["API_ORGANIZATIONS_READ", "API_USERS_READ", "API_USERS_READ"] }),
        json!({ "allowedAddresses": ["127.0.0.1/32", "10.0.0.0/8", "127.0.0.1"] }),
        json!({ "expiry": grant["expiry"] }),
    ];
    for mut input in same {
        (input["id"], input["version"]) = (json!(token.id), json!(1));
        let answer = update(&app, &app.admin, input.clone()).await;
        let now = updated(&answer);
        assert_eq!((&now["version"], &now["name"]), (&json!(1), &json!("ci")));
        assert_eq!(now["lastModifiedDate"], now["creationDate"]);
        assert_eq!(stored(&app), before, "{input}");
        input["version"] = json!(2);
        let stale = assert_refused(&app, &app.admin, input, &["CONFLICT version version_stale"]);
        assert_eq!(stale.await.json["errors"][0]["extensions"]["currentVersion"], 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_who_changed_what_in_the_same_transaction() {
    let log = Log::start();
    let app = TestApp::start().await;
    let grant = json!({
        "permissions": ["API_USERS_READ", "API_ORGANIZATIONS_READ"],
        "expiry": app.in_time(TimeDelta::days(9)),
    });
    let token = made(&app, "ci", grant).await;
    let by = writer(&app, "janitor").await;
    let expiry = app.clock.now() + TimeDelta::days(5);
    let input = json!({
        "id": token.id, "version": 1, "name": "ci 2", "enabled": false,
        "permissions": ["API_USERS_READ"], "allowedAddresses": ["10.0.0.0/8", "::1"],
        "expiry": written(expiry),
    });
    let answer = update(&app, &by.secret, input).await;
    let now = updated(&answer);
    assert_eq!(now["lastModifiedUserInfo"], json!({ "userId": by.user_id, "userName": "janitor" }));
    assert_eq!(now["createdUserInfo"]["userName"], "administrator");
    let request_id = answer.header("x-request-id");
    let told = |column: &str| {
        app.database.texts(&format!(
            "SELECT {column} AS text FROM audit_events e \
             JOIN api_tokens target ON target.id = e.target_id \
             JOIN api_tokens caller ON caller.id = e.actor_api_token_id \
             JOIN users actor ON actor.id = e.actor_user_id \
             WHERE e.action = 'api_token_updated' AND e.date = target.last_modified_date \
             AND actor.id = caller.user_id AND actor.id = target.last_modified_user_id"
        ))
    };
    for (column, expected) in [
        ("target.name", "ci 2"),
        ("caller.name", "janitor"),
        ("e.actor_user_name", "janitor"),
        ("e.client_address", "127.0.0.1"),
        ("e.request_id", request_id),
    ] {
        assert_eq!(told(column), [expected], "{column}");
    }
    let changes = newest_changes(&app);
    let created = "SELECT changes AS text FROM audit_events e JOIN api_tokens t ON t.id = target_id \
                   WHERE action = 'api_token_created' AND t.name = 'ci 2'";
    let created: Value = serde_json::from_str(&app.database.texts(created)[0]).unwrap();
    let fields: Vec<&Value> =
        changes.as_array().unwrap().iter().map(|change| &change["field"]).collect();
    assert_eq!(fields, ["name", "enabled", "expiry", "permissions", "allowedAddresses"]);
    for change in created.as_array().unwrap() {
        let same = |other: &&Value| other["field"] == change["field"];
        let found = changes.as_array().unwrap().iter().find(same).unwrap();
        assert_eq!(found["before"], change["after"], "in the form that the creation wrote");
    }
    let expiry = written(expiry);
    for (place, expected) in
        [(0, "ci 2"), (1, "false"), (2, &*expiry), (3, "api.users.read"), (4, "10.0.0.0/8 ::1")]
    {
        assert_eq!(changes[place]["after"], expected);
    }
    assert_eq!(log.lines_with(&[request_id, "API token updated", &token.id]).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_cannot_be_written_leaves_token_and_user_as_they_were() {
    let app = TestApp::start().await;
    let token = made(&app, "ci", json!({})).await;
    let before = stored(&app);
    app.database.refuse_inserts("audit_events", "the disk of secrets is full");
    let input = json!({ "id": token.id, "version": 1, "name": "other", "enabled": false });
    let answer = update(&app, &app.admin, input).await;
    assert_eq!(answer.json["data"], json!({ "updateApiToken": null }));
    assert!(!answer.text.contains("disk of secrets"), "errors show no internals");
    assert_eq!(stored(&app), before);
    assert!(works(&app, &token.secret).await);
}
