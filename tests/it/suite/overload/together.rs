//! Everything that takes memory, at once: what clients hold back, answers that nobody reads,
//! documents that are kept, and the largest answers of all.

use serde_json::json;
use tokio::task::JoinSet;

use super::held_requests::{hold, raise_descriptors};
use super::largest_rows::{EVENTS, PAGE, too_large};
use super::{MAX_MIB, Target};
use crate::support::{Answer, administrator, peak_mib};

/// What is held back stays so for as long as the test takes.
const PATIENT: &[&str] = &["--request-timeout", "60s"];
/// Clients of each kind and token. Together they are nearly as many as may be connected.
const CLIENTS: u16 = 125;
/// Documents of the allowed length, far more than are kept.
const DOCUMENTS: usize = 400;

#[tokio::test(flavor = "multi_thread")]
async fn all_that_takes_memory_is_bounded_together() {
    raise_descriptors();
    let (target, database) = Target::with_largest_rows(PATIENT);
    // One token has half of the room.
    let tokens = [target.token.clone(), administrator(&database, "other")];
    let fields = " __typename".repeat(4_900);
    for n in 0..DOCUMENTS {
        let body = json!({ "query": format!("query Q{n} {{{fields}}}") }).to_string();
        Answer::of(target.post(&body).send().await.unwrap()).await.data();
    }
    let address = target.server.address;
    let head = format!("GET /livez HTTP/1.1\r\nhost: x\r\nx: {}", "a".repeat(110_000));
    let body = format!("{}{}", target.head("content-length: 65000\r\n"), " ".repeat(64_999));
    let chunked = target.head("transfer-encoding: chunked\r\n");
    let pieces = format!("{chunked}{}", "1\r\n \r\n".repeat(10_000));
    let mut held = Vec::new();
    for part in [head, body, pieces] {
        for token in &tokens {
            let part = part.replace(&target.token, token);
            held.push(hold(address, part.as_bytes(), CLIENTS).await);
        }
    }
    let unread: Vec<_> = (0..40).map(|_| target.ask_and_wait(EVENTS)).collect();
    let mut asked = JoinSet::new();
    let queries = too_large().into_iter().cycle().take(24).chain(vec![PAGE.to_owned(); 24]);
    for (query, token) in queries.zip(tokens.iter().cycle()) {
        // Variables take more memory than their text.
        let variables = json!({ "unused": vec!["ACTIVE"; 6_000] });
        let body = json!({ "query": query, "variables": variables }).to_string();
        let request = target.post(&body).bearer_auth(token);
        asked.spawn(async move { Answer::of(request.send().await.unwrap()).await.status });
    }
    while let Some(status) = asked.join_next().await {
        target.assert_alive().await;
        let status = status.unwrap().as_u16();
        assert!([200, 503].contains(&status), "{status}");
    }
    let peak = peak_mib(target.process());
    assert!(peak < MAX_MIB, "{peak} MiB");
    drop((held, unread));
}
