//! How many tokens can be made in a second, as a share of what bcrypt alone allows on the same
//! cores, and how long readers wait meanwhile.
//!
//! `cargo bench --bench creations`, or `cargo bench --bench creations -- sqlite` for one database;
//! starts PostgreSQL with the installed programs, as the tests do, and reads `/proc`, so Linux
//! only. The server has its default settings, the log included, but no quotas.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark ends where something is wrong, and prints its table"
)]

#[expect(dead_code, unused_imports, reason = "the other benchmarks use the rest of it")]
mod support;

use std::cell::Cell;
use std::slice::from_ref;
use std::time::{Duration, Instant};

use support::{
    Server, Store, connect, creation, document, load_over, median, percentile, post, print_machine,
    send,
};
use tokenwright::service::DEFAULT_COST;
use tokio::time::sleep;

/// Creations at once, and how many each connection makes in a round.
const AT_ONCE: usize = 64;
const EACH: usize = 25;
const ROUNDS: usize = 5;
/// Creations that all come at the same time.
const BURST: usize = 500;
/// Reads, one after the other, with a pause in between.
const READS: usize = 500;
const PAUSE: Duration = Duration::from_millis(2);

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    print_machine();
    for store in Store::asked() {
        runtime.block_on(measure(&store));
    }
}

async fn measure(store: &Store) {
    let server = store.on.serve();
    let made = Cell::new(0);
    let (mut shares, mut rates, mut micros) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let alone = hashes_a_second();
        let before = server.micros();
        let created = create(&server, store, &made, AT_ONCE, EACH).await;
        micros.push((server.micros() - before) / (AT_ONCE * EACH) as f64);
        rates.push(created);
        shares.push(created / alone);
    }
    println!("\n{}, {ROUNDS} rounds", store.name);
    let [share, rate, micros] = [shares, rates, micros].map(|all| median(&all));
    println!("creations, {AT_ONCE} at once: {rate:.0} a second, {micros:.0} us of CPU each,");
    println!("    {share:.2} of what bcrypt alone makes");

    create(&server, store, &made, BURST, 1).await;
    println!("creations, {BURST} at the same time: all succeed");

    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        let calm = percentile(&reads(&server, &store.caller).await, 99);
        let more = async {
            // Until the reads are done, and at most so often.
            for _ in 0..1_000 {
                create(&server, store, &made, AT_ONCE, 5).await;
            }
        };
        let busy = tokio::select! {
            busy = reads(&server, &store.caller) => percentile(&busy, 99),
            () = more => panic!("the creations ended before the reads"),
        };
        // What is cut off in the middle ends before the next round.
        sleep(Duration::from_secs(1)).await;
        ratios.push(busy / calm);
    }
    println!("99th percentile of reads beside creations to that without: {:.1}", median(&ratios));
}

/// Makes tokens, which must all succeed: how many in a second.
async fn create(
    server: &Server,
    store: &Store,
    made: &Cell<usize>,
    at_once: usize,
    each: usize,
) -> f64 {
    let first = made.get();
    made.set(first + at_once * each);
    let body = |n| creation(first + n);
    load_over(at_once, from_ref(server), each, &store.caller, body).await.rate()
}

/// How many hashes all cores make in a second with nothing else to do.
fn hashes_a_second() -> f64 {
    const HASHES: usize = 500;
    let cores = std::thread::available_parallelism().unwrap().get();
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                for _ in 0..HASHES {
                    let secret = "0123456789012345678901234567890123456789012";
                    bcrypt::non_truncating_hash_with_salt(secret, DEFAULT_COST, [7; 16]).unwrap();
                }
            });
        }
    });
    (HASHES * cores) as f64 / start.elapsed().as_secs_f64()
}

/// How long reads wait, in milliseconds.
async fn reads(server: &Server, secret: &str) -> Vec<f64> {
    let request = post(secret, &document("{ currentApiToken { id name } }"));
    let mut stream = connect(&server.address).await.unwrap();
    let mut times = Vec::new();
    for _ in 0..READS {
        let start = Instant::now();
        send(&mut stream, &request).await;
        times.push(start.elapsed().as_secs_f64() * 1000.0);
        sleep(PAUSE).await;
    }
    times
}
