//! Requests, one after the other on each of some connections that stay open.

use std::slice::from_ref;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use futures_util::future::join_all;
use tokenwright::domain::clock::{Clock, SystemClock};
use tokenwright::domain::random::SystemRandom;
use tokenwright::domain::secret::PlaintextSecret;
use tokio::net::TcpStream;

use super::Server;
use super::exchange::{Answer, connect, exchange, get, post};

/// Connections that requests are sent on.
pub const CONNECTIONS: usize = 8;

/// First uses at once; more than 4,096 would have some proven at a later use.
const RUN_LATER: usize = 4_000;
/// What each of these tokens may do.
const PATH: &str = "/authorize?permission=api.users.read";

/// What was sent, and how long all of it took.
pub struct Load {
    pub requests: usize,
    pub took: Duration,
}

impl Load {
    /// Requests a second.
    pub fn rate(&self) -> f64 {
        self.requests as f64 / self.took.as_secs_f64()
    }
}

/// Sends so many requests on each of the usual number of connections.
pub async fn load(
    servers: &[Server],
    each: usize,
    token: &str,
    body: impl Fn(usize) -> String,
) -> Load {
    load_over(CONNECTIONS, servers, each, token, body).await
}

/// Sends so many requests on each connection; the connections are shared out among the servers.
/// `body` makes the body of the n-th request.
pub async fn load_over(
    connections: usize,
    servers: &[Server],
    each: usize,
    token: &str,
    body: impl Fn(usize) -> String,
) -> Load {
    let request = |n| post(token, &body(n));
    load_requests(connections, servers, each, request, "").await
}

/// The same with requests of any kind: `request` makes the bytes of the n-th one. Each answer must
/// have this in its body.
pub async fn load_requests(
    connections: usize,
    servers: &[Server],
    each: usize,
    request: impl Fn(usize) -> Vec<u8>,
    expected: &str,
) -> Load {
    let servers = servers.iter().cycle().take(connections).enumerate();
    let under_way = servers.map(async |(connection, server)| {
        let mut stream = connect(&server.address).await.unwrap();
        for n in 0..each {
            let answer = send(&mut stream, &request(connection * each + n)).await;
            assert!(answer.body.contains(expected), "{}", answer.body);
        }
    });
    let started = Instant::now();
    join_all(under_way).await;
    Load { requests: connections * each, took: started.elapsed() }
}

/// The body that asks for this.
pub fn document(document: &str) -> String {
    format!(r#"{{"query":"{document}"}}"#)
}

/// The body that makes the n-th token.
pub fn creation(n: usize) -> String {
    let expiry = (SystemClock.now() + TimeDelta::days(30)).format("%Y-%m-%dT%H:%M:%SZ");
    let permissions = r#"["API_USERS_READ", "API_API_TOKENS_READ"]"#;
    let input =
        format!(r#"{{"name": "n{n}", "expiry": "{expiry}", "permissions": {permissions}}}"#);
    // In a variable, as clients do, so that the document is the same each time.
    let query =
        "mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) { token } }";
    format!(r#"{{"query": "{query}", "variables": {{"input": {input}}}}}"#)
}

/// Makes so many tokens; their secrets.
pub async fn make(server: &Server, caller: &str, tokens: usize) -> Vec<String> {
    let each = tokens / CONNECTIONS;
    let under_way = (0..CONNECTIONS).map(async |connection| {
        let mut stream = connect(&server.address).await.unwrap();
        let mut secrets = Vec::new();
        for n in 0..each {
            let request = post(caller, &creation(connection * each + n));
            let answer = send(&mut stream, &request).await;
            let secret = answer.body.split("\"token\":\"").nth(1).unwrap();
            secrets.push(secret[..76].to_owned());
        }
        secrets
    });
    join_all(under_way).await.concat()
}

/// Uses each token for the first time, and waits until the server has done what it does after that:
/// it runs bcrypt once, while nobody waits. So this is in the figures of no other request.
pub async fn use_first(server: &Server, secrets: &[String]) {
    for secrets in secrets.chunks(RUN_LATER) {
        let each = secrets.len().div_ceil(CONNECTIONS);
        let request = |n: usize| get(&secrets[n % secrets.len()], PATH);
        load_requests(CONNECTIONS, from_ref(server), each, request, "").await;
        server.rests().await;
    }
}

/// A well-formed secret of the same token, which is wrong.
pub fn another_secret(secret: &str) -> String {
    let id = PlaintextSecret::parse(secret).unwrap().token_id();
    PlaintextSecret::generate(id, &SystemRandom).unwrap().reveal().to_owned()
}

/// One request, which must be answered with 200 and without an error.
pub async fn send(stream: &mut TcpStream, request: &[u8]) -> Answer {
    let answer = exchange(stream, request).await.unwrap();
    let is_good = answer.status == 200 && !answer.body.contains("\"errors\"");
    assert!(is_good, "{} {}", answer.status, answer.body);
    answer
}
