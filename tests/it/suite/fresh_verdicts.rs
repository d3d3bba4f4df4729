//! Whoever commits a change, and however busy the server is: the next request is judged by it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::json;
use tokenwright::db::PoolSettings;
use tokio::task::JoinSet;

use crate::support::{
    Binary, Made, Options, Random, TestApp, TestDatabase, made, set_policy, works,
};

const TOKENS: usize = 8;
/// Connections on which one question is asked at once.
const CONNECTIONS: usize = 8;

/// Requests of all tokens that do not change, until dropped: every reader of the server is busy and
/// remembers them.
struct Busy {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    _requests: JoinSet<()>,
}

impl Busy {
    fn on(app: &TestApp, secrets: &[String]) -> Self {
        let (stop, answered) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let mut requests = JoinSet::new();
        for secret in secrets {
            let request = app.post().bearer_auth(secret).body(r#"{"query":"{ __typename }"}"#);
            let (stop, answered) = (Arc::clone(&stop), Arc::clone(&answered));
            requests.spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let answer = request.try_clone().unwrap().send().await.unwrap();
                    assert_eq!(answer.status(), 200);
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        Self { stop, answered, _requests: requests }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        assert!(self.answered.load(Ordering::Relaxed) > TOKENS);
    }
}

/// An application with tokens to disable and others to keep it busy with.
async fn busy() -> (TestApp, Vec<Made>, Busy) {
    // So many that each of the threads that serve requests has a connection of its own.
    let pool = PoolSettings { connections: 8, ..Options::default().pool };
    let app = TestApp::with(Options { pool, ..Options::default() }).await;
    let mut tokens = Vec::new();
    for n in 0..TOKENS {
        tokens.push(made(&app, &format!("switched {n}"), json!({})).await);
    }
    let mut others = Vec::new();
    for n in 0..TOKENS {
        others.push(app.secret(&app.admin, app.input(&format!("other {n}"), json!({}))).await);
    }
    let busy = Busy::on(&app, &others);
    (app, tokens, busy)
}

/// Asks on several connections at once, each of which may be served by another reader.
async fn all_say(app: &TestApp, secret: &str, expected: bool, when: &str) {
    let mut answers = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let request = app.post().bearer_auth(secret).body(r#"{"query":"{ __typename }"}"#);
        answers.spawn(async move { request.send().await.unwrap().status() == 200 });
    }
    for answer in answers.join_all().await {
        assert_eq!(answer, expected, "{when}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_by_anybody_counts_for_the_next_request() {
    let (app, tokens, _busy) = busy().await;
    let mut random = Random::new(14);
    for round in 0..300 {
        let token = random.one_of(&tokens);
        assert!(works(&app, &token.secret).await);
        for (enabled, column) in [(false, "FALSE"), (true, "TRUE")] {
            drop(app.database.change(&token.id, &format!("enabled = {column}")));
            app.database.maintain(&mut random);
            all_say(&app, &token.secret, enabled, &format!("round {round}")).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_by_another_process_counts_for_the_next_request() {
    let (app, tokens, _busy) = busy().await;
    let mut random = Random::new(16);
    for token in tokens.iter().take(4) {
        all_say(&app, &token.secret, true, "before").await;
        for (command, enabled) in [("disable-token", false), ("enable-token", true)] {
            let done = Binary::on(&app.database, &["admin", command, &token.id]).run();
            assert_eq!(done.code, Some(0), "{}", done.stderr);
            app.database.maintain(&mut random);
            all_say(&app, &token.secret, enabled, command).await;
        }
    }
    let done = Binary::on(&app.database, &["admin", "delete-token", &tokens[0].id]).run();
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    all_say(&app, &tokens[0].secret, false, "deleted").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_counts_for_the_next_request_of_every_token() {
    let app = TestApp::start().await;
    let mut others = Vec::new();
    for n in 0..TOKENS {
        let more = json!({ "allowedAddresses": ["127.0.0.0/8"] });
        others.push(app.secret(&app.admin, app.input(&format!("other {n}"), more)).await);
    }
    let token = made(&app, "any address", json!({})).await;
    let _busy = Busy::on(&app, &others);
    let mut random = Random::new(17);
    let all = TestDatabase::instant(0);
    for round in 0..100 {
        for (since, works) in [(all.as_str(), false), ("NULL", true)] {
            app.database.execute(&format!("UPDATE policy SET addresses_since = {since}"));
            app.database.maintain(&mut random);
            all_say(&app, &token.secret, works, &format!("round {round}")).await;
        }
    }
    for (scope, works) in [("all", false), ("off", true)] {
        set_policy(&app, &["--allowed-addresses-scope", scope]);
        all_say(&app, &token.secret, works, scope).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_by_the_server_itself_counts_for_the_next_request() {
    let (app, tokens, _busy) = busy().await;
    let mut random = Random::new(15);
    let mut versions = [1; TOKENS];
    for round in 0..100 {
        let n = random.below(TOKENS);
        for enabled in [false, true] {
            let input = json!({ "id": tokens[n].id, "version": versions[n], "enabled": enabled });
            let update = "mutation ($input: UpdateApiTokenInput!) {
                              updateApiToken(input: $input) { apiToken { version } } }";
            app.graphql(&app.admin, update, json!({ "input": input })).await.data();
            versions[n] += 1;
            all_say(&app, &tokens[n].secret, enabled, &format!("round {round}")).await;
        }
    }
}
