//! What becomes of the pool's connections.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tokio::time::timeout;

use crate::TestDatabase;
use crate::support::{Answer, eventually};

/// Asks who the token is.
pub async fn ask(http: &reqwest::Client, address: SocketAddr, token: &str) -> Answer {
    let body = json!({ "query": "{ currentApiToken { name } }" });
    let request = http.post(format!("http://{address}/graphql")).bearer_auth(token).json(&body);
    Answer::of(request.send().await.unwrap()).await
}

/// All connections of the pool can be in use at once, and no more than these; all are given back.
pub async fn assert_all_are_lent(
    database: &TestDatabase,
    address: SocketAddr,
    token: &str,
    connections: usize,
) {
    let settled = || database.is_quiet() && database.sessions().len() <= connections;
    eventually("nothing is left of what was before", settled).await;
    let lock = database.read_lock();
    let (token, http) = (token.to_owned(), reqwest::Client::new());
    let asking = tokio::spawn(async move {
        let askers = (0..connections + 2).map(|_| answered(&http, address, &token));
        timeout(Duration::from_mins(1), join_all(askers)).await.unwrap();
    });
    // What was asked for in an outage may reach the server only now, and ends there.
    let all_in_use = || {
        let sessions = database.sessions();
        sessions.len() == connections && sessions.iter().all(|session| session != "idle")
    };
    eventually("every connection is in use, and there are no others", all_in_use).await;
    drop(lock);
    asking.await.unwrap();
    eventually("every connection is given back", settled).await;
}

/// Asks until there is an answer.
async fn answered(http: &reqwest::Client, address: SocketAddr, token: &str) {
    let mut answer = ask(http, address, token).await;
    while answer.status == 503 {
        answer = ask(http, address, token).await;
    }
    assert_eq!(answer.data()["currentApiToken"]["name"], "administrator");
}
