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

#[expect(dead_code, reason = "the tests use the rest of it")]
#[path = "../tests/it/postgres/cluster.rs"]
mod cluster;
#[expect(dead_code, reason = "another benchmark uses the rest of it")]
#[path = "pages/rows.rs"]
mod rows;
#[expect(dead_code, reason = "the tests use the rest of it")]
#[path = "../tests/it/postgres/sql.rs"]
mod sql;
#[expect(dead_code, unused_imports, reason = "the other benchmarks use the rest of it")]
mod support;
mod verification {
    pub mod grpc;
    pub mod surfaces;
}

use std::process::Command;

use actix_web::{App, HttpResponse, HttpServer, web};
use cluster::Cluster;
use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use futures_util::future::join_all;
use support::{
    CONNECTIONS, Server, Tokenwright, connect, cpu, creation, load_requests, post, send,
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
    runtime.block_on(async {
        let bare = Server::start(Command::new(std::env::current_exe().unwrap()).arg("bare"));
        if !is_left_out("sqlite") {
            on_sqlite(&bare).await;
        }
        if !is_left_out("postgres") {
            on_postgres(&bare).await;
        }
    });
}

/// Is only the other database asked for?
fn is_left_out(database: &str) -> bool {
    let asked = |name: &str| std::env::args().any(|argument| argument == name);
    !asked(database) && (asked("sqlite") || asked("postgres"))
}

async fn on_sqlite(bare: &Server) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bench.db");
    let on = Tokenwright::on_file(&path);
    let caller = on.token("caller", &["--all-permissions"]);
    let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    connection.batch_execute(&rows::SQLITE.rows(STORED - IN_USE)).unwrap();
    drop(connection);
    compare("SQLite", bare, &on, &caller, None).await;
}

async fn on_postgres(bare: &Server) {
    let cluster = Cluster::start(&["max_wal_size=4GB"]);
    sql::run(&cluster.url("postgres"), "CREATE DATABASE bench").unwrap();
    let url = cluster.url("bench");
    let on = Tokenwright::on(url.clone());
    let caller = on.token("caller", &["--all-permissions"]);
    sql::run(&url, &rows::POSTGRES.rows(STORED - IN_USE)).unwrap();
    sql::run(&url, "VACUUM (ANALYZE) users, api_tokens").unwrap();
    compare("PostgreSQL", bare, &on, &caller, Some(&cluster)).await;
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

async fn compare(
    database: &str,
    bare: &Server,
    on: &Tokenwright,
    caller: &str,
    cluster: Option<&Cluster>,
) {
    let ours =
        on.serve_with(&["--ext-authz-listen", "127.0.0.1:0", "--trusted-proxies", "127.0.0.1"]);
    let secrets = make(&ours, caller).await;
    let surfaces = all(caller);
    let mut figures: Vec<Figures> = surfaces.iter().map(|_| Figures::default()).collect();
    // The first round warms up: each secret is proven once.
    for round in 0..=ROUNDS {
        for (surface, figures) in surfaces.iter().zip(&mut figures) {
            let base = measure(bare, surface, &secrets, "", None).await;
            let ours = measure(&ours, surface, &secrets, surface.proof, cluster).await;
            if round > 0 {
                figures.rates.push(ours.rate);
                figures.micros.push(ours.micros);
                figures.database.push(ours.database);
                figures.ratios.push(ours.micros / base.micros);
            }
        }
    }
    println!("\n{database}: {STORED} tokens stored, {IN_USE} in use, medians of {ROUNDS} rounds");
    println!("{:<40} {:>10} {:>10} {:>7} {:>12}", "", "a second", "CPU us", "ratio", "database us");
    for (surface, Figures { rates, micros, database, ratios }) in surfaces.iter().zip(figures) {
        let [rate, micros, database, ratio] = [rates, micros, database, ratios].map(median);
        println!("{:<40} {rate:>10.0} {micros:>10.1} {ratio:>7.2} {database:>12.1}", surface.name);
    }
}

/// Makes the tokens in use; their secrets.
async fn make(server: &Server, caller: &str) -> Vec<String> {
    let each = IN_USE / CONNECTIONS;
    let under_way = (0..CONNECTIONS).map(async |connection| {
        let mut stream = connect(&server.address).await.unwrap();
        let mut secrets = Vec::new();
        for n in 0..each {
            let request = post(caller, &creation(connection * each + n));
            let answer = send(&mut stream, &request).await;
            let secret = answer.body.split("\"token\":\"").nth(1).unwrap();
            secrets.push(secret[..76].to_owned());
        }
        secrets
    });
    join_all(under_way).await.concat()
}

/// What the verifications of one round took.
struct Measured {
    rate: f64,
    micros: f64,
    database: f64,
}

async fn measure(
    server: &Server,
    surface: &Surface,
    secrets: &[String],
    expected: &str,
    cluster: Option<&Cluster>,
) -> Measured {
    let database = || cluster.map_or(0.0, |cluster| cpu::of_postgres(&cluster.data()));
    let mut before = (server.micros(), database());
    let servers = std::slice::from_ref(server);
    let secret = |n: usize| secrets[n % secrets.len()].as_str();
    let load = if surface.over_grpc && !server.ext_authz.is_empty() {
        let mut connections = grpc::connect(&server.ext_authz).await;
        before.0 = server.micros();
        grpc::load(&mut connections, EACH, secret).await
    } else {
        let request = |n| (surface.request)(secret(n));
        load_requests(CONNECTIONS, servers, EACH, request, expected).await
    };
    let requests = load.requests as f64;
    Measured {
        rate: load.rate(),
        micros: (server.micros() - before.0) / requests,
        database: (database() - before.1) / requests,
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
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
