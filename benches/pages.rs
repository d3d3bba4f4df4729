//! Whether a page costs the same however many tokens there are and however deep it lies: time of a request
//! over 1,000, 100,000 and 1,000,000 tokens on both databases, as ratios within the run.
//!
//! `cargo bench --bench pages`, or `cargo bench --bench pages -- 100000` for no more than so many tokens;
//! starts PostgreSQL with the installed programs, as the tests do. The rows are made by SQL.

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
mod pages {
    pub mod operations;
    pub mod rows;
}
#[expect(dead_code, reason = "the tests use the rest of it")]
#[path = "../tests/it/postgres/sql.rs"]
mod sql;
#[expect(dead_code, unused_imports, reason = "the other benchmarks use the rest of it")]
mod support;

use cluster::Cluster;
use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use pages::operations::{OPERATIONS, Operation};
use pages::rows::{Dialect, POSTGRES, SQLITE};
use support::{Server, Tokenwright, load};

const SIZES: [usize; 3] = [1_000, 100_000, 1_000_000];

fn main() {
    let most = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(usize::MAX);
    let sizes: Vec<usize> = SIZES.into_iter().filter(|size| *size <= most).collect();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(compare(&sizes));
}

async fn compare(sizes: &[usize]) {
    let folder = tempfile::tempdir().unwrap();
    let mut columns = Vec::new();
    for size in sizes {
        let path = folder.path().join(format!("{size}.db"));
        let fill = |rows: &str| {
            let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
            connection.batch_execute(rows).unwrap();
        };
        columns.push(measure(&Tokenwright::on_file(&path), &SQLITE, *size, fill).await);
    }
    print("SQLite", sizes, &columns);
    let cluster = Cluster::start(&[]);
    columns.clear();
    for size in sizes {
        let url = cluster.url(&format!("bench_{size}"));
        sql::run(&cluster.url("postgres"), &format!("CREATE DATABASE bench_{size}")).unwrap();
        let fill = |rows: &str| drop(sql::run(&url, rows).unwrap());
        columns.push(measure(&Tokenwright::on(url.clone()), &POSTGRES, *size, fill).await);
    }
    print("PostgreSQL", sizes, &columns);
}

/// Milliseconds of a request, for each operation.
async fn measure(
    tokenwright: &Tokenwright,
    dialect: &Dialect,
    size: usize,
    fill: impl Fn(&str),
) -> Vec<f64> {
    let caller = tokenwright.token("caller", &["--all-permissions"]);
    fill(&dialect.rows(size));
    let server = [tokenwright.serve()];
    let mut times = Vec::new();
    for operation in OPERATIONS {
        times.push(millis(&server, operation, size, &caller).await);
    }
    times
}

/// Sends requests, after a warm-up.
async fn millis(server: &[Server], operation: &Operation, size: usize, caller: &str) -> f64 {
    let body = |n: usize| (operation.body)(n, size);
    load(server, operation.requests.div_ceil(10), caller, |n| body(n + 500)).await;
    let load = load(server, operation.requests, caller, body).await;
    1_000.0 / load.rate()
}

fn print(database: &str, sizes: &[usize], columns: &[Vec<f64>]) {
    print!("\n{database:<44}");
    for size in sizes {
        print!(" {size:>9}");
    }
    println!("   largest to smallest");
    for (row, operation) in OPERATIONS.iter().enumerate() {
        print!("{:<44}", operation.name);
        for column in columns {
            print!(" {:>6.2} ms", column[row]);
        }
        println!(" {:>12.2}", columns[columns.len() - 1][row] / columns[0][row]);
        if let Some(base) = operation.compared_with {
            let base = OPERATIONS.iter().position(|other| other.name == base).unwrap();
            print!("{:<44}", format!("  to {}", OPERATIONS[base].name));
            columns.iter().for_each(|column| print!(" {:>9.2}", column[row] / column[base]));
            println!();
        }
    }
}
