//! Whether a request costs the same however many tokens there are and however deep a page lies:
//! over 1,000, 100,000 and 1,000,000 tokens on both databases, as ratios within the run.
//!
//! `cargo bench --bench pages`, or `cargo bench --bench pages -- sqlite 100000` for one database
//! and no more than so many tokens; starts PostgreSQL with the installed programs, as the tests do,
//! and reads `/proc`, so Linux only. The rows are made by SQL.
//!
//! All sizes take turns in each round, so that other load on the machine affects all of them. The
//! ratios are of CPU time, of the server and of the processes of the database, which is meaningful
//! even on a busy machine. The waiting time of a client is shown next to it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark ends where something is wrong, and prints its table"
)]

mod pages {
    pub mod figures;
    pub mod mutations;
    pub mod operation;
    pub mod queries;
    pub mod table;
}
#[expect(dead_code, unused_imports, reason = "the other benchmarks use the rest of it")]
mod support;

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use pages::figures::{Candidate, measure};
use pages::operation::Operation;
use pages::{mutations, queries, table};
use support::cluster::Cluster;
use support::rows::{POSTGRES, SQLITE};
use support::{Tokenwright, sql};

const SIZES: [usize; 3] = [1_000, 100_000, 1_000_000];

fn main() {
    let most = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(usize::MAX);
    let sizes: Vec<usize> = SIZES.into_iter().filter(|size| *size <= most).collect();
    let mut operations = queries::all();
    operations.extend(mutations::all());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        if !is_left_out("sqlite") {
            on_sqlite(&sizes, &operations).await;
        }
        if !is_left_out("postgres") {
            on_postgres(&sizes, &operations).await;
        }
    });
}

/// Is only the other database asked for?
fn is_left_out(database: &str) -> bool {
    let asked = |name: &str| std::env::args().any(|argument| argument == name);
    !asked(database) && (asked("sqlite") || asked("postgres"))
}

async fn on_sqlite(sizes: &[usize], operations: &[Operation]) {
    let folder = tempfile::tempdir().unwrap();
    let candidate = |size: &usize| {
        let path = folder.path().join(format!("{size}.db"));
        let on = Tokenwright::on_file(&path);
        Candidate::new(*size, &on, || {
            let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
            connection.batch_execute(&SQLITE.rows(*size)).unwrap();
        })
    };
    let candidates: Vec<Candidate> = sizes.iter().map(candidate).collect();
    let figures = measure(&candidates, operations, None).await;
    table::print("SQLite", sizes, operations, &figures);
}

async fn on_postgres(sizes: &[usize], operations: &[Operation]) {
    // What it would do now and then is done once all rows are there.
    let cluster = Cluster::start(&["autovacuum=off", "max_wal_size=4GB"]);
    let candidate = |size: &usize| {
        let name = format!("bench_{size}");
        sql::run(&cluster.url("postgres"), &format!("CREATE DATABASE {name}")).unwrap();
        let url = cluster.url(&name);
        let on = Tokenwright::on(url.clone());
        Candidate::new(*size, &on, || {
            sql::run(&url, &POSTGRES.rows(*size)).unwrap();
            sql::run(&url, "VACUUM (ANALYZE) users, api_tokens, api_token_labels, audit_events")
                .unwrap();
        })
    };
    let candidates: Vec<Candidate> = sizes.iter().map(candidate).collect();
    sql::run(&cluster.url_as("postgres", "postgres"), "CHECKPOINT").unwrap();
    let figures = measure(&candidates, operations, Some(&cluster)).await;
    table::print("PostgreSQL", sizes, operations, &figures);
}
