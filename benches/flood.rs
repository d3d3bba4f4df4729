//! How long holders of tokens wait while strangers send well-formed wrong secrets: against the same
//! server without the flood, right after its start.
//!
//! `cargo bench --bench flood`; `-- sqlite` for one database, `-- 5000 100` for another rate and
//! another number of connections. `ratio` is that of the 99th percentiles to those without a flood.

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

use support::{
    Server, Store, Tokenwright, another_secret, connect, document, exchange, median, percentile,
    post, print_machine,
};
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

const ROUNDS: usize = 5;
/// What the server lives through, and the wrong secrets of it.
const KINDS: [(&str, Option<Ids>); 3] =
    [("no flood", None), ("unknown ids", Some(Ids::Unknown)), ("known ids", Some(Ids::Known))];

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
    for store in Store::asked() {
        println!("\n{}, medians of {ROUNDS} rounds, times in ms", store.name);
        println!(
            "{:<12} {:>10} {:>8} {:>7} {:>10} {:>8} {:>7} {:>5} {:>8}",
            "", "remembered", "p99", "ratio", "first use", "p99", "ratio", "503", "flood/s"
        );
        let mut all: [Vec<Measured>; KINDS.len()] = Default::default();
        for round in 0..ROUNDS {
            let holders = Holders::of(&store.on, round);
            for ((_, ids), all) in KINDS.iter().zip(&mut all) {
                // A start of its own: nothing is remembered.
                let server = store.on.serve();
                let measured = measure(&server, &holders, *ids, rate, connections);
                all.push(runtime.block_on(measured));
            }
        }
        for ((what, _), measured) in KINDS.iter().zip(&all) {
            print!("{what:<12}");
            for times in [Measured::remembered, Measured::first] {
                let p99 = |measured: &[Measured]| -> Vec<f64> {
                    measured.iter().map(|measured| percentile(times(measured), 99)).collect()
                };
                let half: Vec<f64> =
                    measured.iter().map(|measured| percentile(times(measured), 50)).collect();
                let (here, calm) = (p99(measured), p99(&all[0]));
                let ratios: Vec<f64> =
                    here.iter().zip(calm).map(|(here, calm)| here / calm).collect();
                print!(" {:>10.2} {:>8.2} {:>7.2}", median(&half), median(&here), median(&ratios));
            }
            let unavailable: usize = measured.iter().map(|measured| measured.unavailable).sum();
            let rates: Vec<f64> = measured.iter().map(|measured| measured.rate).collect();
            println!(" {unavailable:>5} {:>8.0}", median(&rates));
        }
    }
}

struct Holders {
    remembered: String,
    first: Vec<String>,
}

impl Holders {
    fn of(tokenwright: &Tokenwright, round: usize) -> Self {
        let made = |name: &str| {
            let name = format!("{name}, round {round}");
            tokenwright.token(&name, &["--permission", "api.users.read"])
        };
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

impl Measured {
    fn remembered(&self) -> &[f64] {
        &self.remembered
    }

    fn first(&self) -> &[f64] {
        &self.first
    }
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
    let flooding = ids.map(|ids| {
        let pause = Duration::from_micros(1_000_000 * connections / rate);
        let floods: Vec<_> = (0..connections)
            .map(|n| {
                let requests = (0..16).map(|_| request(&wrong(ids, holders))).collect();
                let (stop, sent) = (Arc::clone(&stop), Arc::clone(&sent));
                let delay = pause.mul_f64(n as f64 / connections as f64);
                flood(server.address.clone(), requests, pause, delay, stop, sent)
            })
            .collect();
        // A thread of its own: a holder's time contains no wait for the generator of the flood.
        std::thread::spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(futures_util::future::join_all(floods));
        })
    });
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
    if let Some(flooding) = flooding {
        flooding.join().unwrap();
    }
    let unavailable = first.iter().chain(&remembered).filter(|(_, status)| *status == 503).count();
    let [first, remembered] =
        [first, remembered].map(|times| times.into_iter().map(|(time, _)| time).collect());
    Measured { remembered, first, unavailable, rate }
}

/// A well-formed secret that is wrong.
fn wrong(ids: Ids, holders: &Holders) -> String {
    match ids {
        Ids::Unknown => {
            let id = ApiTokenId::generate(SystemClock.now(), &SystemRandom).unwrap();
            PlaintextSecret::generate(id, &SystemRandom).unwrap().reveal().to_owned()
        }
        Ids::Known => another_secret(&holders.remembered),
    }
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
