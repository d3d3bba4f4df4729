//! Clocks that are wrong: what has ended stays ended.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use tokenwright::app::{ServiceConfig, service};
use tokenwright::domain::catalogue::Catalogue;
use tokenwright::domain::clock::{Clock, written};
use tokenwright::domain::random::SystemRandom;
use tokenwright::service::{AuthenticateError, Service, TokenRules};

use crate::support::{Log, Made, ManualClock, Options, TestApp, eventually, made, works};

const DAY: TimeDelta = TimeDelta::days(1);

/// A token that ends in an hour.
async fn short(app: &TestApp, name: &str) -> Made {
    let permissions = ["API_API_TOKENS_WRITE", "API_ORGANIZATIONS_READ"];
    let expiry = app.in_time(TimeDelta::hours(1));
    made(app, name, json!({ "expiry": expiry, "permissions": permissions })).await
}

/// Renews a token, and ends it at once.
async fn replaced(app: &TestApp, token: &Made) {
    let renew = "mutation ($input: RenewApiTokenInput!) { renewApiToken(input: $input) { token } }";
    let expiry = app.in_time(TimeDelta::days(5));
    let input = json!({ "id": token.id, "expiry": expiry, "overlapSeconds": 0 });
    app.graphql(&app.admin, renew, json!({ "input": input })).await.data();
}

/// Another process on the same database.
pub async fn another(app: &TestApp, clock: Arc<ManualClock>) -> Arc<Service> {
    let options = Options::default();
    let config = ServiceConfig {
        database: app.database.url(),
        pool: options.pool,
        catalogue: Arc::new(Catalogue::built_in().unwrap()),
        rules: TokenRules {
            max_lifetime: options.max_lifetime.into(),
            bcrypt_cost: options.bcrypt_cost,
            last_use_interval: options.last_use_interval,
            lifetime_within_maker: false,
            quotas: options.quotas,
            failures: options.failures,
        },
        clock,
        random: Arc::new(SystemRandom),
    };
    service(config).await.unwrap()
}

async fn is_refused(service: &Service, token: &Made) -> bool {
    match service.authenticate(&token.secret, None).await {
        Ok(_) => false,
        Err(AuthenticateError::Refused(_)) => true,
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_back_brings_nothing_to_life() {
    let log = Log::start();
    let app = TestApp::start().await;
    let (expired, ended) = (short(&app, "expired").await, made(&app, "ended", json!({})).await);
    app.clock.advance(TimeDelta::hours(2));
    replaced(&app, &ended).await;
    assert!(!works(&app, &expired.secret).await && !works(&app, &ended.secret).await);
    app.clock.advance(-DAY);
    let line = || log.lines_with(&["ERROR", "THE CLOCK WAS SET BACK by 86"]).len();
    let before = line();
    assert!(!works(&app, &expired.secret).await && !works(&app, &ended.secret).await);
    assert!(line() > before, "it is told");
    // The time stays where it was, for all that is asked of it.
    let soon = app.clock.now() + DAY + TimeDelta::minutes(30);
    let input = app.input("new", json!({ "expiry": written(soon) }));
    assert!(app.create(&app.admin, input).await.json["errors"].is_null());
    let past = app.clock.now() + TimeDelta::hours(1);
    let input = app.input("past", json!({ "expiry": written(past) }));
    assert_eq!(app.create(&app.admin, input).await.errors(), ["BAD_USER_INPUT expiry expiry_past"]);
    let expired = "{ apiTokens(filter: { status: [EXPIRED] }) { nodes { name status } } }";
    let shown = app.query(&app.admin, expired).await.data()["apiTokens"]["nodes"].clone();
    assert_eq!(shown.as_array().unwrap().len(), 2, "{shown}");
    // Once the clock has caught up, it goes on.
    app.clock.advance(DAY + TimeDelta::hours(1));
    let past = app.clock.now() - TimeDelta::minutes(1);
    let input = app.input("past", json!({ "expiry": written(past) }));
    assert_eq!(app.create(&app.admin, input).await.errors(), ["BAD_USER_INPUT expiry expiry_past"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_does_not_believe_a_clock_that_is_set_back() {
    let app = TestApp::start().await;
    let own = short(&app, "own").await;
    let target = made(&app, "target", json!({})).await;
    assert!(works(&app, &own.secret).await);
    let change = app.database.change(&target.id, "version = version");
    let rename = "mutation ($id: ID!) { updateApiToken(input: { id: $id, version: 1, \
        name: \"renamed\" }) { apiToken { id } } }";
    let renaming = app.graphql(&own.secret, rename, json!({ "id": target.id }));
    let meanwhile = async {
        app.database.until_waited_for().await;
        // The token ends, which another request has noticed, and then the clock is set back.
        app.clock.advance(TimeDelta::hours(2));
        assert!(!works(&app, &own.secret).await);
        app.clock.advance(-DAY);
        drop(change);
    };
    let (answer, ()) = tokio::join!(renaming, meanwhile);
    assert_eq!(answer.errors(), ["UNAUTHENTICATED caller_changed"], "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_process_knows_what_time_it_was() {
    let last_use_interval = Duration::from_millis(20);
    let app = TestApp::with(Options { last_use_interval, ..Options::default() }).await;
    let expired = short(&app, "expired").await;
    app.clock.advance(TimeDelta::hours(2));
    let now = app.clock.now().timestamp_micros();
    let mark = format!(
        "SELECT CAST({} AS TEXT) AS text FROM audit_tail",
        crate::TestDatabase::micros("clock")
    );
    eventually("the time is kept", || app.database.texts(&mark)[0].parse::<i64>().unwrap() >= now)
        .await;
    app.clock.advance(-DAY);
    let clock = ManualClock::default();
    clock.advance(TimeDelta::hours(2) - DAY);
    assert!(is_refused(&*another(&app, Arc::new(clock)).await, &expired).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_was_just_set_is_known_to_the_next_process() {
    let app = TestApp::start().await;
    let ended = made(&app, "ended", json!({})).await;
    app.clock.advance(TimeDelta::hours(2));
    replaced(&app, &ended).await;
    app.clock.advance(-DAY);
    let clock = ManualClock::default();
    clock.advance(TimeDelta::hours(2) - DAY);
    assert!(is_refused(&*another(&app, Arc::new(clock)).await, &ended).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_before_1970_stops_nobody() {
    for instant in ["1969-12-31T23:59:59.999999Z", "1901-12-13T20:45:52Z", "0001-01-01T00:00:00Z"] {
        let start: DateTime<Utc> = "2027-03-01T12:00:00Z".parse().unwrap();
        let clock = ManualClock::at(start);
        let app = TestApp::with(Options { clock, ..Options::default() }).await;
        let token = made(&app, "ci", json!({})).await;
        app.clock.stop_at(instant.parse().unwrap());
        assert!(works(&app, &token.secret).await, "{instant}");
        let expiry = start + TimeDelta::days(1);
        let input = app.input("then", json!({ "expiry": written(expiry) }));
        let made = app.create(&app.admin, input).await;
        let made = &made.data()["createApiToken"]["apiToken"];
        assert_eq!(made["creationDate"], "2027-03-01T12:00:00Z", "{instant}");
    }
}
