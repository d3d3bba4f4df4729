//! A synchronous standby: nothing is acknowledged that it does not have.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::json;

use super::cluster::{Cluster, ROLE};
use super::finally::Finally;
use super::sql;
use super::writer::{Outcome, Writer};
use crate::support::{Binary, Server, TestDatabase, administrator};

const CONNECTIONS: usize = 8;
/// More than there are connections.
const WRITES: usize = 12;

fn served(database: &TestDatabase) -> Server {
    // A statement may take less time than a commit is waited for.
    let limits = ["--database-statement-timeout", "1s", "--database-wait", "2s"];
    let connections = CONNECTIONS.to_string();
    let arguments = ["serve", "--migrate", "--database-connections", &connections];
    Binary::on(database, &arguments).args(&limits).serve()
}

/// How many connections of instances there are on a server where this is true of them.
fn connections(cluster: &Cluster, condition: &str) -> usize {
    let count = format!(
        "SELECT count(*) FROM pg_stat_activity \
         WHERE usename = '{ROLE}' AND application_name = 'tokenwright' AND {condition}"
    );
    sql::run(&cluster.url_as("postgres", "postgres"), &count).unwrap()[0].parse().unwrap()
}

async fn reads(server: &Server, token: &str) -> StatusCode {
    server.graphql(token, "{ currentApiToken { id } }", json!({})).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_acknowledged_while_the_standby_is_away_and_reading_goes_on() {
    let primary = Cluster::start(&[]);
    let standby = primary.synchronous_standby();
    let database = TestDatabase::on(&primary);
    let server = served(&database);
    let admin = administrator(&database, "administrator");
    let writer = Writer::new(server.address, &admin);
    let Outcome::Done(doomed) = writer.create("doomed").await else { panic!("not created") };

    standby.stop_immediately();
    let away = Finally(|| standby.run());
    assert!(writer.delete(&doomed.id).await.is_unknown());
    let (mut unknown, mut refused) = (Vec::new(), Vec::new());
    for wave in 0..2 {
        let names = (0..WRITES).map(|number| format!("meanwhile {wave} {number}"));
        let creations = names.map(async |name| (writer.create(&name).await, name));
        let mut creations = std::pin::pin!(join_all(creations));
        let outcomes = loop {
            let pause = Duration::from_millis(100);
            if let Ok(outcomes) = tokio::time::timeout(pause, &mut creations).await {
                break outcomes;
            }
            assert_eq!(reads(&server, &admin).await, 200);
        };
        for (outcome, name) in outcomes {
            match outcome {
                Outcome::Done(_) => panic!("{name} was acknowledged"),
                Outcome::Unknown => unknown.push(name),
                Outcome::NotDone => refused.push(name),
            }
        }
        // The deletion waits. What comes after it waits for its event, and is given up.
        assert_eq!(connections(&primary, "wait_event = 'SyncRep'"), 1);
        assert!(connections(&primary, "true") <= CONNECTIONS);
    }
    assert!(unknown.is_empty(), "nothing else came as far as its commit: {unknown:?}");

    drop(away);
    // What waited is done, and holds up nobody.
    assert!(writer.create("after").await.is_done());
    assert_eq!(connections(&primary, "wait_event = 'SyncRep'"), 0);
    let there = database.texts("SELECT name FROM api_tokens");
    assert!(unknown.iter().all(|name| there.contains(name)), "{unknown:?}: {there:?}");
    assert!(!refused.iter().any(|name| there.contains(name)), "{refused:?}: {there:?}");
    assert_eq!(reads(&server, &doomed.secret).await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stricter_default_of_the_server_stays() {
    let primary = Cluster::start(&["synchronous_commit=remote_apply"]);
    let standby = primary.synchronous_standby();
    let database = TestDatabase::on(&primary);
    let server = served(&database);
    let admin = administrator(&database, "administrator");
    let writer = Writer::new(server.address, &admin);
    assert!(writer.create("before").await.is_done());

    let replay = |what: &str| {
        let url = standby.url_as("postgres", "postgres");
        sql::run(&url, &format!("SELECT pg_wal_replay_{what}()")).unwrap();
    };
    replay("pause");
    let paused = Finally(|| replay("resume"));
    // The standby has it, and does not show it.
    assert!(writer.create("meanwhile").await.is_unknown());
    drop(paused);
    assert!(writer.create("after").await.is_done());
}
