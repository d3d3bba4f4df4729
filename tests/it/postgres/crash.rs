//! What was acknowledged outlives the sudden end of an instance and of the database.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;

use super::cluster::Cluster;
use super::ledger::Ledger;
use super::load::Load;
use crate::support::{Binary, Server, TestDatabase, administrator};

const ROUNDS: usize = 50;
/// With those that are added until enough was in flight.
const MOST_ROUNDS: usize = 4 * ROUNDS;
/// What every client has acknowledged in a round.
const WRITES: usize = 3;
/// Two seconds, less the tenth in which `pg_ctl` notices that the server is back.
const WITHIN: Duration = Duration::from_millis(1_900);

fn served(database: &TestDatabase) -> Server {
    Binary::on(database, &["serve", "--migrate"]).serve()
}

/// The answers that need the database.
async fn statuses(server: &Server, token: &str) -> [u16; 2] {
    let read = server.graphql(token, "{ currentApiToken { id } }", json!({})).await;
    [read.status.as_u16(), server.get("/readyz").await.status.as_u16()]
}

/// When the instance serves again; until then it says that it cannot.
async fn serves(server: Arc<Server>, token: String) -> Instant {
    loop {
        let answers = statuses(&server, &token).await;
        if answers == [200, 200] {
            return Instant::now();
        }
        assert!(answers.iter().all(|status| [200, 503].contains(status)), "{answers:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_outlives_an_instance_that_is_killed() {
    let cluster = Cluster::start(&[]);
    let database = TestDatabase::on(&cluster);
    let mut server = served(&database);
    let admin = administrator(&database, "administrator");
    let ledger = Arc::new(Ledger::default());
    for _ in 0..ROUNDS {
        let load = Load::start(&[&server], &admin, &ledger);
        load.acknowledged(WRITES).await;
        server.running.signal("KILL");
        assert_eq!(server.running.wait().code, None);
        load.stop().await;
        server = served(&database);
    }
    assert!(ledger.unknown() > ROUNDS / 2, "too little was in flight: {}", ledger.unknown());
    ledger.assert_kept(&[&server], &database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_outlives_a_database_that_crashes() {
    let cluster = Cluster::start(&[]);
    let database = TestDatabase::on(&cluster);
    let server = Arc::new(served(&database));
    let admin = administrator(&database, "administrator");
    let ledger = Arc::new(Ledger::default());
    let load = Load::start(&[&server], &admin, &ledger);
    // A crash does not always find a commit on its way.
    let too_little = || ledger.unknown() <= ROUNDS / 10;
    let mut rounds = 0..MOST_ROUNDS;
    while let Some(round) = rounds.next().filter(|round| *round < ROUNDS || too_little()) {
        load.acknowledged(WRITES).await;
        cluster.stop_immediately();
        assert_eq!(statuses(&server, &admin).await, [503, 503], "round {round}");
        let serving = tokio::spawn(serves(Arc::clone(&server), admin.clone()));
        cluster.run();
        let back = Instant::now();
        let took = serving.await.unwrap().saturating_duration_since(back);
        assert!(took < WITHIN, "round {round}: {took:?}");
    }
    load.stop().await;
    assert!(!too_little(), "too little was in flight: {}", ledger.unknown());
    ledger.assert_kept(&[&server], &database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_outlives_a_crash_whatever_the_servers_default() {
    let cluster = Cluster::start(&["synchronous_commit=off", "wal_writer_delay=10s"]);
    let database = TestDatabase::on(&cluster);
    let server = served(&database);
    let admin = administrator(&database, "administrator");
    let ledger = Arc::new(Ledger::default());
    let load = Load::start(&[&server], &admin, &ledger);
    load.acknowledged(WRITES).await;
    load.stop().await;
    cluster.stop_immediately();
    cluster.run();
    ledger.assert_kept(&[&server], &database).await;
}
