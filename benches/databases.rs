//! SQLite against PostgreSQL, and one instance against two: requests a second, and the CPU time
//! that a request takes of the instances and of the database server.
//!
//! `cargo bench --bench databases`; starts PostgreSQL with the installed programs, as the tests do,
//! and reads `/proc`, so Linux only. All of it shares one machine, the sender of the requests
//! included.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark ends where something is wrong, and prints its table"
)]

#[expect(dead_code, unused_imports, reason = "the other benchmarks use the rest of it")]
mod support;

use support::cluster::Cluster;
use support::{Server, Tokenwright, cpu, creation, document, load, sql};

const READS: usize = 4_000;
const CREATES: usize = 250;

/// What one kind of request came to.
struct Figures {
    rate: f64,
    /// Microseconds of CPU for a request.
    instances: f64,
    database: f64,
}

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(compare());
}

async fn compare() {
    println!("{:<24} {:^35}   {:^35}", "", "authenticated read", "createApiToken");
    print!("{:<24}", "");
    for _ in 0..2 {
        print!(" {:>8} {:>6} {:>9} {:>9}  ", "a second", "ratio", "CPU us", "server us");
    }
    println!();
    let folder = tempfile::tempdir().unwrap();
    let file = Tokenwright::on_file(&folder.path().join("bench.db"));
    let base = measure(&file, 1, None).await;
    print("SQLite", &base, &base);
    let cluster = Cluster::start(&[]);
    for instances in [1, 2] {
        let name = format!("bench_{instances}");
        sql::run(&cluster.url("postgres"), &format!("CREATE DATABASE {name}")).unwrap();
        let on = Tokenwright::on(cluster.url(&name));
        let figures = measure(&on, instances, Some(&cluster)).await;
        print(&format!("PostgreSQL, {instances} instance(s)"), &figures, &base);
    }
}

/// Reads, then creates.
async fn measure(
    tokenwright: &Tokenwright,
    instances: usize,
    cluster: Option<&Cluster>,
) -> [Figures; 2] {
    let caller = tokenwright.token(
        "caller",
        &["--permission", "api.api-tokens.write", "--permission", "api.users.read"],
    );
    let servers: Vec<Server> = (0..instances).map(|_| tokenwright.serve()).collect();
    let read = |_| document("{ currentApiToken { id name expiry } }");
    let reads = figures(&servers, cluster, READS, &caller, read).await;
    [reads, figures(&servers, cluster, CREATES, &caller, creation).await]
}

/// Sends requests, after a warm-up.
async fn figures(
    servers: &[Server],
    cluster: Option<&Cluster>,
    each: usize,
    token: &str,
    body: impl Fn(usize) -> String,
) -> Figures {
    load(servers, each / 10, token, |n| body(n + 1_000_000)).await;
    let taken = || -> (f64, f64) {
        let database = cluster.map_or(0.0, |cluster| cpu::of_postgres(&cluster.data()));
        (servers.iter().map(Server::micros).sum(), database)
    };
    let before = taken();
    let load = load(servers, each, token, body).await;
    let after = taken();
    let requests = load.requests as f64;
    Figures {
        rate: load.rate(),
        instances: (after.0 - before.0) / requests,
        database: (after.1 - before.1) / requests,
    }
}

fn print(what: &str, figures: &[Figures; 2], base: &[Figures; 2]) {
    print!("{what:<24}");
    for (figures, base) in figures.iter().zip(base) {
        let ratio = figures.rate / base.rate;
        print!(
            " {:>8.0} {ratio:>6.2} {:>9.0} {:>9.0}  ",
            figures.rate, figures.instances, figures.database
        );
    }
    println!();
}
