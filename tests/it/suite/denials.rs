//! What is refused leaves a trace: in the line of the request, and in the audit.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};
use tokenwright::domain::clock::{Clock, written};

use crate::support::{Answer, Log, Made, Options, TestApp, made};

/// The application, which writes soon, at a time that stands still.
async fn writing_soon() -> TestApp {
    let last_use_interval = Duration::from_millis(20);
    let app = TestApp::with(Options { last_use_interval, ..Options::default() }).await;
    // Ahead of whatever time the server has seen: it does not go back.
    app.clock.stop_at(app.clock.now() + TimeDelta::seconds(1));
    app
}

/// The refusals in the audit: who, about what, and the changes.
async fn refusals(app: &TestApp, action: &str) -> Vec<(String, String, Value)> {
    let query = format!(
        "{{ auditEvents(filter: {{ action: [{action}] }}) {{ nodes {{ actor {{ userName }}
            actorApiTokenId targetId clientAddress changes {{ field after }} }} }} }}"
    );
    let answer = app.query(&app.admin, &query).await;
    let nodes = answer.data()["auditEvents"]["nodes"].as_array().unwrap().iter();
    let told = nodes.map(|node| {
        assert_eq!(node["clientAddress"], "127.0.0.1");
        let changes = node["changes"].as_array().unwrap().iter();
        let fields = changes
            .map(|change| (change["field"].as_str().unwrap().to_owned(), change["after"].clone()));
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&node["actor"]["userName"]), text(&node["targetId"]), Value::from_iter(fields))
    });
    let mut told: Vec<_> = told.collect();
    told.sort_by_key(|event| format!("{event:?}"));
    told
}

