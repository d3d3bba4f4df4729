//! Forward-auth: what a gateway is told at `/authorize`.

mod answers;
mod attacks;
mod demands;
mod log;
mod revocation;

use reqwest::{Method, RequestBuilder};

use crate::support::{Answer, TestApp};

/// The headers of an answer that lets a request pass.
const IDENTITY: [&str; 5] = [
    "x-tokenwright-user-id",
    "x-tokenwright-user-name",
    "x-tokenwright-token-id",
    "x-tokenwright-permissions",
    "x-tokenwright-labels",
];
/// What tokens of these tests have.
const HAS: &str = "/authorize?permission=api.organizations.read";

/// A request that a test finishes itself.
fn asking(app: &TestApp, target: &str) -> RequestBuilder {
    app.http.request(Method::GET, format!("http://{}{target}", app.address))
}

async fn sent(request: RequestBuilder) -> Answer {
    let answer = Answer::of(request.send().await.unwrap()).await;
    assert_eq!(answer.text, "", "there is never a body");
    assert_eq!(answer.header("content-length"), "0");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_ne!(answer.header("x-request-id"), "");
    let passes = answer.status == 200;
    for name in IDENTITY {
        assert_eq!(answer.headers.contains_key(name), passes, "{name}");
    }
    answer
}

/// What a gateway is told about this token.
async fn authorized(app: &TestApp, token: &str, target: &str) -> Answer {
    sent(asking(app, target).bearer_auth(token)).await
}

async fn status(app: &TestApp, token: &str, target: &str) -> u16 {
    authorized(app, token, target).await.status.as_u16()
}
