//! `renewApiToken`: the settings of one token in another one.

mod races;
mod refusals;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tokenwright::domain::catalogue::Catalogue;
use tokenwright::domain::clock::{Clock, written};

use crate::support::{
    Answer, DEPRECATED_FIRST, Log, Made, Options, TestApp, TestDatabase, made, stored, works,
};

const RENEW: &str = "mutation ($input: RenewApiTokenInput!) { renewApiToken(input: $input) {
    token
    apiToken {
        id version creationDate lastModifiedDate userId name partialToken expiry allowedAddresses
        permissions status lastUsedDate
        createdUserInfo { userId userName } lastModifiedUserInfo { userId userName }
        renewedFrom { id version expiry name }
    }
} }";

async fn renew(app: &TestApp, token: &str, input: Value) -> Answer {
    app.graphql(token, RENEW, json!({ "input": input })).await
}

/// A renewal without faults. `more` replaces what it names.
fn input(app: &TestApp, id: &str, more: Value) -> Value {
    let mut input = json!({ "id": id, "expiry": app.in_time(TimeDelta::days(90)) });
    for (field, value) in more.as_object().unwrap() {
        input[field] = value.clone();
    }
    input
}

fn renewed(answer: &Answer) -> &Value {
    &answer.data()["renewApiToken"]["apiToken"]
}

/// A token that may renew tokens, and what it can hand on.
async fn writer(app: &TestApp, name: &str) -> Made {
    let permissions = ["API_API_TOKENS_WRITE", "API_ORGANIZATIONS_READ", "API_USERS_READ"];
    made(app, name, json!({ "permissions": permissions })).await
}

/// Today's date, as in a name.
fn today(app: &TestApp) -> String {
    app.clock.now().format("%Y-%m-%d").to_string()
}

