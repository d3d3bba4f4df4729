//! Half of full load for long: what grows? Each line is of one minute.
//!
//! `cargo bench --bench soak -- sqlite` takes an hour, `-- sqlite 10` ten minutes; `-- postgres` is
//! the same over PostgreSQL. Reads `/proc`, so Linux only. The server has its default settings, the
//! log included, but no quotas.

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
use std::time::Duration;

use futures_util::future::join_all;
use support::{
    Server, Store, connect, creation, document, get, load_requests, make, post, print_machine, send,
};
use tokio::time::{Instant, MissedTickBehavior, interval};

const STORED: usize = 100_000;
const IN_USE: usize = 10_000;
const CONNECTIONS: usize = 16;
/// Requests on each connection, to find out what full load is.
const EACH: usize = 5_000;
/// One request in so many makes a token; one in ten reads, and the others are verifications.
const CREATIONS: usize = 100;
const READS: usize = 10;
const MINUTES: u64 = 60;

fn main() {
    let minutes = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(MINUTES);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    print_machine();
    for store in Store::asked() {
        store.fill(STORED - IN_USE);
        runtime.block_on(soak(&store, minutes));
    }
}

async fn soak(store: &Store, minutes: u64) {
    let server = store.on.serve();
    let secrets = make(&server, &store.caller, IN_USE).await;
    let servers = std::slice::from_ref(&server);
    let request = |n: usize| request(n, store, &secrets);
    let full = load_requests(CONNECTIONS, servers, EACH, request, "").await.rate();
    let pause = Duration::from_secs_f64(CONNECTIONS as f64 / (full / 2.0));
    println!("\n{}, at half of {full:.0} requests a second", store.name);
    println!(
        "{:>6} {:>10} {:>11} {:>11} {:>8}",
        "minute", "a second", "memory MiB", "descriptors", "log MiB"
    );
    // Names go on from what full load has used.
    let next = Cell::new(CONNECTIONS * EACH);
    for minute in 1..=minutes {
        let before = next.get();
        let end = Instant::now() + Duration::from_mins(1);
        let connections = (0..CONNECTIONS).map(|_| paced(&server, end, pause, &next, request));
        join_all(connections).await;
        println!(
            "{minute:>6} {:>10.0} {:>11.1} {:>11} {:>8.1}",
            (next.get() - before) as f64 / 60.0,
            server.mebibytes(),
            server.descriptors(),
            store.log_mebibytes(),
        );
    }
}

/// Requests on one connection until this instant, one in each `pause`. Each must succeed.
async fn paced(
    server: &Server,
    end: Instant,
    pause: Duration,
    next: &Cell<usize>,
    request: impl Fn(usize) -> Vec<u8>,
) {
    let mut stream = connect(&server.address).await.unwrap();
    let mut ticks = interval(pause);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    while Instant::now() < end {
        ticks.tick().await;
        let n = next.replace(next.get() + 1);
        send(&mut stream, &request(n)).await;
    }
}

/// The n-th request.
fn request(n: usize, store: &Store, secrets: &[String]) -> Vec<u8> {
    let secret = &secrets[n % secrets.len()];
    if n.is_multiple_of(CREATIONS) {
        post(&store.caller, &creation(IN_USE + n))
    } else if n.is_multiple_of(READS) {
        post(secret, &document("{ currentApiToken { id name expiry } }"))
    } else {
        get(secret, "/authorize?permission=api.users.read")
    }
}
