//! What a request costs: CPU time of the server process, as a multiple of what a bare actix-web
//! handler takes for a GET in the same round. 10,000 tokens are in use, in turn, and the server has
//! its default settings, the log included.
//!
//! `cargo bench --bench requests`, or `cargo bench --bench requests -- sqlite` for one database;
//! starts PostgreSQL with the installed programs, as the tests do, and reads `/proc`, so Linux
//! only. `-- small` leaves the million rows out.
//!
//! The kinds of requests take turns in each round, each right after the bare handler, so that other
//! load on the machine affects both; a figure is the median of the rounds.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark ends where something is wrong, and prints its table"
)]

#[expect(dead_code, unused_imports, reason = "the other benchmarks use the rest of it")]
mod support;

use support::{
    Server, Store, cost, document, get, hello, make, median, post, print_machine, use_first,
};

/// Tokens in the database.
const STORED: usize = 100_000;
/// Few and many, whose costs are compared.
const FEW: usize = 1_000;
const MANY: usize = 1_000_000;
/// Tokens that ask, in turn.
const IN_USE: usize = 10_000;
const CONNECTIONS: usize = 16;
/// Requests on each connection, in each round.
const EACH: usize = 2_000;
const ROUNDS: usize = 5;

/// A kind of request.
struct Kind {
    name: &'static str,
    /// Its bytes, with this secret.
    request: fn(&str) -> Vec<u8>,
    /// What each answer has in its body.
    expected: &'static str,
    /// Fewer of it are sent.
    share: usize,
}

const KINDS: [Kind; 3] = [
    Kind {
        name: "forward-auth, GET /authorize",
        request: |secret| get(secret, "/authorize?permission=api.users.read"),
        expected: "",
        share: 1,
    },
    Kind {
        name: "{ currentApiToken { id name } }",
        request: |secret| post(secret, &document("{ currentApiToken { id name } }")),
        expected: r#"{"data":{"currentApiToken":{"id":"#,
        share: 1,
    },
    Kind {
        name: "a list of ten tokens, 7 fields",
        request: |secret| {
            let fields = "id name expiry status version creationDate permissions";
            let list = format!("{{ apiTokens(first: 10) {{ nodes {{ {fields} }} }} }}");
            post(secret, &document(&list))
        },
        expected: r#"{"data":{"apiTokens":{"nodes":[{"id":"#,
        share: 4,
    },
];

fn main() {
    let hello = hello();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    print_machine();
    for store in Store::asked() {
        runtime.block_on(compare(&hello, store));
    }
}

async fn compare(hello: &Server, store: Store) {
    println!("\n{}: {STORED} tokens stored, {IN_USE} in use, {ROUNDS} rounds", store.name);
    println!("{:<36} {:>9} {:>7} {:>12}", "", "CPU us", "ratio", "database us");
    let stored = Served::new(&store, STORED).await;
    let figures = measure(hello, &[&stored]).await;
    for (kind, figures) in KINDS.iter().zip(&figures) {
        let Figures { micros, ratios, database } = &figures[0];
        let [micros, ratio, database] = [micros, ratios, database].map(|all| median(all));
        println!("{:<36} {micros:>9.1} {ratio:>7.2} {database:>12.1}", kind.name);
    }
    if std::env::args().any(|argument| argument == "small") {
        return;
    }
    drop(stored);
    let (few, many) = (store.another(), store.another());
    let (few, many) = (Served::new(&few, FEW).await, Served::new(&many, MANY).await);
    let figures = measure(hello, &[&few, &many]).await;
    println!("{MANY} tokens stored to {FEW}");
    for (kind, figures) in KINDS.iter().zip(&figures) {
        let ratio = |place: usize| {
            let Figures { ratios, database, micros } = &figures[place];
            // All of the CPU time, in the bare handler's.
            let all = ratios.iter().zip(database).zip(micros);
            all.map(|((ratio, database), micros)| ratio * (1.0 + database / micros))
        };
        let ratios: Vec<f64> = ratio(1).zip(ratio(0)).map(|(many, few)| many / few).collect();
        println!("{:<36} {:>17.2}", kind.name, median(&ratios));
    }
}

/// A server over so many tokens.
struct Served<'a> {
    store: &'a Store,
    server: Server,
    /// Of the tokens in use.
    secrets: Vec<String>,
}

impl<'a> Served<'a> {
    async fn new(store: &'a Store, tokens: usize) -> Self {
        store.fill(tokens);
        let server = store.on.serve();
        let secrets = make(&server, &store.caller, IN_USE).await;
        use_first(&server, &secrets).await;
        Self { store, server, secrets }
    }
}

/// What requests of one kind took, round by round.
#[derive(Default)]
struct Figures {
    /// Microseconds of CPU of the server for a request.
    micros: Vec<f64>,
    /// The same as a multiple of the bare handler's.
    ratios: Vec<f64>,
    /// The same of the database's own processes.
    database: Vec<f64>,
}

/// For each kind, the figures of each server.
async fn measure(hello: &Server, all: &[&Served<'_>]) -> Vec<Vec<Figures>> {
    let new = || all.iter().map(|_| Figures::default()).collect();
    let mut figures: Vec<Vec<Figures>> = KINDS.iter().map(|_| new()).collect();
    // The first round warms up.
    for round in 0..=ROUNDS {
        for (kind, figures) in KINDS.iter().zip(&mut figures) {
            for (served, figures) in all.iter().zip(figures) {
                let bare = |_: usize| get("none", "/");
                let base = cost(CONNECTIONS, hello, None, EACH, bare, "hello").await;
                let request = |n: usize| (kind.request)(&served.secrets[n % served.secrets.len()]);
                let Served { server, store, .. } = served;
                let each = EACH / kind.share;
                let ours =
                    cost(CONNECTIONS, server, Some(store), each, request, kind.expected).await;
                if round > 0 {
                    figures.micros.push(ours.micros);
                    figures.ratios.push(ours.micros / base.micros);
                    figures.database.push(ours.database);
                }
            }
        }
    }
    figures
}
