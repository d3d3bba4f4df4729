//! How long holders of tokens wait while strangers send well-formed wrong secrets: against the same
//! server without the flood, right after its start.
//!
//! `cargo bench --bench flood`; `-- 5000 100` for another rate and another number of connections.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark ends where something is wrong, and prints its table"
)]

#[expect(dead_code, unused_imports, reason = "the other benchmarks use the rest of it")]
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use support::{Server, Tokenwright, connect, document, exchange, percentile, post, print_machine};
use tokenwright::domain::clock::{Clock, SystemClock};
use tokenwright::domain::id::ApiTokenId;
use tokenwright::domain::random::SystemRandom;
use tokenwright::domain::secret::PlaintextSecret;

/// Wrong requests a second, in all.
const RATE: u64 = 10_000;
const CONNECTIONS: u64 = 300;
/// Holders that use their token for the first time.
const FIRST: usize = 100;
/// Requests of one whose proof is remembered.
const REMEMBERED: usize = 500;

/// What the wrong secrets are of.
#[derive(Clone, Copy)]
enum Ids {
    Unknown,
    Known,
}

fn main() {
    let numbers: Vec<u64> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let rate = numbers.first().copied().unwrap_or(RATE);
    let connections = numbers.get(1).copied().unwrap_or(CONNECTIONS);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    print_machine();
    println!(
        "{:<18} {:>11} {:>11} {:>11} {:>11} {:>6} {:>9}",
        "p50, p99 in ms", "remembered", "", "first use", "", "503", "flood/s"
    );
    for cost in ["4", "12"] {
        let folder = tempfile::tempdir().unwrap();
        let tokenwright =
            Tokenwright::on_file(&folder.path().join("bench.db")).with(&["--bcrypt-cost", cost]);
        let holders = Holders::of(&tokenwright);
        for (what, ids) in [
            ("no flood", None),
            ("unknown ids", Some(Ids::Unknown)),
            ("known ids", Some(Ids::Known)),
        ] {
            // A start of its own: nothing is remembered.
            let server = tokenwright.serve();
            let measured = runtime.block_on(measure(&server, &holders, ids, rate, connections));
            print!("cost {cost:>2}, {what:<11}");
            for times in [measured.remembered, measured.first] {
                print!(" {:>11.2} {:>11.2}", percentile(&times, 50), percentile(&times, 99));
            }
            println!(" {:>6} {:>9.0}", measured.unavailable, measured.rate);
        }
    }
}

struct Holders {
    remembered: String,
    first: Vec<String>,
}

impl Holders {
    fn of(tokenwright: &Tokenwright) -> Self {
        let made = |name: &str| tokenwright.token(name, &["--permission", "api.users.read"]);
        Self {
            remembered: made("remembered"),
            first: (0..FIRST).map(|n| made(&format!("first {n}"))).collect(),
        }
    }
}

/// Times in milliseconds.
struct Measured {
    remembered: Vec<f64>,
    first: Vec<f64>,
    unavailable: usize,
    /// Wrong requests a second.
    rate: f64,
}

async fn measure(
    server: &Server,
    holders: &Holders,
    ids: Option<Ids>,
    rate: u64,
    connections: u64,
) -> Measured {
    let stop = Arc::new(AtomicBool::new(false));
    let sent = Arc::new(AtomicU64::new(0));
    let started = Instant::now();
    if let Some(ids) = ids {
        let pause = Duration::from_micros(1_000_000 * connections / rate);
        for n in 0..connections {
            let requests = (0..16).map(|_| request(&wrong(ids, holders))).collect();
            let (stop, sent) = (Arc::clone(&stop), Arc::clone(&sent));
            let delay = pause.mul_f64(n as f64 / connections as f64);
            tokio::spawn(flood(server.address.clone(), requests, pause, delay, stop, sent));
        }
    }
    let first = async {
        let mut times = Vec::new();
        for secret in &holders.first {
            times.push(timed(&server.address, secret).await);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        times
    };
    let remembered = async {
        timed(&server.address, &holders.remembered).await;
        let mut times = Vec::new();
        for _ in 0..REMEMBERED {
            times.push(timed(&server.address, &holders.remembered).await);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        times
    };
    let (first, remembered) = tokio::join!(first, remembered);
    let rate = sent.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64();
    stop.store(true, Ordering::Relaxed);
    let unavailable = first.iter().chain(&remembered).filter(|(_, status)| *status == 503).count();
    let [first, remembered] =
        [first, remembered].map(|times| times.into_iter().map(|(time, _)| time).collect());
    Measured { remembered, first, unavailable, rate }
}

/// A well-formed secret that is wrong.
fn wrong(ids: Ids, holders: &Holders) -> String {
    let id = match ids {
        Ids::Unknown => ApiTokenId::generate(SystemClock.now(), &SystemRandom).unwrap(),
        Ids::Known => PlaintextSecret::parse(&holders.remembered).unwrap().token_id(),
    };
    PlaintextSecret::generate(id, &SystemRandom).unwrap().reveal().to_owned()
}

fn request(secret: &str) -> Vec<u8> {
    post(secret, &document("{ currentApiToken { id } }"))
}

/// One request after the other, each not before its time.
async fn flood(
    address: String,
    requests: Vec<Vec<u8>>,
    pause: Duration,
    delay: Duration,
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
) {
    let mut due = tokio::time::Instant::now() + delay;
    let mut stream = None;
    for request in requests.iter().cycle() {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        tokio::time::sleep_until(due).await;
        due += pause;
        if stream.is_none() {
            stream = connect(&address).await;
        }
        let Some(connected) = stream.as_mut() else { continue };
        if exchange(connected, request).await.is_none() {
            stream = None;
            continue;
        }
        sent.fetch_add(1, Ordering::Relaxed);
    }
}

/// A request of a holder on a connection of its own: how long it takes in milliseconds, and its
/// status.
async fn timed(address: &str, secret: &str) -> (f64, u16) {
    let started = Instant::now();
    let mut stream = connect(address).await.unwrap();
    let status = exchange(&mut stream, &request(secret)).await.unwrap().status;
    assert!(matches!(status, 200 | 503), "{status}");
    (started.elapsed().as_secs_f64() * 1000.0, status)
}
