//! Clients that go away and requests that run out of time, at any moment: whatever was begun is
//! finished or undone, and nothing stays open.

use std::iter;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use chrono::{SecondsFormat, TimeDelta};
use futures_util::future::join_all;
use futures_util::join;
use futures_util::stream::{self, StreamExt};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use tokenwright::db::PoolSettings;
use tokenwright::domain::clock::{Clock, SystemClock};
use tokenwright::domain::principal::{Origin, Principal};
use tokenwright::domain::random::{RandomSource, SystemRandom};
use tokenwright::domain::secret::PlaintextSecret;
use tokenwright::service::{CreateApiToken, RequestedExpiry, Service};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{Binary, Options, Server, TestApp, TestDatabase};
use crate::support::{administrator, eventually, migrated};

/// Concurrent requests: few, because the next user of a connection cleans it up.
const AT_ONCE: usize = 4;
/// No request takes that long.
const WHOLE: Duration = Duration::from_secs(30);

const CREATE: &str =
    "mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) { token } }";
const NESTED: &str = "query ($id: ID!) { apiToken(id: $id) {
    name user { id name } createdUserInfo { user { id name } } lastModifiedUserInfo { user { id } } } }";
const OWN: &str = "{ currentApiToken { name user { name } } }";

/// A mix of requests, of which each is given up at a moment of its own.
pub struct Storm {
    address: SocketAddr,
    admin: String,
    /// Secrets that nobody has used yet: each costs a proof.
    fresh: Vec<String>,
    seed: u64,
    random: StdRng,
    sent: usize,
}

/// How one request is given up.
struct Cut {
    request: Vec<u8>,
    after: Duration,
    /// By a reset, which ends what the server does for the request; without one the server may go
    /// on.
    abruptly: bool,
}

impl Storm {
    pub fn new(address: SocketAddr, admin: &str, fresh: Vec<String>) -> Self {
        let (seed, random) = seeded();
        Self { address, admin: admin.to_owned(), fresh, seed, random, sent: 0 }
    }

    /// Gives up this many requests; waits after every few of them until nothing is open.
    pub async fn rage(&mut self, cuts: usize, database: &TestDatabase) {
        let usual = self.usual_duration().await;
        let (mut answered, mut begun) = (0, 0);
        while begun < cuts {
            let cuts: Vec<Cut> = (0..AT_ONCE).map(|_| self.cut(usual)).collect();
            begun += cuts.len();
            let address = self.address;
            let outcomes = join_all(cuts.iter().map(|cut| give_up(address, cut))).await;
            answered += outcomes.into_iter().filter(|answered| *answered).count();
            let what = format!("nothing is open after request {begun} (seed {})", self.seed);
            eventually(&what, || database.is_quiet()).await;
        }
        let told = format!("{answered} of {begun} answered within {usual:?} (seed {})", self.seed);
        assert!(0 < answered && answered < begun, "too early or too late: {told}");
    }

    /// Sends this many requests and waits for their answers.
    pub async fn pass(&mut self, requests: usize) -> Vec<String> {
        let requests: Vec<_> = (0..requests).map(|_| self.request()).collect();
        let address = self.address;
        join_all(requests.iter().map(|request| whole(address, request))).await
    }

    /// How long a request takes in a crowd like that of the storm.
    async fn usual_duration(&mut self) -> Duration {
        let start = Instant::now();
        let answers = self.pass(AT_ONCE).await;
        let fine = answers.iter().filter(|answer| answer.starts_with("HTTP/1.1 200")).count();
        assert_eq!(fine, AT_ONCE, "{answers:?}");
        start.elapsed()
    }

    fn cut(&mut self, usual: Duration) -> Cut {
        let after = usual.mul_f64(self.random.random_range(0.0..1.2));
        Cut { request: self.request(), after, abruptly: self.random.random_bool(0.8) }
    }

    fn request(&mut self) -> Vec<u8> {
        self.sent += 1;
        let admin = self.admin.clone();
        let (token, body) = match self.random.random_range(0..5) {
            0 | 1 => (admin, json!({ "query": CREATE, "variables": { "input": self.input() } })),
            2 => {
                let id = PlaintextSecret::parse(&admin).unwrap().token_id().to_string();
                (admin, json!({ "query": NESTED, "variables": { "id": id } }))
            }
            3 => (self.fresh.pop().unwrap_or(admin), json!({ "query": OWN })),
            _ => (admin, json!({ "query": OWN })),
        };
        let (address, body) = (self.address, body.to_string());
        format!(
            "POST /graphql HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
        .into_bytes()
    }

    fn input(&self) -> Value {
        input(&format!("{} of storm {}", self.sent, self.seed))
    }
}

/// Random numbers, and what they begin with.
fn seeded() -> (u64, StdRng) {
    let mut seed = [0; 8];
    SystemRandom.fill(&mut seed).unwrap();
    let seed = u64::from_ne_bytes(seed);
    (seed, StdRng::seed_from_u64(seed))
}

fn input(name: &str) -> Value {
    let expiry = SystemClock.now() + TimeDelta::days(30);
    let expiry = expiry.to_rfc3339_opts(SecondsFormat::AutoSi, true);
    json!({ "name": name, "expiry": expiry, "permissions": ["API_API_TOKENS_READ"] })
}

/// Sends a request and goes away in the middle. Was there an answer before?
async fn give_up(address: SocketAddr, cut: &Cut) -> bool {
    let mut stream = TcpStream::connect(address).await.unwrap();
    if cut.abruptly {
        stream.set_zero_linger().unwrap();
    }
    let answered = async {
        stream.write_all(&cut.request).await.unwrap();
        stream.read_u8().await.unwrap();
    };
    timeout(cut.after, answered).await.is_ok()
}

/// Sends a request and reads its answer.
async fn whole(address: SocketAddr, request: &[u8]) -> String {
    let exchange = async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let mut answer = Vec::new();
        // A head that is too late is answered before it is read, and the rest of it reset.
        let _cut = stream.write_all(request).await;
        let _cut = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    };
    timeout(WHOLE, exchange).await.unwrap()
}

