//! Bearer authentication: what lets a request in, and the one answer to everything that does not.

mod damage;
mod floods;
mod header;
mod one_refusal;
mod revocation;
mod stored_secrets;

use reqwest::{RequestBuilder, StatusCode};
use serde_json::json;
use tokenwright::domain::clock::Clock;
use tokenwright::domain::id::ApiTokenId;
use tokenwright::domain::random::SystemRandom;
use tokenwright::domain::secret::PlaintextSecret;

use crate::support::{Answer, TestApp};

const WHO: &str = r#"{"query":"{ currentUser { id } }"}"#;

const CHALLENGE: &str = r#"Bearer realm="tokenwright""#;

async fn sent(request: RequestBuilder) -> Answer {
    Answer::of(request.send().await.unwrap()).await
}

/// Asks who the caller is, with these `Authorization` headers.
async fn who(app: &TestApp, authorization: &[&str]) -> Answer {
    let request = app.post().body(WHO);
    let add = |request: RequestBuilder, line: &&str| request.header("authorization", *line);
    sent(authorization.iter().fold(request, add)).await
}

/// Asks who the caller is, with this token.
async fn status(app: &TestApp, token: &str) -> StatusCode {
    who(app, &[&format!("Bearer {token}")]).await.status
}

/// Makes a token with a name of its own and uses it, so that its proof is remembered.
async fn used(app: &TestApp, name: &str) -> String {
    let secret = app.secret(&app.admin, app.input(name, json!({}))).await;
    assert_eq!(status(app, &secret).await, 200);
    secret
}

/// A well-formed secret that was never given out.
pub(super) fn unknown(app: &TestApp) -> String {
    let id = ApiTokenId::generate(app.clock.now(), &SystemRandom).unwrap();
    secret_for(id)
}

/// A well-formed secret for the token that this one is of.
pub(super) fn wrong(secret: &str) -> String {
    secret_for(PlaintextSecret::parse(secret).unwrap().token_id())
}

fn secret_for(id: ApiTokenId) -> String {
    let secret = PlaintextSecret::generate(id, &SystemRandom).unwrap();
    secret.reveal().to_owned()
}

/// The secret with another last character.
fn with_wrong_checksum(secret: &str) -> String {
    let last = if secret.ends_with('0') { '1' } else { '0' };
    format!("{}{last}", &secret[..75])
}

#[track_caller]
fn assert_invalid(answer: &Answer) {
    assert_eq!(answer.status, 401, "{}", answer.text);
    assert_eq!(answer.errors(), ["UNAUTHENTICATED invalid_token"]);
    let challenge = answer.header("www-authenticate");
    assert!(challenge.starts_with(CHALLENGE), "{challenge}");
    assert!(challenge.contains(r#"error="invalid_token""#), "{challenge}");
    assert!(answer.json.get("data").is_none());
}

/// It carries nothing that counts as credentials.
#[track_caller]
fn assert_missing(answer: &Answer) {
    assert_eq!(answer.status, 401, "{}", answer.text);
    assert_eq!(answer.errors(), ["UNAUTHENTICATED token_missing"]);
    assert_eq!(answer.header("www-authenticate"), CHALLENGE);
}

#[track_caller]
fn assert_unavailable(answer: &Answer) {
    assert_eq!(answer.status, 503, "{}", answer.text);
    assert_eq!(answer.errors(), ["UNAVAILABLE unavailable"]);
    assert_eq!(answer.header("retry-after"), "1");
    assert_eq!(answer.json["errors"][0]["extensions"]["retryAfter"], 1);
    assert_eq!(answer.header("www-authenticate"), "");
}
