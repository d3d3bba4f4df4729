//! What a verification costs on each surface: verifications a second, and CPU time of the server
//! process as a multiple of what a bare actix-web handler takes for the very same request in the
//! same run. 100,000 tokens are stored, and 10,000 of them are in use.
//!
//! `cargo bench --bench verification`, or `cargo bench --bench verification -- sqlite` for one
//! database; starts PostgreSQL with the installed programs, as the tests do, and reads `/proc`, so
//! Linux only. The CPU time of PostgreSQL is shown next to that of the server.
//!
//! All surfaces take turns in each round, each right after the bare handler, so that other load on
//! the machine affects both; the ratio is the median of the rounds. actix-web speaks no gRPC, so the
//! bare handler is asked over HTTP in its place, as at `/authorize`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark ends where something is wrong, and prints its table"
)]

#[expect(dead_code, unused_imports, reason = "the other benchmarks use the rest of it")]
mod support;
mod verification {
    pub mod grpc;
    pub mod surfaces;
}

use std::process::Command;

use actix_web::{App, HttpResponse, HttpServer, web};
use support::{
    CONNECTIONS, Cost, Server, Store, cost, cost_of, make, median, print_machine, use_first,
};
use verification::grpc;
use verification::surfaces::{Surface, all};

/// Tokens in the database.
const STORED: usize = 100_000;
/// Tokens that are verified, in turn.
const IN_USE: usize = 10_000;
/// Requests on each connection, in each round.
const EACH: usize = 2_500;
const ROUNDS: usize = 5;

fn main() {
    if std::env::args().any(|argument| argument == "bare") {
        return serve_bare();
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    print_machine();
    let bare = Server::start(Command::new(std::env::current_exe().unwrap()).arg("bare"));
    for store in Store::asked() {
        store.fill(STORED - IN_USE);
        runtime.block_on(compare(&bare, &store));
    }
}

/// What the verifications of one surface came to, round by round.
#[derive(Default)]
struct Figures {
    /// Verifications a second.
    rates: Vec<f64>,
    /// Microseconds of CPU of the server for a verification.
    micros: Vec<f64>,
    /// The same of the database server.
    database: Vec<f64>,
    /// The CPU time as a multiple of the bare handler's.
    ratios: Vec<f64>,
}

async fn compare(bare: &Server, store: &Store) {
    let settings = ["--ext-authz-listen", "127.0.0.1:0", "--trusted-proxies", "127.0.0.1"];
    let ours = store.on.serve_with(&settings);
    let secrets = make(&ours, &store.caller, IN_USE).await;
    use_first(&ours, &secrets).await;
    let surfaces = all(&store.caller);
    let mut figures: Vec<Figures> = surfaces.iter().map(|_| Figures::default()).collect();
    // The first round warms up.
    for round in 0..=ROUNDS {
        for (surface, figures) in surfaces.iter().zip(&mut figures) {
            let base = measure(bare, surface, &secrets, "", None).await;
            let ours = measure(&ours, surface, &secrets, surface.proof, Some(store)).await;
            if round > 0 {
                figures.rates.push(ours.rate);
                figures.micros.push(ours.micros);
                figures.database.push(ours.database);
                figures.ratios.push(ours.micros / base.micros);
            }
        }
    }
    println!(
        "\n{}: {STORED} tokens stored, {IN_USE} in use, medians of {ROUNDS} rounds",
        store.name
    );
    println!("{:<40} {:>10} {:>10} {:>7} {:>12}", "", "a second", "CPU us", "ratio", "database us");
    for (surface, Figures { rates, micros, database, ratios }) in surfaces.iter().zip(figures) {
        let [rate, micros, database, ratio] =
            [rates, micros, database, ratios].map(|all| median(&all));
        println!("{:<40} {rate:>10.0} {micros:>10.1} {ratio:>7.2} {database:>12.1}", surface.name);
    }
}

async fn measure(
    server: &Server,
    surface: &Surface,
    secrets: &[String],
    expected: &str,
    store: Option<&Store>,
) -> Cost {
    let secret = |n: usize| secrets[n % secrets.len()].as_str();
    if surface.over_grpc && !server.ext_authz.is_empty() {
        let mut connections = grpc::connect(&server.ext_authz).await;
        return cost_of(server, store, grpc::load(&mut connections, EACH, secret)).await;
    }
    let request = |n| (surface.request)(secret(n));
    cost(CONNECTIONS, server, store, EACH, request, expected).await
}

/// The least that actix-web can do with such a request: read the body, answer some JSON.
#[expect(clippy::print_stderr, reason = "says where it listens, as the real server does")]
fn serve_bare() {
    let answer = async |_body: web::Bytes| {
        HttpResponse::Ok().content_type("application/json").body(r#"{"active":true}"#)
    };
    let app = move || App::new().default_service(web::to(answer));
    actix_web::rt::System::new().block_on(async {
        let server = HttpServer::new(app).workers(2).bind("127.0.0.1:0").unwrap();
        eprintln!("listening on http://{}", server.addrs().first().unwrap());
        server.run().await.unwrap();
    });
}
