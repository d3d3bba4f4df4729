//! Answers that take long.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;

use super::{Revocation, assert_refused, caller};
use crate::support::{Answer, Log, Options, TestApp, eventually, works};

/// Lists in one request, which are read one after the other.
const LISTS: usize = 30;

fn lists(count: usize) -> String {
    let lists: Vec<String> =
        (0..count).map(|n| format!("l{n}: auditEvents {{ nodes {{ id }} }}")).collect();
    format!("{{ {} }}", lists.join(" "))
}

async fn slow() -> TestApp {
    let request_timeout = Duration::from_mins(2);
    let app = TestApp::with(Options { request_timeout, ..Options::default() }).await;
    app.database.make_events_slow();
    app
}

fn begun(log: &Log, id: &str) -> usize {
    log.lines_with(&[id, "audit_event_list scan"]).len()
}

async fn ask(app: &TestApp, secret: &str, query: &str, id: &str) -> Answer {
    let body = json!({ "query": query }).to_string();
    let request = app.post().bearer_auth(secret).header("x-request-id", id).body(body);
    Answer::of(request.send().await.unwrap()).await
}

async fn slow_and_traced() -> (&'static Log, TestApp) {
    let log = Log::start();
    let request_timeout = Duration::from_mins(2);
    let trusted_proxies = vec!["127.0.0.1/32"];
    let options = Options { request_timeout, trusted_proxies, ..Options::default() };
    let app = TestApp::with(options).await;
    app.database.make_events_slow();
    (log, app)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_list_begins_and_no_answer_is_given_after_a_revocation() {
    let (log, app) = slow_and_traced().await;
    for revocation in Revocation::ALL {
        let own = caller(&app, &format!("{revocation:?}"), revocation).await;
        let id = format!("lists-{revocation:?}-{}", own.user_id);
        let query = lists(LISTS);
        let revoking = async {
            eventually("a list is read", || begun(log, &id) > 0).await;
            revocation.acknowledged(&app, &own).await;
            // The list that is being read, and none after it.
            begun(log, &id) + 1
        };
        let (answer, most) = tokio::join!(ask(&app, &own.secret, &query, &id), revoking);
        assert_refused(answer.status, &answer.text, &format!("{revocation:?}"));
        assert!(begun(log, &id) <= most, "{revocation:?}: {} lists", begun(log, &id));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_waited_for_a_connection_is_not_given_after_a_revocation() {
    let app = slow().await;
    for revocation in Revocation::ALL {
        let own = caller(&app, &format!("{revocation:?}"), revocation).await;
        assert!(works(&app, &own.secret).await);
        let before = lists(6);
        // All connections for searches are in use.
        let busy = join_all((0..2).map(|_| app.query(&app.admin, &before)));
        let waiting = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            app.query(&own.secret, &lists(1)).await
        };
        let revoking = async {
            tokio::time::sleep(Duration::from_millis(80)).await;
            revocation.acknowledged(&app, &own).await;
        };
        let (_, answer, ()) = tokio::join!(busy, waiting, revoking);
        assert_refused(answer.status, &answer.text, &format!("{revocation:?}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_takes_no_power_away_disturbs_no_answer() {
    let (log, app) = slow_and_traced().await;
    let own = caller(&app, "own", Revocation::Deletion).await;
    let id = format!("lists-{}", own.user_id);
    let renaming = async {
        eventually("a list is read", || begun(log, &id) > 0).await;
        let rename = "mutation ($id: ID!) { updateApiToken(input: { id: $id, version: 1, \
            name: \"renamed\" }) { apiToken { id } } }";
        app.graphql(&app.admin, rename, json!({ "id": own.id })).await.data();
    };
    let query = lists(5);
    let (answer, ()) = tokio::join!(ask(&app, &own.secret, &query, &id), renaming);
    assert_eq!(answer.data().as_object().unwrap().len(), 5);
}
