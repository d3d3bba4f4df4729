//! Introspection, revocation and the metadata that names them.

mod introspect;
mod metadata;
mod revoke;

use reqwest::RequestBuilder;

use crate::support::{Answer, TestApp};

const INTROSPECT: &str = "/oauth2/introspect";
const REVOKE: &str = "/oauth2/revoke";

/// A form that a test finishes itself.
fn posting(app: &TestApp, path: &str, form: &[(&str, &str)]) -> RequestBuilder {
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(form);
    let request = app.http.post(format!("http://{}{path}", app.address));
    let form = "application/x-www-form-urlencoded";
    request.header("content-type", form).body(body.finish())
}

async fn sent(request: RequestBuilder) -> Answer {
    let answer = Answer::of(request.send().await.unwrap()).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_ne!(answer.header("x-request-id"), "");
    answer
}

/// The status and the `error` of a refusal.
fn refusal(answer: &Answer) -> (u16, &str) {
    let error = answer.json["error"].as_str().unwrap_or_default();
    let described = answer.json["error_description"].as_str().unwrap_or_default();
    assert_eq!(error.is_empty(), described.is_empty(), "{}", answer.text);
    (answer.status.as_u16(), error)
}
