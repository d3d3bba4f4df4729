//! What an outage of the network looks like to clients, and how it ends: every request is answered
//! in time, none is let through, and nothing of it is left afterwards.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use futures_util::join;
use tokenwright::db::PoolSettings;
use tokio::time::timeout;

use super::lending::assert_all_are_lent;
use super::proxied::Proxied;
use super::proxy::Way;
use super::sql;
use crate::suite::cancellation::assert_whole;
use crate::support::{Answer, Options, TestApp, eventually};

/// Short, so that a test of what does not answer is short.
const POOL: PoolSettings = PoolSettings {
    connections: 3,
    wait: Duration::from_secs(1),
    statement_timeout: Duration::from_secs(2),
    idle_transaction_timeout: Duration::from_secs(2),
};

/// So many that each of the threads that serve requests has one for itself.
const WITH_LANES: usize = 8;

/// Requests have longer than anything here: what ends an operation is the pool.
fn options(connections: usize) -> Options {
    let pool = PoolSettings { connections, ..POOL };
    Options { pool, request_timeout: Duration::from_mins(5), ..Options::default() }
}

/// No more sessions than there may be, and without lanes each is found when it is needed.
async fn assert_all_are_there(app: &TestApp, connections: usize) {
    if connections == WITH_LANES {
        let settled = || app.database.is_quiet() && app.database.sessions().len() <= WITH_LANES;
        eventually("nothing is left of what was before", settled).await;
    } else {
        assert_all_are_lent(&app.database, app.address, &app.admin, connections).await;
    }
}

/// What these settings promise for one operation: to wait for a connection, to make it, and to have
/// its statements run, with a second for the way. Authentication is one operation.
const PROMISED: Duration = Duration::from_secs(1 + 1 + 2 + 1);
/// For a machine that has other things to do.
const SLACK: Duration = Duration::from_secs(5);
/// From the end of an outage to the first answer.
const RECOVERED: Duration = Duration::from_secs(2);

impl Proxied {
    async fn get(&self, path: &str) -> Answer {
        let url = format!("http://{}{path}", self.app.address);
        Answer::of(self.app.http.get(url).send().await.unwrap()).await
    }

    /// Several requests at once, while nothing comes back from the database.
    async fn assert_refuses(&self, round: usize) {
        let start = Instant::now();
        let names: Vec<String> = (0..4).map(|n| format!("refused {round} {n}")).collect();
        let owns = join_all((0..6).map(|_| self.own()));
        let creates = join_all(names.iter().map(|name| self.create(name)));
        let alive = async {
            let answer = self.get("/livez").await;
            (answer, start.elapsed())
        };
        let all = async { join!(owns, creates, self.get("/readyz"), alive) };
        let all = timeout(PROMISED + SLACK, all).await;
        let (owns, creates, ready, (alive, soon)) = all.unwrap();
        for answer in owns.iter().chain(&creates).chain([&ready]) {
            assert_eq!(answer.status, 503, "{}", answer.text);
            assert_eq!(answer.errors(), ["UNAVAILABLE unavailable"]);
        }
        assert_eq!(alive.status, 200);
        assert!(soon < SLACK, "{soon:?}");
    }

    /// Opens the way, and waits until a request passes.
    async fn assert_recovers(&self) {
        self.proxy.is(Way::Open);
        let start = Instant::now();
        let mut answer = self.own().await;
        while answer.status != 200 {
            assert_eq!(answer.status, 503, "{}", answer.text);
            tokio::time::sleep(Duration::from_millis(10)).await;
            answer = self.own().await;
        }
        let took = start.elapsed();
        assert_eq!(answer.data()["currentApiToken"]["name"], "administrator");
        assert!(took < RECOVERED, "{took:?}");
    }
}

/// Lives through an outage of this kind with a transaction under way and with connections that are
/// idle; `unheard` when nobody says at once that they are gone.
async fn outage(way: Way, unheard: bool) {
    let over = |connections| outage_over(connections, way, unheard);
    join!(over(POOL.connections), over(WITH_LANES));
}

