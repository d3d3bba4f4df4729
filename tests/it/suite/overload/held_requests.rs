//! Requests that are held back: parts of large ones, and large ones that wait. However many clients
//! send them, they take little memory, and others are served.

use std::net::SocketAddr;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::Target;
use crate::support::{Answer, administrator, connect_from, peak_mib, resident_mib};

/// Clients, of two addresses.
const CLIENTS: u16 = 1000;
/// Clients that send many requests at once.
const AHEAD: u16 = 200;
/// What all of them may add to the memory of the process.
const MOST_MIB: u64 = 112;
/// Longer than a test takes: how much memory is held does not depend on how long a busy machine
/// takes to answer.
const PATIENT: &[&str] =
    &["--request-timeout", "60s", "--database-wait", "30s", "--database-statement-timeout", "30s"];
const WHOLE: usize = 65_000;

/// Each client has a descriptor here as well.
pub(super) fn raise_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
}

/// Sends the same from many connections, which stay open.
pub(super) async fn hold(to: SocketAddr, part: &[u8], clients: u16) -> Vec<TcpStream> {
    let mut held = Vec::new();
    for n in 0..clients {
        let mut connection = connect_from([127, 0, 1, u8::from(n % 2 == 0)], to).await;
        // Whoever is refused is cut off.
        let _cut = connection.write_all(part).await;
        held.push(connection);
    }
    held
}

/// What the server has answered on a connection so far.
fn answered(connection: &TcpStream) -> String {
    let mut bytes = [0; 1024];
    let count = connection.try_read(&mut bytes).unwrap_or(0);
    String::from_utf8_lossy(&bytes[..count]).into_owned()
}

impl Target {
    pub(super) fn head(&self, more: &str) -> String {
        format!(
            "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
             authorization: Bearer {}\r\n{more}\r\n",
            self.token
        )
    }

    /// The answer to a request with a large body, by another token.
    async fn ask_much(&self, token: &str) -> Answer {
        let body = json!({ "query": "{ currentUser { name } }", "more": "a".repeat(60_000) });
        let request = self.post(&body.to_string()).bearer_auth(token);
        Answer::of(request.send().await.unwrap()).await
    }

