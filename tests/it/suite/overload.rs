//! Overload by small requests: whatever a request of the allowed size asks for, it is refused or
//! answered for little, also where all rows are as large as they may be.

mod documents;
mod held_requests;
mod largest_rows;
mod together;
mod variables;

use std::fmt::Write;
use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::{Answer, Binary, Server, administrator, cpu_time, migrated, resident_mib};

/// CPU time that a request may take, also of a program without optimisation.
const MAX_CPU: Duration = Duration::from_millis(50);
/// Requests of each kind, and how many at most. The cheapest counts: what else the machine does,
/// on the other half of a core above all, makes the others costlier.
const ROUNDS: usize = 5;
const MAX_ROUNDS: usize = 100;
/// Between the further rounds, so that they do not all meet the same other work.
const PAUSE: Duration = Duration::from_millis(50);
/// Memory that the process may ever hold: a container of 256 MiB suffices.
const MAX_MIB: u64 = 250;
const MAX_BODY: usize = 64 * 1024;
/// Longest query string that is sent.
const MAX_QUERY_STRING: usize = 12_000;

/// A request that asks for much.
pub struct Case {
    name: &'static str,
    query: String,
    variables: Value,
}

impl Case {
    fn new(name: &'static str, query: impl Into<String>) -> Self {
        Self { name, query: query.into(), variables: json!({}) }
    }

    fn with(mut self, variables: Value) -> Self {
        self.variables = variables;
        self
    }

    /// The document of a round: each is another one, so that none is known from the round before.
    fn document(&self, round: usize) -> String {
        format!("{}\n#{round}", self.query)
    }

    fn body(&self, round: usize) -> String {
        json!({ "query": self.document(round), "variables": self.variables }).to_string()
    }

    /// The query string of a round, where it is short enough.
    fn query_string(&self, round: usize) -> Option<String> {
        let mut encoded = "/graphql?query=".to_owned();
        for byte in self.document(round).bytes() {
            write!(encoded, "%{byte:02x}").unwrap();
        }
        (encoded.len() <= MAX_QUERY_STRING).then_some(encoded)
    }
}

fn cases() -> Vec<Case> {
    let mut cases = documents::cases();
    cases.extend(variables::cases());
    cases
}

struct Target {
    server: Server,
    token: String,
}

impl Target {
    fn start() -> (Self, crate::TestDatabase) {
        Self::over(|_| (), &[])
    }

    /// Over rows that are as large as they may be, with more arguments.
    fn with_largest_rows(more: &[&str]) -> (Self, crate::TestDatabase) {
        Self::over(largest_rows::store, more)
    }

    fn over(fill: fn(&crate::TestDatabase), more: &[&str]) -> (Self, crate::TestDatabase) {
        let database = migrated();
        let token = administrator(&database, "administrator");
        fill(&database);
        let serve = ["serve", "--introspection", "public", "--log", "warn"];
        let server = Binary::on(&database, &serve).args(more).serve();
        (Self { server, token }, database)
    }

    fn process(&self) -> u32 {
        self.server.running.id()
    }

    fn post(&self, body: &str) -> RequestBuilder {
        let request = self.server.request(Method::POST, "/graphql");
        request.header("content-type", "application/json").body(body.to_owned())
    }

    /// Sends it some times. `None`: it took as little as it may; else what it took.
    async fn too_long(&self, request: impl Fn(usize) -> RequestBuilder) -> Option<Duration> {
        let mut least = Duration::MAX;
        for round in 0..MAX_ROUNDS {
            if round >= ROUNDS {
                if least <= MAX_CPU {
                    break;
                }
                tokio::time::sleep(PAUSE).await;
            }
            let before = cpu_time(self.process());
            let answer = Answer::of(request(round).send().await.unwrap()).await;
            assert!(answer.status.as_u16() < 500, "{}", answer.text);
            least = least.min(cpu_time(self.process()).saturating_sub(before));
        }
        (least > MAX_CPU).then_some(least)
    }

    async fn assert_alive(&self) {
        let answer = self.server.graphql(&self.token, "{ currentUser { name } }", json!({})).await;
        assert_eq!(answer.data()["currentUser"]["name"], "administrator");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_small_request_takes_long() {
    let (target, _database) = Target::start();
    let all = cases();
    let large = all.iter().filter(|case| case.body(0).len() > MAX_BODY).map(|case| case.name);
    assert_eq!(large.collect::<Vec<_>>(), [""; 0]);
    let mut slow = Vec::new();
    for case in all {
        let post = |round| target.post(&case.body(round));
        let sent = [
            ("none", target.too_long(|round| post(round + MAX_ROUNDS)).await),
            ("a token", target.too_long(|round| post(round).bearer_auth(&target.token)).await),
            // Known by now, where it is valid.
            ("a token again", target.too_long(|_| post(0).bearer_auth(&target.token)).await),
        ];
        for (with, took) in sent {
            slow.extend(took.map(|took| format!("{} with {with}: {took:?}", case.name)));
        }
        if case.query_string(3 * MAX_ROUNDS).is_some() {
            let get = |round: usize| {
                let path = case.query_string(round + 2 * MAX_ROUNDS).unwrap();
                target.server.request(Method::GET, &path).bearer_auth(&target.token)
            };
            let took = target.too_long(get).await;
            slow.extend(took.map(|took| format!("{} by GET: {took:?}", case.name)));
        }
        target.assert_alive().await;
    }
    assert!(slow.is_empty(), "{slow:#?}");
    let resident = resident_mib(target.process());
    assert!(resident < MAX_MIB, "{resident} MiB");
}

/// Documents that are all different and valid cannot fill the memory.
#[tokio::test(flavor = "multi_thread")]
async fn documents_that_are_kept_are_bounded() {
    let (target, _database) = Target::start();
    let fields = " __typename".repeat(4_900);
    let mut held = Vec::new();
    for n in 0..120 {
        let body = json!({ "query": format!("query Q{n} {{{fields}}}") }).to_string();
        Answer::of(target.post(&body).send().await.unwrap()).await.data();
        held.push(resident_mib(target.process()));
    }
    let (early, late) = (held[40], held[119]);
    assert!(late < early + 30, "{held:?}");
    assert!(late < MAX_MIB, "{held:?}");
}