/// A server on a database, its administrator's secret, and a storm about to come over it.
pub async fn served(connections: usize) -> (TestDatabase, Server, String, Storm) {
    let database = migrated();
    let admin = administrator(&database, "administrator");
    let connections = connections.to_string();
    // Longer than any wait here: what is left open is not cleaned up by the database itself.
    let command = ["serve", "--database-idle-transaction-timeout", "5m", "--database-wait", "30s"];
    let command = Binary::on(&database, &command).args(&["--database-connections", &connections]);
    let server = command.args(&["--bcrypt-cost", "6"]).serve();
    let mut fresh = Vec::new();
    for n in 0..125 {
        let variables = json!({ "input": input(&format!("fresh {n}")) });
        let answer = server.graphql(&admin, CREATE, variables).await;
        fresh.push(answer.data()["createApiToken"]["token"].as_str().unwrap().to_owned());
    }
    let storm = Storm::new(server.address, &admin, fresh);
    (database, server, admin, storm)
}

/// Each token has its user and its audit event, and none of these is without a token.
pub fn assert_whole(database: &TestDatabase) {
    let whole = "SELECT CAST(count(*) AS TEXT) AS text FROM api_tokens \
                 JOIN users ON users.id = api_tokens.user_id AND users.name = api_tokens.name \
                 JOIN audit_events ON audit_events.target_id = api_tokens.id";
    let whole: i64 = database.texts(whole)[0].parse().unwrap();
    let tables = ["api_tokens", "users", "audit_events"].map(|table| database.count(table));
    // The system user exists as well.
    assert_eq!(tables, [whole, whole + 1, whole]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_away_leaves_nothing_open() {
    // One connection: a single one that is lost is missed at once.
    let (database, server, _, mut storm) = served(1).await;
    storm.rage(500, &database).await;
    let answers = storm.pass(AT_ONCE).await;
    assert!(answers.iter().all(|answer| answer.starts_with("HTTP/1.1 200")), "{answers:?}");
    assert!(answers.iter().all(|answer| !answer.contains("\"errors\"")), "{answers:?}");
    assert_whole(&database);
    let ended = server.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    for word in ["panicked", "ERROR", "WARN"] {
        assert!(!ended.stderr.contains(word), "{}", ended.stderr);
    }
}

/// Tokens made past HTTP, whose time may be too short for it: their secrets.
async fn made(service: &Service, names: impl Iterator<Item = String>) -> Vec<String> {
    let made = names.map(async |name| {
        let wanted = CreateApiToken {
            name,
            description: String::new(),
            labels: Vec::new(),
            expiry: RequestedExpiry::at(SystemClock.now() + TimeDelta::days(7)),
            permissions: service.catalogue().grantable(),
            allowed_addresses: Some(Vec::new()),
            idempotency_key: None,
        };
        let system = Principal::Operator;
        let created = service.create_api_token(&system, &Origin::default(), wanted).await.unwrap();
        created.secret.reveal().to_owned()
    });
    // One after the other: hashes that wait are limited.
    stream::iter(made).then(|made| made).collect().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_use_case_that_is_given_up_leaves_nothing_open() {
    let pool = PoolSettings {
        connections: 1,
        wait: WHOLE,
        idle_transaction_timeout: WHOLE * 10,
        ..Options::default().pool
    };
    let app = TestApp::with(Options { pool, bcrypt_cost: 6, ..Options::default() }).await;
    let service = &app.service;
    let start = Instant::now();
    let fresh = made(service, (0..100).map(|n| format!("fresh {n}"))).await;
    let usual = start.elapsed() / 100;
    let (seed, mut random) = seeded();
    let (mut finished, mut begun) = (0, 0);
    for secret in &fresh {
        let mut moment = || usual.mul_f64(random.random_range(0.0..3.0));
        let names = [0, 1].map(|n| iter::once(format!("{n} of {begun}")));
        let [one, other] = names.map(|name| timeout(moment(), made(service, name)));
        let own = timeout(moment(), service.authenticate(secret, None));
        let (one, other, own) = join!(one, other, own);
        finished += [one.is_ok(), other.is_ok(), own.is_ok()].iter().filter(|done| **done).count();
        begun += 3;
        let what = format!("nothing is open after use case {begun} (seed {seed})");
        eventually(&what, || app.database.is_quiet()).await;
    }
    assert!(0 < finished && finished < begun, "{finished} of {begun} within {usual:?}");
    timeout(WHOLE, service.ready()).await.unwrap().unwrap();
    timeout(WHOLE, made(service, iter::once("last".to_owned()))).await.unwrap();
    assert_whole(&app.database);
}
