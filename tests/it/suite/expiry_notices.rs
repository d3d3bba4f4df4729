//! Notices of the end of tokens: each time before it once, whoever looks, and whatever happens to
//! the token, the policy or the clock.

mod changes;
mod instances;
mod outlets;
mod passing_time;

use chrono::TimeDelta;
use serde_json::{Value, json};
use tokenwright::domain::expiry_notice::{NoticeTime, NoticeTimes};

use crate::support::{Made, TestApp, TestDatabase, made};

const DAY: TimeDelta = TimeDelta::days(1);
/// Far in the future, in microseconds since 1970.
const FAR: i64 = 4_000_000_000_000_000;

fn times(texts: &[&str]) -> NoticeTimes {
    let times = texts.iter().map(|text| NoticeTime::parse(text).unwrap()).collect();
    NoticeTimes::new(times).unwrap()
}

/// As they are unless set.
fn usual() -> NoticeTimes {
    times(&["30d", "7d", "1d", "0s"])
}

/// The application, whose administrator does not end.
async fn start() -> TestApp {
    let app = TestApp::start().await;
    let far = TestDatabase::instant(FAR);
    app.database
        .execute(&format!("UPDATE api_tokens SET expiry = {far} WHERE name = 'administrator'"));
    app
}

async fn look(app: &TestApp) {
    app.service.notice_expiries(&usual()).await;
}

/// A token with so much time.
async fn ending(app: &TestApp, name: &str, left: TimeDelta) -> Made {
    made(app, name, json!({ "expiry": app.in_time(left) })).await
}

async fn change(app: &TestApp, id: &str, version: i32, more: Value) {
    let update = "mutation ($input: UpdateApiTokenInput!) { updateApiToken(input: $input) \
                  { apiToken { id } } }";
    let mut input = json!({ "id": id, "version": version });
    for (field, value) in more.as_object().unwrap() {
        input[field] = value.clone();
    }
    app.graphql(&app.admin, update, json!({ "input": input })).await.data();
}

async fn delete(app: &TestApp, id: &str) {
    let delete = "mutation ($id: ID!) { deleteApiToken(input: { id: $id }) { deletedApiTokenId } }";
    app.graphql(&app.admin, delete, json!({ "id": id })).await.data();
}

/// The events that tell of the end of a token, the oldest first.
async fn events(app: &TestApp, id: &str) -> Vec<Value> {
    let query = "query ($id: ID!) { auditEvents(first: 100, filter: { targetId: $id }) { nodes { \
                 action actor { userName } actorApiTokenId changes { field before after } } } }";
    let answer = app.graphql(&app.admin, query, json!({ "id": id })).await;
    let nodes = answer.data()["auditEvents"]["nodes"].as_array().unwrap().clone();
    let told = |node: &Value| {
        ["API_TOKEN_EXPIRING", "API_TOKEN_EXPIRED"].contains(&node["action"].as_str().unwrap())
    };
    nodes.into_iter().filter(told).rev().collect()
}

/// A value that an event tells.
fn fact<'a>(event: &'a Value, field: &str) -> &'a str {
    let changes = event["changes"].as_array().unwrap();
    let found = changes.iter().find(|change| change["field"] == field);
    found.map_or("", |change| change["after"].as_str().unwrap())
}

/// What was told of the end of a token: the times, or `end`.
async fn told(app: &TestApp, id: &str) -> Vec<String> {
    let word = |event: &Value| match event["action"].as_str().unwrap() {
        "API_TOKEN_EXPIRED" => "end".to_owned(),
        _ => fact(event, "notice").to_owned(),
    };
    events(app, id).await.iter().map(word).collect()
}
