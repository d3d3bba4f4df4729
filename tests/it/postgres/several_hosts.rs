//! A URL with several hosts, of which one says nothing.

use std::time::Duration;

use futures_util::future::join_all;
use tokenwright::db::{DatabaseUrl, PoolSettings};

use super::lending::{ask, assert_all_are_lent};
use super::proxy::{Proxy, Way};
use crate::TestDatabase;
use crate::support::{Options, TestApp};

const POOL: PoolSettings = PoolSettings {
    connections: 3,
    wait: Duration::from_secs(4),
    statement_timeout: Duration::from_secs(5),
    idle_transaction_timeout: Duration::from_secs(2),
};

/// The application with two ways to one database, of which the first is like this at the start.
async fn started(first: Way) -> (TestApp, [Proxy; 2]) {
    let database = TestDatabase::new();
    let ways = [Proxy::before(database.server()).await, Proxy::before(database.server()).await];
    ways[0].is(first);
    let url = database.url_by_way_of(&[ways[0].address, ways[1].address]);
    let way = Some(DatabaseUrl::parse(&url).unwrap());
    let options = Options { pool: POOL, way, ..Options::default() };
    (TestApp::over(database, options).await, ways)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_says_nothing_does_not_keep_the_next_one_from_being_tried() {
    let ways = [Way::Stalled, Way::Unheard, Way::Refused, Way::Cut];
    let asked = ways.map(async |way| {
        let (app, _ways) = started(way).await;
        for answer in join_all((0..3).map(|_| ask(&app.http, app.address, &app.admin))).await {
            assert_eq!(answer.status, 200, "{way:?} {}", answer.text);
        }
        assert_all_are_lent(&app.database, app.address, &app.admin, POOL.connections).await;
    });
    join_all(asked).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_falls_silent_is_followed_by_the_next_one() {
    let (app, ways) = started(Way::Open).await;
    assert_all_are_lent(&app.database, app.address, &app.admin, POOL.connections).await;
    ways[0].is(Way::Lost);
    let first = ask(&app.http, app.address, &app.admin).await;
    assert_eq!(first.status, 503, "{}", first.text);
    let next = ask(&app.http, app.address, &app.admin).await;
    assert_eq!(next.status, 200, "one finds it out for all");
    assert_all_are_lent(&app.database, app.address, &app.admin, POOL.connections).await;
}