/// The changes of the events of this kind, oldest first.
fn changes(app: &TestApp, action: &str) -> Vec<Value> {
    let changes = format!(
        "SELECT changes AS text FROM audit_events WHERE action = '{action}' ORDER BY date, id"
    );
    app.database.texts(&changes).iter().map(|text| serde_json::from_str(text).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_settings_come_along_with_a_new_secret_and_a_user_of_its_own() {
    let app = TestApp::start().await;
    let grant = json!({
        "permissions": ["API_USERS_READ", "API_ORGANIZATIONS_READ"],
        "allowedAddresses": ["127.0.0.1", "2001:db8::/32"],
    });
    let old = made(&app, "ci", grant).await;
    assert!(works(&app, &old.secret).await);
    let before = app.query(&old.secret, "{ currentApiToken { version expiry } }").await;
    let expiry = app.in_time(TimeDelta::days(90));
    let more = json!({ "expiry": expiry });
    let answer = renew(&app, &app.admin, input(&app, &old.id, more)).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    let now = renewed(&answer);
    assert_eq!(now["version"], 1);
    assert_eq!(now["name"], format!("ci {}", today(&app)));
    assert_eq!(now["expiry"], json!(expiry));
    assert_eq!(now["status"], "ACTIVE");
    assert_eq!(now["permissions"], json!(["API_ORGANIZATIONS_READ", "API_USERS_READ"]));
    assert_eq!(now["allowedAddresses"], json!(["127.0.0.1", "2001:db8::/32"]));
    assert_eq!(now["lastUsedDate"], Value::Null);
    assert_eq!(now["creationDate"], now["lastModifiedDate"]);
    assert_eq!(now["createdUserInfo"]["userName"], "administrator");
    assert_eq!(now["renewedFrom"]["id"], json!(old.id));

    let new = Made::of(&answer.data()["renewApiToken"]);
    assert_ne!((&new.id, &new.user_id), (&old.id, &old.user_id));
    assert!(new.secret.starts_with(now["partialToken"].as_str().unwrap().trim_end_matches('*')));
    let query = "{ currentApiToken { id } currentUser { id name serviceAccount enabled version } }";
    let own = app.query(&new.secret, query).await;
    let expected = json!({
        "currentApiToken": { "id": new.id },
        "currentUser": {
            "id": new.user_id, "name": now["name"], "serviceAccount": true, "enabled": true,
            "version": 1,
        },
    });
    assert_eq!(own.data(), &expected);
    let after = app.query(&old.secret, "{ currentApiToken { version expiry } }").await;
    assert_eq!(after.data(), before.data(), "the old one goes on as it was");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_can_be_given() {
    let app = TestApp::start().await;
    let old = made(&app, "ci", json!({})).await;
    let answer =
        renew(&app, &app.admin, input(&app, &old.id, json!({ "name": "Build № 2" }))).await;
    assert_eq!(renewed(&answer)["name"], "Build № 2");
    let keys = "SELECT u.name_key AS text FROM users u JOIN api_tokens t ON t.user_id = u.id \
                WHERE u.name_key = t.name_key AND t.renewed_from_id IS NOT NULL";
    assert_eq!(app.database.texts(keys), ["build no 2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_of_a_renewal_has_one_date() {
    let app = TestApp::start().await;
    let longest = "ü".repeat(200);
    let long = made(&app, &longest, json!({})).await;
    let expected = format!("{} {}", "ü".repeat(189), today(&app));
    let answer = renew(&app, &app.admin, input(&app, &long.id, json!({}))).await;
    assert_eq!(renewed(&answer)["name"], json!(expected));

    let mut id = made(&app, "ci", json!({})).await.id;
    for _ in 0..3 {
        let answer = renew(&app, &app.admin, input(&app, &id, json!({}))).await;
        assert_eq!(renewed(&answer)["name"], format!("ci {}", today(&app)));
        assert_eq!(renewed(&answer)["renewedFrom"]["id"], json!(id));
        id = renewed(&answer)["id"].as_str().unwrap().to_owned();
        // On the same day it is the renewal itself that has the name.
        let again = renew(&app, &app.admin, input(&app, &id, json!({ "name": null }))).await;
        assert_eq!(again.errors(), ["CONFLICT name name_taken"]);
        assert!(again.message().contains("give a name"), "{}", again.message());
        app.clock.advance(TimeDelta::days(1));
    }
    // A date that its maker chose is part of the name.
    let chosen = made(&app, "copy 2020-02-29", json!({})).await;
    let answer = renew(&app, &app.admin, input(&app, &chosen.id, json!({}))).await;
    assert_eq!(renewed(&answer)["name"], format!("copy 2020-02-29 {}", today(&app)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overlap_ends_the_old_token_sooner_and_never_later() {
    let app = TestApp::start().await;
    let mut now = app.clock.now();
    for (round, (overlap, end)) in [
        (json!(3600), Some(TimeDelta::hours(1))),
        (json!(0), Some(TimeDelta::zero())),
        (json!(i32::MAX), None),
        (json!(30 * 24 * 3600), None),
        (json!(30 * 24 * 3600 - 1), Some(TimeDelta::days(30) - TimeDelta::seconds(1))),
        (json!(null), None),
    ]
    .into_iter()
    .enumerate()
    {
        app.clock.stop_at(now);
        let old = made(&app, &format!("ci {round}"), json!({})).await;
        let more = json!({ "overlapSeconds": overlap });
        let events = changes(&app, "api_token_updated").len();
        let answer = renew(&app, &app.admin, input(&app, &old.id, more)).await;
        let from = &renewed(&answer)["renewedFrom"];
        let instant: DateTime<Utc> = from["expiry"].as_str().unwrap().parse().unwrap();
        assert_eq!(instant, now + end.unwrap_or(TimeDelta::days(30)), "{overlap}");
        assert_eq!(from["version"], if end.is_some() { 2 } else { 1 }, "{overlap}");
        let updated = changes(&app, "api_token_updated");
        assert_eq!(updated.len() - events, usize::from(end.is_some()));
        if end.is_some() {
            let before = written(now + TimeDelta::days(30));
            let change = json!({ "field": "expiry", "before": before, "after": written(instant) });
            assert!(updated.contains(&json!([change])), "{updated:?}");
        }
        assert_eq!(works(&app, &old.secret).await, end != Some(TimeDelta::zero()));
        let new = answer.data()["renewApiToken"]["token"].as_str().unwrap();
        assert!(works(&app, new).await);
        now += TimeDelta::hours(1);
        app.clock.stop_at(now);
        assert_eq!(works(&app, &old.secret).await, end.is_none_or(|end| end > TimeDelta::hours(1)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_old_token_comes_before_the_new_one_in_the_audit() {
    let app = TestApp::start().await;
    let old = made(&app, "ci", json!({})).await;
    for overlap in (1..=12).rev() {
        let more = json!({ "name": format!("ci {overlap}"), "overlapSeconds": overlap });
        renewed(&renew(&app, &app.admin, input(&app, &old.id, more)).await);
        let answer =
            app.query(&app.admin, "{ auditEvents(first: 2) { nodes { date action } } }").await;
        let [newest, before] = [0, 1].map(|n| &answer.data()["auditEvents"]["nodes"][n]);
        assert_eq!(newest["date"], before["date"]);
        assert_eq!(newest["action"], "API_TOKEN_RENEWED");
        assert_eq!(before["action"], "API_TOKEN_UPDATED");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_token_can_be_renewed_and_stays_expired() {
    let app = TestApp::start().await;
    let old = made(&app, "ci", json!({ "expiry": app.in_time(TimeDelta::hours(1)) })).await;
    app.clock.advance(TimeDelta::hours(2));
    let more = json!({ "overlapSeconds": 7200 });
    let answer = renew(&app, &app.admin, input(&app, &old.id, more)).await;
    assert_eq!(renewed(&answer)["renewedFrom"]["version"], 1);
    assert!(!works(&app, &old.secret).await);
    assert!(works(&app, answer.data()["renewApiToken"]["token"].as_str().unwrap()).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_may_renew_itself() {
    let app = TestApp::start().await;
    let own = writer(&app, "own").await;
    let document = "mutation ($input: RenewApiTokenInput!) { renewApiToken(input: $input) {
        token apiToken { permissions createdUserInfo { userName } } } }";
    let more = json!({ "overlapSeconds": 0 });
    let variables = json!({ "input": input(&app, &own.id, more) });
    let answer = app.graphql(&own.secret, document, variables).await;
    let expected = json!({
        "permissions": ["API_ORGANIZATIONS_READ", "API_USERS_READ", "API_API_TOKENS_WRITE"],
        "createdUserInfo": { "userName": "own" },
    });
    assert_eq!(answer.data()["renewApiToken"]["apiToken"], expected);
    assert!(works(&app, answer.data()["renewApiToken"]["token"].as_str().unwrap()).await);
    assert!(!works(&app, &own.secret).await, "it has ended itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_who_renewed_what_in_the_same_transaction() {
    let log = Log::start();
    let app = TestApp::start().await;
    let old = made(&app, "ci", json!({ "allowedAddresses": ["127.0.0.1"] })).await;
    let by = writer(&app, "janitor").await;
    let more = json!({ "name": "ci 2", "overlapSeconds": 60 });
    let document = "mutation ($input: RenewApiTokenInput!) {
        renewApiToken(input: $input) { token apiToken { id userId expiry } } }";
    let variables = json!({ "input": input(&app, &old.id, more) });
    let answer = app.graphql(&by.secret, document, variables).await;
    let new = Made::of(&answer.data()["renewApiToken"]);
    let request_id = answer.header("x-request-id");
    let told = |column: &str| {
        app.database.texts(&format!(
            "SELECT {column} AS text FROM audit_events e \
             JOIN api_tokens target ON target.id = e.target_id \
             JOIN api_tokens old ON old.id = target.renewed_from_id \
             JOIN audit_events ended ON ended.target_id = old.id AND ended.date = e.date \
             JOIN api_tokens caller ON caller.id = e.actor_api_token_id \
             JOIN users actor ON actor.id = e.actor_user_id \
             WHERE e.action = 'api_token_renewed' AND e.date = target.creation_date \
             AND actor.id = caller.user_id AND old.last_modified_date = e.date"
        ))
    };
    for (column, expected) in [
        ("target.name", "ci 2"),
        ("old.name", "ci"),
        ("ended.action", "api_token_updated"),
        ("ended.actor_user_name", "janitor"),
        ("ended.request_id", request_id),
        ("old.last_modified_user_name", "janitor"),
        ("caller.name", "janitor"),
        ("e.client_address", "127.0.0.1"),
        ("e.request_id", request_id),
    ] {
        assert_eq!(told(column), [expected], "{column}");
    }
    let expiry: DateTime<Utc> =
        answer.data()["renewApiToken"]["apiToken"]["expiry"].as_str().unwrap().parse().unwrap();
    let set = |field: &str, after: &str| json!({ "field": field, "before": null, "after": after });
    let expected = json!([
        set("name", "ci 2"),
        set("expiry", &written(expiry)),
        set("permissions", "api.organizations.read"),
        set("allowedAddresses", "127.0.0.1"),
        set("renewedFrom", &old.id),
    ]);
    assert_eq!(changes(&app, "api_token_renewed"), [expected]);
    let created = "SELECT action AS text FROM audit_events WHERE action = 'api_token_created'";
    assert_eq!(app.database.texts(created).len(), 3, "a renewal is no creation");
    assert_eq!(log.lines_with(&[request_id, "API token renewed", &new.id, &old.id]).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_cannot_be_written_leaves_everything_as_it_was() {
    let app = TestApp::start().await;
    let old = made(&app, "ci", json!({})).await;
    let before = stored(&app);
    app.database.refuse_inserts("audit_events", "the disk of secrets is full");
    for more in [json!({}), json!({ "overlapSeconds": 0 })] {
        let answer = renew(&app, &app.admin, input(&app, &old.id, more)).await;
        assert_eq!(answer.json["data"], json!({ "renewApiToken": null }));
        assert!(!answer.text.contains("disk of secrets"), "errors show no internals");
        assert_eq!(stored(&app), before);
    }
    assert!(works(&app, &old.secret).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deprecated_permission_comes_along() {
    let catalogue = Catalogue::from_toml(DEPRECATED_FIRST).unwrap();
    let app = TestApp::with(Options { catalogue, ..Options::default() }).await;
    let old = made(&app, "ci", json!({ "permissions": ["SHOP_ORDERS_READ"] })).await;
    let held =
        ["api.api-tokens.read", "api.api-tokens.write", "shop.orders.print", "shop.orders.read"];
    for (name, held) in [("administrator", &held[..]), ("ci", &held[2..])] {
        let held = TestDatabase::list(held);
        let grant = format!("UPDATE api_tokens SET permissions = {held} WHERE name = '{name}'");
        app.database.execute(&grant);
    }
    let answer = renew(&app, &app.admin, input(&app, &old.id, json!({}))).await;
    let expected = json!(["SHOP_ORDERS_PRINT", "SHOP_ORDERS_READ"]);
    assert_eq!(renewed(&answer)["permissions"], expected);
}
