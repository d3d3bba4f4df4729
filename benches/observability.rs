//! What it costs to watch a server: CPU time for a verification with metrics and with traces of
//! every request, as a multiple of the same server's without them in the same round; then the size
//! of a scrape and how long one takes over a million tokens, in a calm and in a flood of wrong
//! secrets.
//!
//! `cargo bench --bench observability`, or `-- sqlite` for one database; starts PostgreSQL with the
//! installed programs, as the tests do, and reads `/proc`, so Linux only. The collector takes
//! everything at once, in a process of its own.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark ends where something is wrong, and prints its table"
)]

#[expect(dead_code, unused_imports, reason = "the other benchmarks use the rest of it")]
mod support;

use std::time::{Duration, Instant};

use support::{
    Cost, Server, Store, another_secret, connect, cost, document, exchange, get, hello, make,
    median, percentile, post, print_machine, use_first,
};

/// Tokens in the database where requests are compared.
const STORED: usize = 100_000;
const IN_USE: usize = 1_000;
/// Tokens in the database that is scraped.
const MANY: usize = 1_000_000;
const CONNECTIONS: usize = 16;
/// Requests on each connection, in each round.
const EACH: usize = 2_000;
const ROUNDS: usize = 5;
const SCRAPES: usize = 100;

const METRICS: [&str; 2] = ["--metrics-listen", "127.0.0.1:0"];

fn main() {
    let collector = hello();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    print_machine();
    for store in Store::asked() {
        runtime.block_on(async {
            compare(&store, &collector).await;
            scrape(&store.another()).await;
        });
    }
}

/// A server over a store of its own.
struct Watched {
    name: &'static str,
    store: Store,
    server: Server,
    secrets: Vec<String>,
}

impl Watched {
    async fn new(name: &'static str, store: Store, settings: &[&str]) -> Self {
        store.fill(STORED);
        let server = store.on.serve_with(settings);
        let secrets = make(&server, &store.caller, IN_USE).await;
        use_first(&server, &secrets).await;
        Self { name, store, server, secrets }
    }

    /// Of an own token by GraphQL, or of `/authorize`.
    async fn cost(&self, by_graphql: bool) -> Cost {
        let own = document("{ currentApiToken { id name } }");
        let request = |n: usize| {
            let secret = &self.secrets[n % self.secrets.len()];
            if by_graphql {
                post(secret, &own)
            } else {
                get(secret, "/authorize?permission=api.users.read")
            }
        };
        cost(CONNECTIONS, &self.server, Some(&self.store), EACH, request, "").await
    }
}

async fn compare(store: &Store, collector: &Server) {
    let endpoint = format!("http://{}", collector.address);
    let traces = ["--otlp-endpoint", &endpoint];
    let some = ["--otlp-endpoint", &endpoint, "--otlp-sample-ratio", "0.01"];
    let mut all = Vec::new();
    for (name, settings) in [
        ("neither", [].as_slice()),
        ("metrics", &METRICS),
        ("traces of one in 100", &some),
        ("traces of all", &traces),
    ] {
        all.push(Watched::new(name, store.another(), settings).await);
    }
    println!("\n{}: {STORED} tokens stored, {IN_USE} in use, {ROUNDS} rounds", store.name);
    println!(
        "{:<24} {:>13} {:>7} {:>13} {:>7}",
        "", "/authorize us", "ratio", "GraphQL us", "ratio"
    );
    let mut figures: Vec<[(Vec<f64>, Vec<f64>); 2]> =
        all.iter().map(|_| Default::default()).collect();
    // The first round warms up.
    for round in 0..=ROUNDS {
        for (place, by_graphql) in [false, true].into_iter().enumerate() {
            let mut bare = 0.0;
            for (watched, figures) in all.iter().zip(&mut figures) {
                let micros = watched.cost(by_graphql).await.micros;
                if watched.name == "neither" {
                    bare = micros;
                }
                if round > 0 {
                    figures[place].0.push(micros);
                    figures[place].1.push(micros / bare);
                }
            }
        }
    }
    for (watched, [authorize, graphql]) in all.iter().zip(&figures) {
        let [(first, first_ratio), (second, second_ratio)] =
            [authorize, graphql].map(|(micros, ratios)| (median(micros), median(ratios)));
        println!(
            "{:<24} {first:>13.1} {first_ratio:>7.2} {second:>13.1} {second_ratio:>7.2}",
            watched.name
        );
    }
}

async fn scrape(store: &Store) {
    store.fill(MANY);
    let started = Instant::now();
    let server = store.on.serve_with(&METRICS);
    while !scraped(&server).await.1.contains("tokenwright_tokens{") {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    println!("{MANY} tokens are counted {:.2} s after the start", started.elapsed().as_secs_f64());
    let size = scraped(&server).await.1.len();
    println!("{:<24} {:>13} {:>13} {:>13}", "a scrape", "bytes", "p50 ms", "p99 ms");
    let calm = scrapes(&server).await;
    print_times("calm", size, &calm);
    let wrong = another_secret(&store.caller);
    let request = get(&wrong, "/authorize");
    let flood = async {
        let floods = (0..CONNECTIONS).map(async |_| {
            let mut stream = connect(&server.address).await.unwrap();
            loop {
                let answer = exchange(&mut stream, &request).await.unwrap();
                // The second: its address has failed too often.
                assert!(matches!(answer.status, 401 | 429), "{}", answer.status);
            }
        });
        futures_util::future::join_all(floods).await;
    };
    let flooded = tokio::select! {
        _ = flood => unreachable!("it never ends"),
        times = scrapes(&server) => times,
    };
    print_times("in a flood", size, &flooded);
}

fn print_times(when: &str, size: usize, times: &[f64]) {
    println!("{when:<24} {size:>13} {:>13.2} {:>13.2}", median(times), percentile(times, 99));
}

/// How long each of some takes, in milliseconds.
async fn scrapes(server: &Server) -> Vec<f64> {
    let mut times = Vec::new();
    for _ in 0..SCRAPES {
        times.push(scraped(server).await.0);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    times
}

/// One on a connection of its own: its milliseconds, and what it says.
async fn scraped(server: &Server) -> (f64, String) {
    let started = Instant::now();
    let mut stream = connect(&server.metrics).await.unwrap();
    let answer = exchange(&mut stream, &get("none", "/metrics")).await.unwrap();
    assert_eq!(answer.status, 200);
    (started.elapsed().as_secs_f64() * 1000.0, answer.body)
}
