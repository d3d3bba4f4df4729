//! Whether lists cost the same with ten deleted tokens for each live one: over 100,000 live
//! tokens, without deleted ones and with 1,000,000, on both databases, as ratios within the run.
//!
//! `cargo bench --bench rotation`, or `cargo bench --bench rotation -- sqlite 1000` for one of them
//! and so many live tokens; starts PostgreSQL with the installed programs, as the tests do, and
//! reads `/proc`, so Linux only. The rows are made by SQL.
//!
//! The operations are those of `pages` that read. What is marked as slow there counts rows or reads
//! them one by one, deleted ones and their users included.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark ends where something is wrong, and prints its table"
)]

mod pages {
    pub mod figures;
    pub mod operation;
    pub mod queries;
    pub mod table;
}
#[expect(dead_code, unused_imports, reason = "the other benchmarks use the rest of it")]
mod support;

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use pages::figures::{Candidate, measure};
use pages::{queries, table};
use support::cluster::Cluster;
use support::rows::{POSTGRES, SQLITE};
use support::{Tokenwright, sql};

/// Live tokens, unless the command line says otherwise.
const LIVE: usize = 100_000;
/// Deleted ones for each live one.
const DELETED: [usize; 2] = [0, 10];

fn main() {
    let live = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(LIVE);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        if !is_left_out("sqlite") {
            on_sqlite(live).await;
        }
        if !is_left_out("postgres") {
            on_postgres(live).await;
        }
    });
}

/// Is only the other database asked for?
fn is_left_out(database: &str) -> bool {
    let asked = |name: &str| std::env::args().any(|argument| argument == name);
    !asked(database) && (asked("sqlite") || asked("postgres"))
}

/// The rows of both candidates.
fn rows(live: usize) -> [usize; 2] {
    DELETED.map(|each| live * (1 + each))
}

async fn on_sqlite(live: usize) {
    let folder = tempfile::tempdir().unwrap();
    let candidate = |each: usize| {
        let path = folder.path().join(format!("{each}.db"));
        Candidate::new(live, &Tokenwright::on_file(&path), || {
            let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
            connection.batch_execute(&SQLITE.rows(live)).unwrap();
            if each > 0 {
                connection.batch_execute(&SQLITE.deleted(live * each)).unwrap();
            }
        })
    };
    let operations = queries::all();
    let figures = measure(&DELETED.map(candidate), &operations, None).await;
    table::print(
        "SQLite, live tokens and ten times as many deleted",
        &rows(live),
        &operations,
        &figures,
    );
}

async fn on_postgres(live: usize) {
    // What it would do now and then is done once all rows are there.
    let cluster = Cluster::start(&["autovacuum=off", "max_wal_size=4GB"]);
    let candidate = |each: usize| {
        let name = format!("bench_{each}");
        sql::run(&cluster.url("postgres"), &format!("CREATE DATABASE {name}")).unwrap();
        let url = cluster.url(&name);
        Candidate::new(live, &Tokenwright::on(url.clone()), || {
            sql::run(&url, &POSTGRES.rows(live)).unwrap();
            if each > 0 {
                sql::run(&url, &POSTGRES.deleted(live * each)).unwrap();
            }
            sql::run(&url, "VACUUM (ANALYZE) users, api_tokens, api_token_labels, audit_events")
                .unwrap();
        })
    };
    let candidates = DELETED.map(candidate);
    sql::run(&cluster.url_as("postgres", "postgres"), "CHECKPOINT").unwrap();
    let operations = queries::all();
    let figures = measure(&candidates, &operations, Some(&cluster)).await;
    table::print(
        "PostgreSQL, live tokens and ten times as many deleted",
        &rows(live),
        &operations,
        &figures,
    );
}
