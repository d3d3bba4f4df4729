//! What a request costs: CPU time of the server process, as a multiple of what a bare actix-web
//! handler takes for a request of the same form in the same run.
//!
//! `cargo bench --bench requests`; reads `/proc`, so Linux only.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark ends where something is wrong, and prints its table"
)]

#[expect(dead_code, unused_imports, reason = "the other benchmarks use the rest of it")]
mod support;

use std::process::Command;

use actix_web::{App, HttpResponse, HttpServer, web};
use support::{Server, Tokenwright, creation, document, load};

const READS: usize = 4_000;
const WRITES: usize = 100;
const ROWS: usize = 10;

/// As many as [`ROWS`].
const TEN_TOKENS: &str = "{ apiTokens(first: 10) { nodes { \
                          id name expiry status version creationDate permissions } } }";

fn main() {
    if std::env::args().any(|argument| argument == "bare") {
        return serve_bare();
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(compare());
}

async fn compare() {
    let folder = tempfile::tempdir().unwrap();
    let tokenwright = Tokenwright::on_file(&folder.path().join("bench.db"));
    let all = tokenwright.token("all", &["--all-permissions"]);
    let one = tokenwright.token("one", &["--permission", "api.users.read"]);

    let bare = Server::start(Command::new(std::env::current_exe().unwrap()).arg("bare"));
    let ours = tokenwright.serve();
    let fields = |_| document("{ currentApiToken { id name expiry } }");
    let base = measure(&bare, READS, &one, fields).await;
    let tell = |what: &str, measured: &Measured| {
        let Measured { micros, rate } = measured;
        println!("{what:<44} {micros:>8.1} us {:>7.1} {rate:>10.0}", micros / base.micros);
    };
    println!("{:<44} {:>11} {:>7} {:>10}", "", "CPU", "ratio", "a second");
    tell("bare actix-web handler", &base);
    let typename = |_| document("{ __typename }");
    tell("{ __typename }, 1 permission", &measure(&ours, READS, &one, typename).await);
    tell("{ __typename }, 64 permissions", &measure(&ours, READS, &all, typename).await);
    tell("currentApiToken, 3 fields, 1 permission", &measure(&ours, READS, &one, fields).await);
    for n in 2..ROWS {
        tokenwright.token(&format!("row {n}"), &["--permission", "api.users.read"]);
    }
    let rows = |_| document(TEN_TOKENS);
    tell("a list of ten tokens, 7 fields", &measure(&ours, READS / 4, &all, rows).await);
    tell("createApiToken", &measure(&ours, WRITES, &all, creation).await);
}

/// What a request took.
struct Measured {
    /// CPU time of the server process.
    micros: f64,
    /// Requests a second.
    rate: f64,
}

/// Sends requests, after a warm-up.
async fn measure(
    server: &Server,
    each: usize,
    token: &str,
    body: impl Fn(usize) -> String,
) -> Measured {
    let one = std::slice::from_ref(server);
    load(one, each / 10, token, |n| body(n + 1_000_000)).await;
    let before = server.micros();
    let load = load(one, each, token, body).await;
    let micros = (server.micros() - before) / load.requests as f64;
    Measured { micros, rate: load.rate() }
}

/// The least that actix-web can do with such a request: read the body, answer some JSON.
#[expect(clippy::print_stderr, reason = "says where it listens, as the real server does")]
fn serve_bare() {
    let answer = async |_body: web::Bytes| {
        HttpResponse::Ok().content_type("application/json").body(r#"{"data":{}}"#)
    };
    let app = move || App::new().route("/graphql", web::post().to(answer));
    actix_web::rt::System::new().block_on(async {
        let server = HttpServer::new(app).workers(2).bind("127.0.0.1:0").unwrap();
        eprintln!("listening on http://{}", server.addrs().first().unwrap());
        server.run().await.unwrap();
    });
}
