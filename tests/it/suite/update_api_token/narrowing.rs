//! A grant becomes narrower, and never wider.

use chrono::TimeDelta;
use serde_json::{Value, json};
use tokenwright::domain::catalogue::Catalogue;

use super::{assert_refused, update, updated, writer};
use crate::support::{Answer, DEPRECATED_FIRST, Made, Options, TestApp, TestDatabase, made, works};

const WIDENED: &str = "BAD_USER_INPUT allowedAddresses addresses_widened";

/// The input of a change of the first version.
fn first(token: &Made, more: Value) -> Value {
    let mut input = more;
    (input["id"], input["version"]) = (json!(token.id), json!(1));
    input
}

/// May the token read users?
async fn reads_users(app: &TestApp, token: &Made) -> Answer {
    let query = "query ($id: ID!) { user(id: $id) { id } }";
    app.graphql(&token.secret, query, json!({ "id": token.user_id })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_that_is_taken_away_is_missing_at_once() {
    let app = TestApp::start().await;
    let all = ["API_USERS_READ", "API_ORGANIZATIONS_READ", "API_TASKS_READ"];
    let token = made(&app, "ci", json!({ "permissions": all })).await;
    reads_users(&app, &token).await.data();
    let fewer = ["API_TASKS_READ", "API_ORGANIZATIONS_READ"];
    let input = first(&token, json!({ "permissions": fewer }));
    let answer = update(&app, &app.admin, input).await;
    let expected = json!(["API_ORGANIZATIONS_READ", "API_TASKS_READ"]);
    assert_eq!(updated(&answer)["permissions"], expected);
    assert_eq!(updated(&answer)["version"], 2);
    assert_eq!(reads_users(&app, &token).await.errors(), ["FORBIDDEN permission_missing"]);
    let own = app.query(&token.secret, "{ currentApiToken { permissions } }").await;
    assert_eq!(own.data()["currentApiToken"]["permissions"], expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_that_are_taken_away_are_refused_at_once() {
    let app = TestApp::start().await;
    let token = made(&app, "ci", json!({})).await;
    let input = first(&token, json!({ "allowedAddresses": ["127.0.0.0/8", "10.0.0.0/8"] }));
    updated(&update(&app, &app.admin, input).await);
    assert!(works(&app, &token.secret).await);
    let addresses = json!(["10.0.0.7/32", "10.1.0.0/16"]);
    let input = json!({ "id": token.id, "version": 2, "allowedAddresses": addresses });
    let answer = update(&app, &app.admin, input).await;
    assert_eq!(updated(&answer)["allowedAddresses"], json!(["10.0.0.7", "10.1.0.0/16"]));
    let refused = app.query(&token.secret, "{ __typename }").await;
    assert_eq!(refused.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_expiry_holds() {
    let app = TestApp::start().await;
    let token = made(&app, "ci", json!({})).await;
    let expiry = app.in_time(TimeDelta::hours(1));
    let answer = update(&app, &app.admin, first(&token, json!({ "expiry": expiry }))).await;
    assert_eq!(updated(&answer)["expiry"], json!(expiry));
    assert!(works(&app, &token.secret).await);
    app.clock.advance(TimeDelta::hours(1));
    assert!(!works(&app, &token.secret).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_gives_its_permission_up_changes_nothing_more() {
    let app = TestApp::start().await;
    let own = writer(&app, "own").await;
    let other = made(&app, "other", json!({})).await;
    let input = first(&own, json!({ "permissions": ["API_ORGANIZATIONS_READ"] }));
    let answer = update(&app, &own.secret, input).await;
    assert_eq!(updated(&answer)["lastModifiedUserInfo"]["userName"], "own");
    let back = ["API_API_TOKENS_WRITE", "API_ORGANIZATIONS_READ"];
    let back = json!({ "id": own.id, "version": 2, "permissions": back });
    for input in [back, first(&other, json!({ "enabled": false }))] {
        let refused = assert_refused(&app, &own.secret, input, &["FORBIDDEN permission_missing"]);
        let extensions = &refused.await.json["errors"][0]["extensions"];
        assert_eq!(extensions["permission"], "api.api-tokens.write");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_may_end_its_own_use() {
    let app = TestApp::start().await;
    let disabled = writer(&app, "disabled").await;
    updated(&update(&app, &disabled.secret, first(&disabled, json!({ "enabled": false }))).await);
    assert!(!works(&app, &disabled.secret).await);
    let away = writer(&app, "away").await;
    let input = first(&away, json!({ "allowedAddresses": ["10.0.0.1"] }));
    updated(&update(&app, &away.secret, input).await);
    assert_eq!(app.query(&away.secret, "{ __typename }").await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn permissions_are_never_widened() {
    let app = TestApp::start().await;
    let some = ["API_USERS_READ", "API_ORGANIZATIONS_READ"];
    let token = made(&app, "ci", json!({ "permissions": some })).await;
    let more = ["API_USERS_READ", "API_USERS_WRITE", "API_ORGANIZATIONS_READ", "API_TASKS_READ"];
    let expected = ["BAD_USER_INPUT permissions permission_widened"; 2];
    let input = first(&token, json!({ "permissions": more }));
    let answer = assert_refused(&app, &app.admin, input, &expected).await;
    for (error, (index, code)) in [(1, "api.users.write"), (3, "api.tasks.read")].iter().enumerate()
    {
        let error = &answer.json["errors"][error];
        assert_eq!(error["extensions"]["index"], *index);
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(code) && message.contains("create another"), "{message}");
    }
    // What was taken away does not come back either.
    let input = first(&token, json!({ "permissions": ["API_USERS_READ"] }));
    updated(&update(&app, &app.admin, input).await);
    let input = json!({ "id": token.id, "version": 2, "permissions": some });
    assert_refused(&app, &app.admin, input, &expected[..1]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_are_never_widened() {
    let app = TestApp::start().await;
    let halves = ["10.0.0.0/9", "192.0.2.1", "10.128.0.0/9"];
    let token = made(&app, "ci", json!({ "allowedAddresses": halves })).await;
    for (addresses, indices) in [
        (json!(["10.0.0.0/7"]), vec![0]),
        (json!(["10.0.0.1", "192.0.2.0/31", "192.0.2.1", "::1"]), vec![1, 3]),
        (json!(["0.0.0.0/0", "::/0"]), vec![0, 1]),
    ] {
        let expected = vec![WIDENED; indices.len()];
        let input = first(&token, json!({ "allowedAddresses": addresses }));
        let answer = assert_refused(&app, &app.admin, input, &expected).await;
        let errors = answer.json["errors"].as_array().unwrap();
        let told: Vec<&Value> = errors.iter().map(|error| &error["extensions"]["index"]).collect();
        assert_eq!(told, indices);
        assert!(answer.message().contains("create another"), "{}", answer.message());
    }
    let input = first(&token, json!({ "allowedAddresses": [] }));
    let answer = assert_refused(&app, &app.admin, input, &[WIDENED]).await;
    assert_eq!(answer.json["errors"][0]["extensions"]["index"], Value::Null);

    // Two halves make a whole, which is no wider.
    let input = first(&token, json!({ "allowedAddresses": ["10.0.0.0/8"] }));
    let answer = update(&app, &app.admin, input).await;
    assert_eq!(updated(&answer)["allowedAddresses"], json!(["10.0.0.0/8"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expiry_is_never_later_and_never_past() {
    let app = TestApp::start().await;
    let token = made(&app, "ci", json!({})).await;
    let read = app.query(&token.secret, "{ currentApiToken { expiry } }").await;
    let stored = read.data()["currentApiToken"]["expiry"].as_str().unwrap().to_owned();
    let later = "BAD_USER_INPUT expiry expiry_widened";
    let past = "BAD_USER_INPUT expiry expiry_past";
    for (expiry, expected, told) in [
        (app.in_time(TimeDelta::days(31)), later, "renew"),
        ("9999-12-31T23:59:59Z".to_owned(), later, "renew"),
        (app.in_time(TimeDelta::zero()), past, "disable or delete"),
        ("1970-01-01T00:00:00Z".to_owned(), past, "disable or delete"),
    ] {
        let input = first(&token, json!({ "expiry": expiry }));
        let answer = assert_refused(&app, &app.admin, input, &[expected]).await;
        assert!(answer.message().contains(told), "{}", answer.message());
    }
    // Once it has expired, its own expiry is the only one that it can have.
    let keeper = json!({
        "permissions": ["API_API_TOKENS_WRITE", "API_API_TOKENS_READ", "API_ORGANIZATIONS_READ"],
        "expiry": app.in_time(TimeDelta::days(60)),
    });
    let keeper = made(&app, "keeper", keeper).await.secret;
    app.clock.advance(TimeDelta::days(31));
    for (expiry, expected) in
        [(app.in_time(TimeDelta::days(1)), later), (app.in_time(TimeDelta::hours(-12)), past)]
    {
        let input = first(&token, json!({ "expiry": expiry }));
        assert_refused(&app, &keeper, input, &[expected]).await;
    }
    let input = first(&token, json!({ "expiry": stored, "name": "old", "enabled": false }));
    let answer = update(&app, &keeper, input).await;
    assert_eq!(updated(&answer)["status"], "EXPIRED");
    assert_eq!(updated(&answer)["name"], "old");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_expiry_may_be_beyond_the_maximum_lifetime() {
    let app =
        TestApp::with(Options { max_lifetime: TimeDelta::days(8), ..Options::default() }).await;
    let token = made(&app, "ci", json!({ "expiry": app.in_time(TimeDelta::days(7)) })).await;
    // Made when the maximum was longer.
    let later = TestDatabase::later("expiry", TimeDelta::days(90));
    app.database.execute(&format!("UPDATE api_tokens SET expiry = {later} WHERE name = 'ci'"));
    let expiry = app.in_time(TimeDelta::days(60));
    let answer = update(&app, &app.admin, first(&token, json!({ "expiry": expiry }))).await;
    assert_eq!(updated(&answer)["expiry"], json!(expiry));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deprecated_permission_may_stay_and_is_not_given() {
    let catalogue = Catalogue::from_toml(DEPRECATED_FIRST).unwrap();
    let app = TestApp::with(Options { catalogue, ..Options::default() }).await;
    let both = ["SHOP_ORDERS_PRINT", "SHOP_ORDERS_READ"];
    let some = json!({ "permissions": ["SHOP_ORDERS_READ", "API_USERS_READ"] });
    let (holder, other) = (made(&app, "holder", some.clone()).await, made(&app, "x", some).await);
    let held = [
        "api.api-tokens.read",
        "api.api-tokens.write",
        "api.users.read",
        "shop.orders.print",
        "shop.orders.read",
    ];
    for (name, held) in [("administrator", &held[..]), ("holder", &held[2..])] {
        let held = TestDatabase::list(held);
        let grant = format!("UPDATE api_tokens SET permissions = {held} WHERE name = '{name}'");
        app.database.execute(&grant);
    }
    let answer = update(&app, &app.admin, first(&holder, json!({ "permissions": both }))).await;
    assert_eq!(updated(&answer)["permissions"], json!(both));
    let input = first(&other, json!({ "permissions": both }));
    let expected = ["BAD_USER_INPUT permissions permission_widened"];
    assert_refused(&app, &app.admin, input, &expected).await;
}