    async fn assert_bounded(&self, part: &[u8], clients: u16) -> Vec<TcpStream> {
        raise_descriptors();
        self.assert_alive().await;
        let before = resident_mib(self.process());
        let held = hold(self.server.address, part, clients).await;
        for _ in 0..20 {
            self.assert_alive().await;
        }
        let more = peak_mib(self.process()).saturating_sub(before);
        assert!(more < MOST_MIB, "{more} MiB");
        held
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_held_back_are_bounded() {
    let (target, database) = Target::over(|_| (), PATIENT);
    let other = administrator(&database, "other");
    let head = target.head(&format!("content-length: {WHOLE}\r\n"));
    let held =
        target.assert_bounded(format!("{head}{}", " ".repeat(WHOLE - 1)).as_bytes(), CLIENTS).await;
    let answers: Vec<String> = held.iter().map(answered).collect();
    let refused = answers.iter().filter(|answer| !answer.is_empty());
    for answer in refused.clone() {
        assert!(
            answer.starts_with("HTTP/1.1 503 ") && answer.contains("retry-after: 1"),
            "{answer}"
        );
    }
    assert!(refused.count() > usize::from(CLIENTS) / 2);
    // One token has half of the room.
    let answer = target.ask_much(&other).await;
    assert_eq!(answer.data()["currentUser"]["name"], "other");
    drop(held);
    while target.ask_much(&target.token).await.status != 200 {}
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_of_very_many_pieces_are_bounded() {
    let (target, _database) = Target::over(|_| (), PATIENT);
    let head = target.head("transfer-encoding: chunked\r\n");
    target
        .assert_bounded(format!("{head}{}", "1\r\n \r\n".repeat(10_000)).as_bytes(), CLIENTS)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn large_heads_that_are_held_back_are_bounded() {
    let (target, _database) = Target::over(|_| (), PATIENT);
    let head = format!("GET /livez HTTP/1.1\r\nhost: x\r\nx: {}", "a".repeat(110_000));
    target.assert_bounded(head.as_bytes(), CLIENTS).await;
}

/// What follows a request that waits is not read before that is answered.
#[tokio::test(flavor = "multi_thread")]
async fn requests_that_are_sent_ahead_are_bounded() {
    let (target, database) = Target::over(|_| (), PATIENT);
    database.make_events_slow();
    let query = json!({ "query": "{ auditEvents { nodes { id } } }" }).to_string();
    let head = target.head(&format!("content-length: {}\r\n", query.len()));
    let ahead = format!("{head}{query}{head}{query}").repeat(300);
    target.assert_bounded(&ahead.as_bytes()[..110_000], AHEAD).await;
}

/// The values of variables take much more memory than their text.
#[tokio::test(flavor = "multi_thread")]
async fn large_requests_that_wait_are_bounded() {
    let (target, database) = Target::over(|_| (), &["--request-timeout", "3s"]);
    database.make_events_slow();
    let lists: String =
        (0..30).map(|n| format!("l{n}: auditEvents {{ nodes {{ id }} }} ")).collect();
    let query = format!(
        "query ($s: [ApiTokenStatus!]) {{ {lists} apiTokens(filter: {{ status: $s }}) {{ totalCount }} }}"
    );
    let body = json!({ "query": query, "variables": { "s": vec!["ACTIVE"; 6_500] } }).to_string();
    target.assert_alive().await;
    let before = resident_mib(target.process());
    let mut asked = JoinSet::new();
    for _ in 0..400 {
        let request = target.post(&body).bearer_auth(&target.token);
        asked.spawn(async move { Answer::of(request.send().await.unwrap()).await.status });
    }
    while let Some(status) = asked.join_next().await {
        let status = status.unwrap().as_u16();
        assert!([200, 408, 503].contains(&status), "{status}");
    }
    let more = peak_mib(target.process()).saturating_sub(before);
    assert!(more < MOST_MIB, "{more} MiB");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_request_in_small_pieces_is_answered() {
    let (target, _database) = Target::over(|_| (), PATIENT);
    let query =
        json!({ "query": "{ currentUser { name } }", "more": "a".repeat(60_000) }).to_string();
    let length = target.head(&format!("content-length: {}\r\n", query.len()));
    let chunked = target.head("transfer-encoding: chunked\r\n");
    let pieces = |size: usize| -> Vec<String> {
        let pieces = query.as_bytes().chunks(size);
        pieces.map(|piece| String::from_utf8(piece.to_vec()).unwrap()).collect()
    };
    let in_chunks = |size: usize| -> String {
        let chunks: String =
            pieces(size).iter().map(|piece| format!("{:x}\r\n{piece}\r\n", piece.len())).collect();
        format!("{chunked}{chunks}0\r\n\r\n")
    };
    let whole = format!("{length}{query}");
    // On one connection, one after the other and all at once.
    let requests = [whole.clone(), in_chunks(1), in_chunks(4_096), in_chunks(30_000), whole];
    let address = target.server.address;
    for at_once in [false, true] {
        let mut connection = connect_from([127, 0, 0, 1], address).await;
        let mut answers = String::new();
        for (n, request) in requests.iter().enumerate() {
            let sent = connection.write_all(request.as_bytes()).await;
            assert!(at_once || sent.is_ok());
            while !at_once && answers.matches("administrator").count() <= n {
                assert!(read_more(&mut connection, &mut answers).await, "{answers}");
            }
        }
        while answers.matches("administrator").count() < requests.len() {
            if !read_more(&mut connection, &mut answers).await {
                // Where half of the next body has come already, the library ends the connection
                // with an answer, and says so in it.
                assert!(at_once && answers.contains("connection: close"), "{answers}");
                break;
            }
        }
    }
}

/// Adds what comes; `false` at the end of the connection.
async fn read_more(connection: &mut TcpStream, answers: &mut String) -> bool {
    let mut bytes = [0; 4096];
    // Closed with requests unread, it may be reset.
    let count = connection.read(&mut bytes).await.unwrap_or(0);
    answers.push_str(&String::from_utf8_lossy(&bytes[..count]));
    count > 0
}
