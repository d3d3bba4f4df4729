//! What is true of every surface that verifies a token: one rule decides, so they agree.

mod addresses;
mod agreement;
mod policy;

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::support::{Answer, Came, TestApp};

/// What a surface says of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Told {
    Allowed,
    /// Malformed, unknown, wrong, expired, disabled, deleted or refused by the policy.
    Invalid,
    Address,
    Permission,
}

const VERIFY: &str = "mutation ($input: VerifyApiTokenInput!) { verifyApiToken(input: $input) { \
                      active reason } }";
const VERIFY_ALL: &str = "mutation ($input: VerifyApiTokensInput!) { \
                          verifyApiTokens(input: $input) { verifications { active reason } } }";

/// What `/authorize` says, in a request that the test finishes itself.
async fn authorized(request: RequestBuilder) -> Told {
    let answer = Answer::of(request.send().await.unwrap()).await;
    forwarded(answer.status.as_u16().into(), answer.header("www-authenticate"))
}

/// What Envoy is told.
fn came(answer: &Came) -> Told {
    forwarded(answer.status, answer.header("www-authenticate").unwrap_or_default())
}

/// What a status and a challenge for the client say.
fn forwarded(status: i32, challenge: &str) -> Told {
    let scope = challenge.contains("insufficient_scope");
    match status {
        200 => Told::Allowed,
        401 => Told::Invalid,
        403 if scope => Told::Permission,
        403 => Told::Address,
        other => panic!("{other}"),
    }
}

/// What one verification says.
fn verification(told: &Value) -> Told {
    assert_eq!(told["active"].as_bool().unwrap(), told["reason"].is_null(), "{told}");
    match told["reason"].as_str() {
        None => Told::Allowed,
        Some("INVALID_TOKEN" | "EXPIRED" | "DISABLED") => Told::Invalid,
        Some(reason) if reason.starts_with("POLICY_") => Told::Invalid,
        Some("ADDRESS_NOT_ALLOWED" | "ADDRESS_UNKNOWN") => Told::Address,
        Some("PERMISSION_MISSING") => Told::Permission,
        Some(other) => panic!("{other}"),
    }
}

/// What introspection says: active or not.
async fn introspected(
    app: &TestApp,
    by: &str,
    token: &str,
    codes: &[&str],
    client: Option<&str>,
) -> bool {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("token", token).append_pair("required_scope", &codes.join(" "));
    if let Some(client) = client {
        form.append_pair("client_address", client);
    }
    let request = app.http.post(format!("http://{}/oauth2/introspect", app.address));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let answer = request.bearer_auth(by).body(form.finish()).send().await.unwrap();
    let answer = Answer::of(answer).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json["active"].as_bool().unwrap()
}

/// The input of `verifyApiToken`.
fn input(token: &str, codes: &[&str], client: Option<&str>) -> Value {
    let names: Vec<String> =
        codes.iter().map(|code| code.to_uppercase().replace(['.', '-'], "_")).collect();
    json!({ "token": token, "permissions": names, "clientAddress": client })
}
