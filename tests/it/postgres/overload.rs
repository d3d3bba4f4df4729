//! A crowd of clients while the database says nothing.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use futures_util::join;
use tokio::time::timeout;

use super::lending::{ask, assert_all_are_lent};
use super::proxy::{Proxy, Way};
use crate::support::{Binary, Server, administrator, migrated};

const CROWD: usize = 200;
/// For a connection.
const WAIT: Duration = Duration::from_secs(1);
/// A wait for a connection, one for making it, and a statement with a second for the way.
const PROMISED: Duration = Duration::from_secs(1 + 1 + 2 + 1);
/// For a machine that has other things to do.
const SLACK: Duration = Duration::from_secs(10);

/// The crowd asks, and all of it is refused in time.
async fn assert_all_are_refused(server: &Server, token: &str) {
    let http = reqwest::Client::new();
    let start = Instant::now();
    let crowd = join_all((0..CROWD).map(|_| ask(&http, server.address, token)));
    let alive = async {
        let mut took = Vec::new();
        while start.elapsed() < WAIT {
            let asked = Instant::now();
            assert_eq!(server.get("/livez").await.status, 200);
            took.push(asked.elapsed());
        }
        took.sort();
        took[took.len() / 2]
    };
    let both = timeout(PROMISED + SLACK, async { join!(crowd, alive) }).await;
    let (answers, usual) = both.unwrap();
    assert!(usual < WAIT / 2, "what needs no database waits for it: {usual:?}");
    for answer in answers {
        assert_eq!(answer.errors(), ["UNAVAILABLE unavailable"], "{}", answer.text);
        assert_eq!(answer.status, 503);
    }
}

/// What the system says about a process, such as `Threads` or `VmRSS` (in KiB).
fn measured(server: &Server, what: &str) -> u64 {
    let told = std::fs::read_to_string(format!("/proc/{}/status", server.running.id())).unwrap();
    let line = told.lines().find(|line| line.starts_with(what)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_is_refused_in_time_and_leaves_nothing_behind() {
    let database = migrated();
    let admin = administrator(&database, "administrator");
    let proxy = Proxy::before(database.server()).await;
    let url = database.url_by_way_of(&[proxy.address]);
    let command = ["serve", "--database-connections", "4", "--request-timeout", "5m"];
    let command = Binary::new(database.folder(), &command).args(&["--database-url", &url]);
    let command = command.args(&["--database-wait", "1s", "--database-statement-timeout", "2s"]);
    let server = command.serve();
    assert_eq!(ask(&reqwest::Client::new(), server.address, &admin).await.status, 200);
    let mut figures = Vec::new();
    for _ in 0..3 {
        proxy.is(Way::Stalled);
        assert_all_are_refused(&server, &admin).await;
        proxy.is(Way::Open);
        assert_all_are_lent(&database, server.address, &admin, 4).await;
        figures.push(["Threads", "VmRSS"].map(|what| measured(&server, what)));
    }
    // The first crowd makes what the next ones use again.
    let [first, _, last] = figures[..] else { unreachable!() };
    assert!(last[0] <= first[0] + 4, "threads grow: {figures:?}");
    assert!(last[1] <= first[1] + 16 * 1024, "memory grows: {figures:?}");
    assert_eq!(server.stop().code, Some(0));
}
