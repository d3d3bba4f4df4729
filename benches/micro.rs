//! The steps of a verification that are pure computation or memory, each by itself, with criterion.
//!
//! `cargo bench --bench micro`, or `cargo bench --bench micro -- secret` for what has this in its
//! name.

#![expect(clippy::unwrap_used, reason = "a benchmark ends where something is wrong")]

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use criterion::{Criterion, criterion_group, criterion_main};
use futures_util::FutureExt;
use tempfile::TempDir;
use tokenwright::app::{ServiceConfig, service};
use tokenwright::db::{DatabaseUrl, PoolSettings, migrate};
use tokenwright::domain::address::{AllowedAddresses, IpNetwork};
use tokenwright::domain::catalogue::Catalogue;
use tokenwright::domain::clock::{Clock, SystemClock};
use tokenwright::domain::id::{ApiTokenId, request_id};
use tokenwright::domain::principal::{Origin, Principal};
use tokenwright::domain::random::{DrawnAhead, SystemRandom};
use tokenwright::domain::secret::{PlaintextSecret, SecretTag};
use tokenwright::domain::verdict::Verdict;
use tokenwright::domain::verification::Demand;
use tokenwright::graphql::{Documents, Transport};
use tokenwright::service::{
    CreateApiToken, DEFAULT_COST, FailureLimits, Quotas, RequestedExpiry, Service, TokenRules,
};
use tokio::runtime::Runtime;

criterion_group!(all, secrets, ids, addresses, permissions, documents, judging);
criterion_main!(all);

const SECOND: Duration = Duration::from_secs(1);

fn secrets(c: &mut Criterion) {
    let id = ApiTokenId::generate(SystemClock.now(), &SystemRandom).unwrap();
    let secret = PlaintextSecret::generate(id, &SystemRandom).unwrap();
    let text = secret.reveal().to_owned();
    c.bench_function("secret: read", |b| b.iter(|| PlaintextSecret::parse(black_box(&text))));
    c.bench_function("secret: its tag", |b| b.iter(|| SecretTag::of(black_box(&secret))));
}

fn ids(c: &mut Criterion) {
    let id = ApiTokenId::generate(SystemClock.now(), &SystemRandom).unwrap();
    c.bench_function("id: as text", |b| b.iter(|| black_box(id).to_string()));
    let random = DrawnAhead::new(Arc::new(SystemRandom));
    let now = SystemClock.now();
    c.bench_function("id: of a request", |b| b.iter(|| request_id(black_box(now), &random)));
}

fn addresses(c: &mut Criterion) {
    let client = Some(IpAddr::V4(Ipv4Addr::new(10, 0, 99, 7)));
    for count in [1_u32, 1_000] {
        let networks = (0..count).map(|n| Ipv4Addr::from_bits((10 << 24) + (n << 8)));
        let networks = networks.map(|first| IpNetwork::parse(&format!("{first}/24")).unwrap());
        let list = AllowedAddresses::stored(networks.map(IpNetwork::net));
        let name = format!("address: one of {count}");
        c.bench_function(&name, |b| b.iter(|| list.admits(black_box(client))));
    }
}

fn permissions(c: &mut Criterion) {
    let catalogue = Catalogue::built_in().unwrap();
    let codes: Vec<&str> = catalogue.entries().iter().map(|entry| entry.code.as_str()).collect();
    let every = Demand::new(&catalogue, codes.iter().copied(), None);
    let held = every.permissions().unwrap().clone();
    let first = codes.first().copied().unwrap();
    c.bench_function("permission: is one held", |b| b.iter(|| held.contains(black_box(first))));
    c.bench_function("permission: a demand for one, met", |b| {
        b.iter(|| {
            let demand = Demand::new(&catalogue, [black_box(first)], None);
            demand.permissions().is_ok_and(|asked| asked.is_subset(&held))
        });
    });
}

fn documents(c: &mut Criterion) {
    const TEXT: &str = "{ apiTokens(first: 10) { nodes { id name expiry status permissions } } }";
    let documents = Documents::new(include_str!("../schema.graphql"));
    c.bench_function("document: seen before", |b| {
        b.iter(|| assert!(documents.read(black_box(TEXT), Transport::Requests).is_ok()));
    });
    let mut n = 0_u64;
    c.bench_function("document: new", |b| {
        b.iter(|| {
            n += 1;
            let text = format!("query q{n} {TEXT}");
            assert!(documents.read(black_box(&text), Transport::Requests).is_ok());
        });
    });
}

/// The whole of it, on a thread that is prepared to serve: whether the row is unchanged is asked of
/// the file, and the proof is remembered.
fn judging(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let folder = TempDir::new().unwrap();
    let (service, secret) = runtime.block_on(served(&folder));
    service.prepare_thread();
    let judge = || runtime.block_on(service.judge(&secret, None)).unwrap();
    // bcrypt follows the first use.
    while service.bcrypt_runs() == 0 {
        assert!(matches!(judge(), Verdict::Valid(_)));
        std::thread::sleep(SECOND / 100);
    }
    c.bench_function("judging: row unchanged, proof remembered", |b| {
        b.iter(|| service.judge(black_box(&secret), None).now_or_never().unwrap());
    });
    let wrong = PlaintextSecret::parse(&secret).unwrap().token_id();
    let wrong = PlaintextSecret::generate(wrong, &SystemRandom).unwrap();
    c.bench_function("judging: a wrong secret of a token", |b| {
        b.iter(|| service.judge(black_box(wrong.reveal()), None).now_or_never().unwrap());
    });
    runtime.block_on(service.close());
}

/// The use cases over a new SQLite file, and the secret of a token.
async fn served(folder: &TempDir) -> (Arc<Service>, String) {
    let path = folder.path().join("bench.db");
    let database = DatabaseUrl::parse(&format!("sqlite:{}", path.display())).unwrap();
    migrate(&database).await.unwrap();
    let config = ServiceConfig {
        database,
        pool: PoolSettings {
            connections: 2,
            wait: SECOND,
            statement_timeout: SECOND,
            idle_transaction_timeout: SECOND,
        },
        catalogue: Arc::new(Catalogue::built_in().unwrap()),
        rules: TokenRules {
            max_lifetime: TimeDelta::days(2).into(),
            lifetime_within_maker: false,
            bcrypt_cost: DEFAULT_COST,
            last_use_interval: SECOND,
            quotas: Quotas::NONE,
            failures: FailureLimits::NONE,
        },
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandom),
    };
    let service = service(config).await.unwrap();
    let wanted = CreateApiToken {
        name: "bench".to_owned(),
        expiry: RequestedExpiry::at(SystemClock.now() + TimeDelta::days(1)),
        description: String::new(),
        labels: Vec::new(),
        permissions: vec!["api.users.read".to_owned()],
        allowed_addresses: Some(Vec::new()),
        idempotency_key: None,
    };
    let origin = Origin { client_address: None, request_id: None };
    let created = service.create_api_token(&Principal::Operator, &origin, wanted).await.unwrap();
    (service, created.secret.reveal().to_owned())
}