async fn outage_over(connections: usize, way: Way, unheard: bool) {
    let proxied = Proxied::start(options(connections)).await;
    let Proxied { app, proxy } = &proxied;
    join_all((0..6).map(|_| proxied.own())).await;
    let lock = app.database.write_lock();
    let outage = async {
        eventually("it waits in its transaction", || app.database.waiting() == 1).await;
        proxy.is(way);
        drop(lock);
        for round in 0..2 {
            proxied.assert_refuses(round).await;
        }
        // The end of it finds attempts under way, which take up the whole pool.
        let opened = async {
            tokio::time::sleep(POOL.wait / 4).await;
            proxied.assert_recovers().await;
        };
        join!(join_all((0..6).map(|_| proxied.own())), opened);
    };
    let creating = timeout(PROMISED * 3 + SLACK, proxied.create("in the middle"));
    let (created, ()) = join!(creating, outage);
    let created = created.unwrap();
    assert_eq!(created.status, 200);
    let expected = if unheard { "UNAVAILABLE outcome_unknown" } else { "UNAVAILABLE" };
    assert_eq!(created.errors(), [expected]);
    assert_all_are_there(app, connections).await;
    assert_eq!(app.database.count("api_tokens"), 1, "none of it was done");
    assert_whole(&app.database);
    assert!(proxied.create("afterwards").await.data()["createApiToken"]["token"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_refused_in_time_while_the_server_is_gone() {
    outage(Way::Refused, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_refused_in_time_while_connections_are_reset() {
    outage(Way::Cut, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_refused_in_time_while_nothing_passes() {
    outage(Way::Stalled, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_refused_in_time_while_no_answer_passes() {
    outage(Way::Unheard, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_refused_in_time_while_nothing_is_heard_again() {
    outage(Way::Lost, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_answers_after_seconds_only_is_as_good_as_none() {
    join!(slow(POOL.connections), slow(WITH_LANES));
}

async fn slow(connections: usize) {
    let proxied = Proxied::start(options(connections)).await;
    join_all((0..6).map(|_| proxied.own())).await;
    proxied.proxy.is(Way::Slow(Duration::from_secs(4)));
    for round in 0..2 {
        proxied.assert_refuses(round).await;
    }
    proxied.assert_recovers().await;
    let Proxied { app, .. } = &proxied;
    assert_all_are_there(app, connections).await;
    assert_eq!(app.database.count("api_tokens"), 1, "none of it was done");
    assert_whole(&app.database);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loss_that_nobody_noticed_refuses_one_request() {
    join!(unnoticed(POOL.connections), unnoticed(WITH_LANES));
}

async fn unnoticed(connections: usize) {
    let proxied = Proxied::start(options(connections)).await;
    let Proxied { app, proxy } = &proxied;
    for _ in 0..6 {
        join_all((0..6).map(|_| proxied.own())).await;
    }
    assert_all_are_there(app, connections).await;
    proxy.is(Way::Lost);
    eventually("the server has noticed", || app.database.sessions().is_empty()).await;
    proxy.is(Way::Open);
    assert_eq!(proxied.own().await.status, 503);
    assert_eq!(proxied.own().await.status, 200, "one finds it out for all");
    assert_all_are_there(app, connections).await;
}

/// A commit that the server has done and nobody has heard of.
async fn unheard_commit(way: Way) {
    let proxied = Proxied::start(options(POOL.connections)).await;
    let Proxied { app, proxy } = &proxied;
    app.database.execute(
        "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS \
         $$ BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END $$; \
         CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON audit_events \
         DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait()",
    );
    let lock = sql::hold(&app.database.url_text(), "SELECT pg_advisory_lock(1)");
    let outage = async {
        eventually("it waits in its commit", || app.database.waiting() == 1).await;
        proxy.is(way);
        drop(lock);
        eventually("it is committed", || app.database.count("api_tokens") == 2).await;
    };
    let (created, ()) = join!(proxied.create("unheard"), outage);
    assert_eq!(created.errors(), ["UNAVAILABLE outcome_unknown"]);
    proxied.assert_recovers().await;
    let again = proxied.create("unheard").await;
    assert_eq!(again.errors(), ["CONFLICT name name_taken"]);
    assert_whole(&app.database);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_is_lost_is_told_to_be_unknown() {
    join!(unheard_commit(Way::Unheard), unheard_commit(Way::Cut), unheard_commit(Way::Lost));
}
