//! What clients know of their writes, and whether it is true.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard};

use futures_util::{StreamExt, stream};
use reqwest::{Client, StatusCode};
use serde_json::json;

use super::writer::Token;
use crate::support::{Answer, Server, TestDatabase};

/// Requests at the same time.
const AT_ONCE: usize = 8;

/// Everything that a whole transaction would not leave behind: a token has its user and the event
/// of its creation; a deleted token has the event of its deletion and a disabled user; no row
/// exists alone.
const HALF_DONE: &str = "
    WITH events AS (
        SELECT target_id,
               count(*) FILTER (WHERE action = 'api_token_created') AS created,
               count(*) FILTER (WHERE action = 'api_token_deleted') AS deleted
        FROM audit_events GROUP BY target_id)
    SELECT concat_ws(' ', tokens.name, users.name, events.target_id)
    FROM api_tokens tokens
    FULL JOIN users ON users.id = tokens.user_id
    FULL JOIN events ON events.target_id = tokens.id
    WHERE users.name IS DISTINCT FROM 'system'
    AND (tokens.id IS NULL OR users.id IS NULL OR events.created IS DISTINCT FROM 1
         OR events.deleted <> (tokens.deleted_date IS NOT NULL)::int
         OR users.enabled <> (tokens.deleted_date IS NULL))";

/// What became of the load on a database.
#[derive(Default)]
pub struct Ledger(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    names: usize,
    /// Tokens that nobody has deleted.
    live: Vec<Token>,
    /// Tokens whose deletion was acknowledged.
    deleted: Vec<Token>,
    /// Names of tokens whose creation was refused.
    refused: Vec<String>,
    unknown: usize,
}

impl Ledger {
    /// A name that nobody has, and its number.
    pub fn next_name(&self) -> (usize, String) {
        let mut entries = self.entries();
        entries.names += 1;
        (entries.names, format!("load {}", entries.names))
    }

    /// A creation was acknowledged, and nothing has undone it.
    pub fn live(&self, token: Token) {
        self.entries().live.push(token);
    }

    /// A deletion was acknowledged.
    pub fn deleted(&self, token: Token) {
        self.entries().deleted.push(token);
    }

    /// A creation was refused.
    pub fn refused(&self, name: String) {
        self.entries().refused.push(name);
    }

    /// Nobody said whether something was done.
    pub fn unknown_outcome(&self) {
        self.entries().unknown += 1;
    }

    /// How many outcomes are unknown.
    pub fn unknown(&self) -> usize {
        self.entries().unknown
    }

    /// What was acknowledged is so for every instance, what was refused is not there, and what is
    /// unknown is there as a whole or not at all.
    pub async fn assert_kept(&self, servers: &[&Server], database: &TestDatabase) {
        let half_done = database.texts(HALF_DONE);
        assert!(half_done.is_empty(), "{half_done:?}");
        let entries = std::mem::take(&mut *self.entries());
        let names = database.texts("SELECT name FROM api_tokens");
        let names: HashSet<String> = names.into_iter().collect();
        let done: Vec<&String> =
            entries.refused.iter().filter(|name| names.contains(*name)).collect();
        assert!(done.is_empty(), "refused and done: {done:?}");

        let live = entries.live.iter().map(|token| (token, StatusCode::OK));
        let deleted = entries.deleted.iter().map(|token| (token, StatusCode::UNAUTHORIZED));
        let http = Client::new();
        stream::iter(live.chain(deleted).zip(servers.iter().cycle()))
            .for_each_concurrent(AT_ONCE, |((token, status), server)| {
                assert_answered(&http, server, token, status)
            })
            .await;
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap()
    }
}

async fn assert_answered(http: &Client, server: &Server, token: &Token, status: StatusCode) {
    let request = http.post(format!("http://{}/graphql", server.address));
    let body = json!({ "query": "{ currentApiToken { id } }" });
    let answer = request.bearer_auth(&token.secret).json(&body).send().await.unwrap();
    let answer = Answer::of(answer).await;
    assert_eq!(answer.status, status, "{}: {}", token.id, answer.text);
    if status == StatusCode::OK {
        assert_eq!(answer.data()["currentApiToken"]["id"], token.id);
    }
}