/// The same, once there are so many.
async fn refusals_once(app: &TestApp, action: &str, count: usize) -> Vec<(String, String, Value)> {
    for _ in 0..1_000 {
        let found = refusals(app, action).await;
        if found.len() >= count {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{action}: {:?}", refusals(app, action).await);
}

/// The line that ends a request.
fn line(log: &Log, answer: &Answer) -> String {
    let lines = log.lines_with(&[answer.header("x-request-id"), "answered"]);
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines.into_iter().next().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_line_of_a_request_says_who_asked_and_what_was_refused() {
    let log = Log::start();
    let app = TestApp::start().await;
    let ci = made(&app, "ci", json!({})).await;
    let told = line(log, &app.query(&ci.secret, "{ currentApiToken { id } }").await);
    assert!(told.contains(&format!("token={}", ci.id)), "{told}");
    assert!(told.contains(&format!("user={}", ci.user_id)), "{told}");
    assert!(!told.contains("refused=") && !told.contains("claimed="), "{told}");

    // An alias is a text of the client's: here, it is a secret.
    let document = format!(
        "{{ {}: apiTokens {{ totalCount }} apiToken(id: \"x\") {{ id }} currentUser {{ id }} }}",
        ci.secret
    );
    let told = line(log, &app.query(&ci.secret, &document).await);
    assert!(told.contains("apiTokens FORBIDDEN permission_missing"), "{told}");
    assert!(told.contains("apiToken FORBIDDEN permission_missing"), "{told}");
    assert!(!told.contains("currentUser") && !told.contains(&ci.secret), "{told}");

    // All faults of one field.
    let input = app.input("", json!({ "expiry": "1999-01-01T00:00:00Z", "permissions": [] }));
    let told = line(log, &app.create(&app.admin, input).await);
    for reason in ["name_empty", "expiry_past", "permissions_empty"] {
        assert!(told.contains(&format!("createApiToken BAD_USER_INPUT {reason}")), "{told}");
    }

    // A refused secret names a token, and whose it is is not known.
    let wrong = format!("{}{}", &ci.secret[..26], "x");
    let told = line(log, &app.query(&wrong, "{ __typename }").await);
    assert!(!told.contains("claimed=") && !told.contains("token="), "{told}");
    app.database.execute("UPDATE api_tokens SET enabled = FALSE WHERE name = 'ci'");
    let answer = app.query(&ci.secret, "{ __typename }").await;
    assert_eq!(answer.status, 401);
    let id = answer.header("x-request-id");
    assert_eq!(log.lines_with(&[id, "authentication refused", &ci.id]).len(), 1);
    let told = log.lines_with(&[id, "answered"]).concat();
    assert!(told.contains(&format!("claimed={}", ci.id)), "{told}");
    assert!(!told.contains("user="), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn denied_changes_are_counted_by_kind_and_minute() {
    let app = writing_soon().await;
    let writer = json!({ "permissions": ["API_API_TOKENS_WRITE", "API_ORGANIZATIONS_READ"] });
    let writer = made(&app, "writer", writer).await;
    let reader = made(&app, "reader", json!({})).await;
    let wide = made(&app, "wide", json!({ "permissions": ["API_USERS_READ"] })).await;
    let start = app.clock.now();

    let escalation = json!({ "permissions": ["API_USERS_READ", "API_TASKS_READ"] });
    for n in 0..3 {
        let input = app.input(&format!("made {n}"), escalation.clone());
        let expected = ["FORBIDDEN permissions permission_beyond_reach"; 2];
        assert_eq!(app.create(&writer.secret, input).await.errors(), expected);
        let input = app.input(&format!("made {n}"), json!({}));
        assert_eq!(
            app.create(&reader.secret, input).await.errors(),
            ["FORBIDDEN permission_missing"]
        );
    }
    let change = |token: &Made, field: &str, more: &str| {
        let (app, secret) = (&app, token.secret.clone());
        let query = format!(
            "mutation ($id: ID!) {{ {field}(input: {{ id: $id {more} }}) {{ __typename }} }}"
        );
        let variables = json!({ "id": wide.id });
        async move { app.graphql(&secret, &query, variables).await.errors() }
    };
    for _ in 0..2 {
        let errors = change(&writer, "updateApiToken", ", version: 1, enabled: false").await;
        assert_eq!(errors, ["NOT_FOUND"]);
    }
    assert_eq!(change(&writer, "deleteApiToken", "").await, ["FORBIDDEN permission_missing"]);
    // What is only wrong is no denial.
    app.create(&writer.secret, app.input("", json!({ "permissions": [] }))).await;
    let unknown = "mutation { updateApiToken(input: { id: \"tok_00000000000000000000zz\",
        version: 1 }) { __typename } }";
    assert_eq!(app.query(&writer.secret, unknown).await.errors(), ["NOT_FOUND"]);

    assert_eq!(refusals(&app, "API_TOKEN_CHANGE_DENIED").await, [], "the minute is not over");
    app.clock.stop_at(start + TimeDelta::seconds(61));
    let first = written(start);
    let told = |denied: &str, reason: &str, count: u32| {
        json!({
            "denied": denied, "reason": reason, "count": count.to_string(), "first": first,
            "last": first,
        })
    };
    let mut expected = [
        ("reader", &reader.id, told("api_token_created", "permission_missing", 3)),
        ("writer", &writer.id, told("api_token_created", "permission_beyond_reach", 3)),
        ("writer", &writer.id, told("api_token_deleted", "permission_missing", 1)),
        ("writer", &wide.id, told("api_token_updated", "out_of_reach", 2)),
    ]
    .map(|(who, target, changes)| (who.to_owned(), target.clone(), changes));
    expected.sort_by_key(|event| format!("{event:?}"));
    assert_eq!(refusals_once(&app, "API_TOKEN_CHANGE_DENIED", 4).await, expected);

    // The next minute is another event.
    assert_eq!(change(&writer, "deleteApiToken", "").await, ["FORBIDDEN permission_missing"]);
    app.clock.stop_at(start + TimeDelta::seconds(122));
    assert_eq!(refusals_once(&app, "API_TOKEN_CHANGE_DENIED", 5).await.len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn uses_of_ended_tokens_are_counted() {
    let app = writing_soon().await;
    let expiry = app.in_time(TimeDelta::seconds(10));
    let expired = made(&app, "expired", json!({ "expiry": expiry })).await;
    let deleted = made(&app, "deleted", json!({})).await;
    let disabled = made(&app, "disabled", json!({})).await;
    let start = app.clock.now() + TimeDelta::seconds(60);
    app.clock.stop_at(start);
    let delete = "mutation ($id: ID!) { deleteApiToken(input: { id: $id }) { __typename } }";
    app.graphql(&app.admin, delete, json!({ "id": deleted.id })).await.data();
    app.database.execute("UPDATE api_tokens SET enabled = FALSE WHERE name = 'disabled'");
    for (token, uses) in [(&expired, 1), (&deleted, 40), (&disabled, 2)] {
        for _ in 0..uses {
            assert_eq!(app.query(&token.secret, "{ __typename }").await.status, 401);
        }
    }
    app.clock.stop_at(start + TimeDelta::seconds(61));
    let instant = written(start);
    let told = |(name, token, count): (&str, &Made, u32)| {
        let changes = json!({
            "reason": name, "count": count.to_string(), "first": instant, "last": instant,
        });
        (name.to_owned(), token.id.clone(), changes)
    };
    let mut expected =
        [("expired", &expired, 1), ("deleted", &deleted, 40), ("disabled", &disabled, 2)].map(told);
    expected.sort_by_key(|event| format!("{event:?}"));
    assert_eq!(refusals_once(&app, "API_TOKEN_USE_REFUSED", 3).await, expected);
}
