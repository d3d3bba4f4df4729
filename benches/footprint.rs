//! What a server takes: memory, time to start, and disk.
//!
//! `cargo bench --bench footprint`, or `cargo bench --bench footprint -- sqlite` for one database;
//! starts PostgreSQL with the installed programs, as the tests do, and reads `/proc`, so Linux
//! only. The server has its default settings.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark ends where something is wrong, and prints its table"
)]

#[expect(dead_code, unused_imports, reason = "the other benchmarks use the rest of it")]
mod support;

use std::slice::from_ref;
use std::time::Instant;

use support::{Store, connect, document, load_requests, make, median, post, print_machine, send};

const STORED: usize = 1_000_000;
const IN_USE: usize = 10_000;
const CONNECTIONS: usize = 16;
const STARTS: usize = 5;

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    print_machine();
    for store in Store::asked() {
        runtime.block_on(measure(&store));
    }
}

async fn measure(store: &Store) {
    let empty = store.bytes();
    store.fill(STORED);
    println!("\n{}, {STORED} tokens stored", store.name);
    let each = (store.bytes() - empty) as f64 / STORED as f64;
    println!("disk for a token, with its user and audit event: {each:.0} bytes");

    let who = document("{ currentApiToken { id name } }");
    let (mut times, mut sizes) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let start = Instant::now();
        let server = store.on.serve();
        let mut stream = connect(&server.address).await.unwrap();
        send(&mut stream, &post(&store.caller, &who)).await;
        times.push(start.elapsed().as_secs_f64() * 1000.0);
        sizes.push(server.mebibytes());
    }
    println!(
        "start to first answer: {:.0} ms; memory then: {:.0} MiB",
        median(&times),
        median(&sizes)
    );

    let server = store.on.serve();
    let secrets = make(&server, &store.caller, IN_USE).await;
    drop(server);
    let server = store.on.serve();
    let request = |n: usize| post(&secrets[n % secrets.len()], &who);
    load_requests(CONNECTIONS, from_ref(&server), 2 * IN_USE / CONNECTIONS, request, "").await;
    println!("memory after {IN_USE} tokens were used twice: {:.0} MiB", server.mebibytes());
}
