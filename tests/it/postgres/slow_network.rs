//! A network that is slow, and answers in time or not.

use std::time::Duration;

use futures_util::future::join_all;
use futures_util::join;
use tokenwright::db::PoolSettings;

use super::lending::assert_all_are_lent;
use super::proxied::Proxied;
use super::proxy::Way;
use crate::suite::cancellation::assert_whole;
use crate::support::{Options, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_come_late_are_still_answers() {
    let wait = Duration::from_secs(30);
    let pool = PoolSettings { wait, statement_timeout: wait, ..Options::default().pool };
    let request_timeout = Duration::from_mins(5);
    let proxied = Proxied::start(Options { pool, request_timeout, ..Options::default() }).await;
    proxied.proxy.is(Way::Slow(Duration::from_millis(10)));
    let names: Vec<String> = (0..6).map(|n| format!("slow {n}")).collect();
    let (owns, creates) = join!(
        join_all((0..6).map(|_| proxied.own())),
        join_all(names.iter().map(|name| proxied.create(name)))
    );
    for answer in owns {
        assert_eq!(answer.data()["currentApiToken"]["name"], "administrator");
    }
    for answer in creates {
        assert!(answer.data()["createApiToken"]["token"].is_string());
    }
    assert_eq!(proxied.app.database.count("api_tokens"), 7);
    assert_whole(&proxied.app.database);
}

/// The time of requests ends at any point of what they do.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_runs_out_of_time_leaves_nothing_open() {
    let wait = Duration::from_secs(30);
    let pool = PoolSettings { connections: 3, wait, ..Options::default().pool };
    let request_timeout = Duration::from_secs(1);
    let options = Options { pool, request_timeout, ..Options::default() };
    let proxied = Proxied::start(options).await;
    let app = &proxied.app;
    let mut refused = 0;
    for pause in [200, 80, 120, 60, 100] {
        proxied.proxy.is(Way::Slow(Duration::from_millis(pause)));
        let names: Vec<String> = (0..4).map(|n| format!("{pause} {n}")).collect();
        let (owns, _creates) = join!(
            join_all((0..8).map(|_| proxied.own())),
            join_all(names.iter().map(|name| proxied.create(name)))
        );
        refused += owns.iter().filter(|answer| answer.status == 503).count();
        proxied.proxy.is(Way::Open);
        eventually("nothing is open", || app.database.is_quiet()).await;
    }
    assert!(refused > 0, "none ran out of time");
    assert_all_are_lent(&app.database, app.address, &app.admin, 3).await;
    assert_whole(&app.database);
}
