//! A client that creates and deletes tokens, and knows what it does not know.

use std::net::SocketAddr;
use std::time::Duration;

use chrono::{SecondsFormat, TimeDelta};
use reqwest::Client;
use serde_json::{Value, json};
use tokenwright::domain::clock::{Clock, SystemClock};

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(60);

const CREATE: &str = "mutation ($input: CreateApiTokenInput!) {
    createApiToken(input: $input) { token apiToken { id } } }";
const DELETE: &str = "mutation ($id: ID!) {
    deleteApiToken(input: { id: $id }) { deletedApiTokenId } }";

/// What a client knows of what it asked for.
#[derive(Debug)]
pub enum Outcome<T> {
    Done(T),
    NotDone,
    Unknown,
}

/// A token whose creation was acknowledged.
#[derive(Debug)]
pub struct Token {
    pub id: String,
    pub secret: String,
}

/// One client of one instance.
pub struct Writer {
    http: Client,
    url: String,
    token: String,
}

/// The input of a token without faults.
pub fn input(name: &str) -> Value {
    let expiry = SystemClock.now() + TimeDelta::days(30);
    json!({
        "name": name,
        "expiry": expiry.to_rfc3339_opts(SecondsFormat::AutoSi, true),
        "permissions": ["API_ORGANIZATIONS_READ"],
    })
}

impl Writer {
    /// A client of the instance at this address, with this token.
    pub fn new(address: SocketAddr, token: &str) -> Self {
        let http = Client::builder().timeout(PATIENCE).build().unwrap();
        Self { http, url: format!("http://{address}/graphql"), token: token.to_owned() }
    }

    /// Creates a token of this name, which nobody has.
    pub async fn create(&self, name: &str) -> Outcome<Token> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let data = self.send(CREATE, json!({ "input": input(name) })).await;
        data.map(|data| {
            let created = &data["createApiToken"];
            Token { id: text(&created["apiToken"]["id"]), secret: text(&created["token"]) }
        })
    }

    /// Deletes a token that is there.
    pub async fn delete(&self, id: &str) -> Outcome<()> {
        self.send(DELETE, json!({ "id": id })).await.map(drop)
    }

    /// Sends a mutation that nothing but an accident keeps from being done: its `data`.
    async fn send(&self, query: &str, variables: Value) -> Outcome<Value> {
        let body = json!({ "query": query, "variables": variables });
        let request = self.http.post(&self.url).bearer_auth(&self.token).json(&body);
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) if error.is_connect() => return Outcome::NotDone,
            Err(error) => return cut(&error),
        };
        let status = response.status();
        let text = match response.text().await {
            Ok(text) => text,
            Err(error) => return cut(&error),
        };
        let answer: Value = serde_json::from_str(&text).unwrap();
        if answer["errors"].is_null() {
            return Outcome::Done(answer["data"].clone());
        }
        let refusal = &answer["errors"][0]["extensions"];
        assert_eq!(refusal["code"], "UNAVAILABLE", "{status}: {text}");
        if refusal["reason"] == "outcome_unknown" { Outcome::Unknown } else { Outcome::NotDone }
    }
}

impl<T> Outcome<T> {
    /// Was it acknowledged?
    pub const fn is_done(&self) -> bool {
        matches!(self, Self::Done(_))
    }

    /// Is it unknown whether it was done?
    pub const fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    fn map<U>(self, of: impl FnOnce(T) -> U) -> Outcome<U> {
        match self {
            Self::Done(value) => Outcome::Done(of(value)),
            Self::NotDone => Outcome::NotDone,
            Self::Unknown => Outcome::Unknown,
        }
    }
}

/// The connection ended before the answer; a server that never answers is another matter.
fn cut<T>(error: &reqwest::Error) -> Outcome<T> {
    assert!(!error.is_timeout(), "{error:?}");
    Outcome::Unknown
}
