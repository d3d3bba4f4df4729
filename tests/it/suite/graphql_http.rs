//! GraphQL over HTTP: what is accepted, and the clear answer to everything that is not.

mod answers;
mod bodies;
mod documents;
mod limits;
mod methods;
mod who_may_introspect;

use std::fmt::Write;

use reqwest::RequestBuilder;
use serde_json::json;
use tokenwright::graphql::Introspection;

use crate::support::{Answer, Options, TestApp};

const GRAPHQL_RESPONSE: &str = "application/graphql-response+json";

const CHALLENGE: &str = r#"Bearer realm="tokenwright""#;

const WHO: &str = r#"{"query":"{ currentUser { name } }"}"#;

async fn sent(request: RequestBuilder) -> Answer {
    Answer::of(request.send().await.unwrap()).await
}

/// Sends a body with the administrator's token.
async fn body(app: &TestApp, body: impl Into<String>) -> Answer {
    sent(app.post().bearer_auth(&app.admin).body(body.into())).await
}

/// Sends a document without credentials.
async fn anonymous(app: &TestApp, document: &str) -> Answer {
    sent(app.post().body(json!({ "query": document }).to_string())).await
}

/// Sends a document under the media type of GraphQL over HTTP.
async fn strict(app: &TestApp, document: &str) -> Answer {
    let request = app.post().header("accept", GRAPHQL_RESPONSE);
    let body = json!({ "query": document }).to_string();
    sent(request.bearer_auth(&app.admin).body(body)).await
}

async fn with_introspection(introspection: Introspection) -> TestApp {
    TestApp::with(Options { introspection, ..Options::default() }).await
}

async fn assert_alive(app: &TestApp) {
    let answer = body(app, WHO).await;
    assert_eq!(answer.data()["currentUser"]["name"], "administrator");
}

/// It is refused before anything runs, for this reason, in both media types.
async fn assert_refused(app: &TestApp, document: &str, expected: &[&str]) {
    let start: String = document.chars().take(60).collect();
    let older = app.query(&app.admin, document).await;
    assert_eq!(older.status, 200, "{start}");
    let newer = strict(app, document).await;
    assert_eq!(newer.status, 400, "{start}");
    for answer in [older, newer] {
        assert_eq!(answer.errors(), expected, "{start}: {}", answer.text);
        assert!(answer.json.get("data").is_none(), "{start}");
    }
    assert_alive(app).await;
}

/// Sends a query string with the administrator's token.
async fn by_get(app: &TestApp, parameters: &[(&str, &str)]) -> Answer {
    let encode = |text: &str| -> String {
        text.bytes().fold(String::new(), |mut encoded, byte| {
            write!(encoded, "%{byte:02x}").unwrap();
            encoded
        })
    };
    let pairs: Vec<String> =
        parameters.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    let url = format!("{}?{}", app.url(), pairs.join("&"));
    sent(app.http.get(url).bearer_auth(&app.admin)).await
}
