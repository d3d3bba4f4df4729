//! What Prometheus reads: that it is there, that it is right, and that no client decides what is in
//! it.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};

use chrono::TimeDelta;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;
use tokenwright::domain::clock::Clock;

use crate::support::{Answer, Binary, Options, TestApp, assert_ended, made, migrated};

async fn measured() -> TestApp {
    TestApp::with(Options { metrics: true, ..Options::default() }).await
}

/// What Prometheus gets.
pub async fn scrape(app: &TestApp) -> String {
    let url = format!("http://{}/metrics", app.metrics.unwrap());
    let answer = Answer::of(app.http.get(url).send().await.unwrap()).await;
    assert_eq!(answer.status, 200);
    assert!(answer.header("content-type").starts_with("text/plain; version=0.0.4"));
    assert_eq!(answer.header("cache-control"), "no-store");
    answer.text
}

/// The number of a line that begins with this.
#[track_caller]
fn number(text: &str, series: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {series} in:\n{text}")).parse().unwrap()
}

/// The series, without their numbers.
fn series(text: &str) -> BTreeSet<String> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.rsplit_once(' ').unwrap().0.to_owned()).collect()
}

async fn authorize(app: &TestApp, authorization: Option<&str>, target: &str) -> u16 {
    let asked = app.http.get(format!("http://{}{target}", app.address));
    let asked = match authorization {
        Some(value) => asked.header("authorization", value),
        None => asked,
    };
    asked.send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn decisions_are_counted_by_who_asked_and_why_they_were_made() {
    let app = measured().await;
    let token = made(&app, "reader", json!({ "permissions": ["API_USERS_READ"] })).await;
    let (off, gone) = (made(&app, "off", json!({})).await, made(&app, "gone", json!({})).await);
    let bound = made(&app, "bound", json!({ "allowedAddresses": ["192.0.2.1"] })).await;
    for (what, id) in [("update", &off.id), ("delete", &gone.id)] {
        let change = match what {
            "update" => format!(
                "mutation {{ updateApiToken(input: {{ id: \"{id}\", version: 1, enabled: false }}) \
                 {{ apiToken {{ version }} }} }}"
            ),
            _ => format!(
                "mutation {{ deleteApiToken(input: {{ id: \"{id}\" }}) {{ deletedApiTokenId }} }}"
            ),
        };
        app.query(&app.admin, &change).await.data();
    }
    let before = scrape(&app).await;
    let bearer = |secret: &str| format!("Bearer {secret}");
    let asked = "/authorize?permission=api.users.read";
    let forged = {
        let mut forged = token.secret.clone();
        forged.replace_range(4..5, if forged.as_bytes()[4] == b'a' { "b" } else { "a" });
        forged
    };
    for (authorization, target, status, outcome) in [
        (Some(bearer(&token.secret)), asked, 200, "allowed"),
        (None, asked, 401, "no_credentials"),
        (Some("Bearer ".to_owned()), asked, 400, "malformed_credentials"),
        (Some(bearer(&forged)), asked, 401, "malformed"),
        (Some(bearer(&off.secret)), asked, 401, "disabled"),
        (Some(bearer(&gone.secret)), asked, 401, "deleted"),
        (Some(bearer(&bound.secret)), asked, 403, "address_not_allowed"),
        (
            Some(bearer(&token.secret)),
            "/authorize?permission=api.users.write",
            403,
            "permission_missing",
        ),
        (
            Some(bearer(&token.secret)),
            "/authorize?permission=api.users.reed",
            400,
            "invalid_demand",
        ),
    ] {
        let name = format!(
            "tokenwright_verifications_total{{surface=\"authorize\",outcome=\"{outcome}\"}}"
        );
        assert_eq!(authorize(&app, authorization.as_deref(), target).await, status, "{outcome}");
        assert_eq!(number(&scrape(&app).await, &name), number(&before, &name) + 1.0, "{outcome}");
    }
    let after = scrape(&app).await;
    for (status, more) in [("2xx", 1.0), ("4xx", 8.0), ("5xx", 0.0)] {
        let name =
            format!("tokenwright_requests_total{{endpoint=\"authorize\",status=\"{status}\"}}");
        assert_eq!(number(&after, &name) - number(&before, &name), more, "{status}");
    }
    let name = "tokenwright_request_duration_seconds_count{endpoint=\"authorize\",status=\"4xx\"}";
    assert_eq!(number(&after, name), 8.0);
    assert_eq!(
        number(&after, "tokenwright_proofs_total{result=\"at_once\"}")
            - number(&before, "tokenwright_proofs_total{result=\"at_once\"}"),
        4.0,
        "the reader's secret three times, and that of the bound token",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_client_decides_what_there_is_to_count() {
    let app = measured().await;
    let odd = |n: usize| format!("http://{}/odd-{n}/authorize?token=twr_{n}", app.address);
    let ask = async |numbers: std::ops::Range<usize>| {
        for n in numbers {
            let method = Method::from_bytes(format!("ODD{n}").as_bytes()).unwrap();
            let asked = app.http.request(method, odd(n)).header("x-odd", n.to_string());
            let asked = asked.bearer_auth(format!("twr_odd{n}"));
            assert_eq!(asked.send().await.unwrap().status(), 404);
        }
    };
    ask(0..1).await;
    // What the census counts is there once it was taken, which may be at any time after the start.
    app.service.take_census().await;
    let before = series(&scrape(&app).await);
    let many = (0..10).map(|part| ask((1_000 * part).max(1)..1_000 * (part + 1)));
    join_all(many).await;
    let text = scrape(&app).await;
    let after = series(&text);
    assert_eq!(before.symmetric_difference(&after).collect::<Vec<_>>(), [""; 0]);
    let name = "tokenwright_requests_total{endpoint=\"other\",status=\"4xx\"}";
    assert_eq!(number(&text, name), 10_000.0);
    assert!(!text.contains("odd"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_counted_by_status_and_by_when_they_expire() {
    let app = measured().await;
    let now = app.clock.now();
    for (name, from_now) in [
        ("an hour", TimeDelta::hours(1)),
        ("three days", TimeDelta::days(3)),
        ("six days", TimeDelta::days(6)),
        ("twenty days", TimeDelta::days(20)),
        ("a year", TimeDelta::days(365)),
    ] {
        made(&app, name, json!({ "expiry": app.in_time(from_now) })).await;
    }
    let off = made(&app, "off", json!({ "expiry": app.in_time(TimeDelta::minutes(30)) })).await;
    let disable = format!(
        "mutation {{ updateApiToken(input: {{ id: \"{}\", version: 1, enabled: false }}) \
         {{ apiToken {{ status }} }} }}",
        off.id
    );
    app.query(&app.admin, &disable).await.data();
    let expect = async |expected: [(&str, f64); 6]| {
        app.service.take_census().await;
        let text = scrape(&app).await;
        for (name, count) in expected {
            assert_eq!(number(&text, &format!("tokenwright_tokens{name}")), count, "{name}");
        }
        number(&text, "tokenwright_next_expiry_timestamp_seconds")
    };
    // The administrator's token expires in seven days, which is not less than seven days away.
    let next = expect([
        ("{status=\"active\"}", 6.0),
        ("{status=\"disabled\"}", 1.0),
        ("{status=\"expired\"}", 0.0),
        ("_expiring{within=\"1d\"}", 1.0),
        ("_expiring{within=\"7d\"}", 4.0),
        ("_expiring{within=\"30d\"}", 5.0),
    ]);
    assert!((next.await - (now.timestamp() as f64 + 3600.0)).abs() < 2.0);
    app.clock.advance(TimeDelta::days(4));
    expect([
        ("{status=\"active\"}", 4.0),
        ("{status=\"disabled\"}", 0.0),
        ("{status=\"expired\"}", 3.0),
        ("_expiring{within=\"1d\"}", 0.0),
        ("_expiring{within=\"7d\"}", 2.0),
        ("_expiring{within=\"30d\"}", 3.0),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_prometheus_asks_is_not_on_the_public_port_and_nothing_else_is_there() {
    let app = measured().await;
    let public = app.http.get(format!("http://{}/metrics", app.address)).bearer_auth(&app.admin);
    assert_eq!(public.send().await.unwrap().status(), 404);
    let own = app.metrics.unwrap();
    for path in ["/", "/graphql", "/authorize", "/livez", "/metrics/", "/metrics/x"] {
        let answer = app.http.get(format!("http://{own}{path}")).bearer_auth(&app.admin);
        assert_eq!(answer.send().await.unwrap().status(), 404, "{path}");
    }
    let posted = app.http.post(format!("http://{own}/metrics")).send().await.unwrap();
    assert_eq!(posted.status(), 405);
    assert!(TestApp::start().await.metrics.is_none(), "off unless set");
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_say_nothing_of_whom_they_count() {
    let app = measured().await;
    let token = made(&app, "payroll-of-acme", json!({ "allowedAddresses": ["127.0.0.1"] })).await;
    assert!(app.query(&token.secret, "{ currentApiToken { name } }").await.errors().is_empty());
    app.service.take_census().await;
    let text = scrape(&app).await;
    for hidden in ["payroll", "twr_", "tok_", "usr_", "127.0.0.1", "administrator"] {
        assert!(!text.contains(hidden), "{hidden}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_fails_is_counted_and_the_numbers_are_still_there() {
    let app = measured().await;
    app.database.execute("ALTER TABLE api_tokens RENAME TO gone");
    assert_eq!(app.query(&app.admin, "{ __typename }").await.status, 503);
    app.service.take_census().await;
    let text = scrape(&app).await;
    let unavailable = "{surface=\"caller\",outcome=\"unavailable\"}";
    assert_eq!(number(&text, &format!("tokenwright_verifications_total{unavailable}")), 1.0);
    assert_eq!(number(&text, "tokenwright_background_failures_total{duty=\"census\"}"), 1.0);
    let failures = ["unavailable", "defect"].map(|reason| {
        number(&text, &format!("tokenwright_database_failures_total{{reason=\"{reason}\"}}"))
    });
    assert!(failures.iter().sum::<f64>() >= 2.0, "{text}");
    assert_eq!(
        number(&text, "tokenwright_requests_total{endpoint=\"graphql\",status=\"5xx\"}"),
        1.0
    );
}

/// promtool knows the conventions on names and units.
#[tokio::test(flavor = "multi_thread")]
async fn promtool_finds_no_fault() {
    let app = measured().await;
    // So that every family has a number.
    app.query(&app.admin, "{ apiTokens { nodes { name } } }").await.data();
    made(&app, "another", json!({})).await;
    app.service.take_census().await;
    let text = scrape(&app).await;
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool, which scripts/test installs");
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let ended = promtool.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr) + String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success() && said.is_empty(), "{said}");
    for family in ["process_open_fds", "process_cpu_seconds_total", "tokenwright_build_info"] {
        assert!(text.contains(family), "{family}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_listener_is_announced_and_ends_with_the_server() {
    let database = migrated();
    let serve = Binary::on(&database, &["serve", "--metrics-listen", "127.0.0.1:0"]).serve();
    let said = serve.running.until(|said| said.err().contains("listening for Prometheus on"));
    let said = said.err();
    let line = said.lines().find(|line| line.contains("Prometheus on")).unwrap();
    let url = line.split_whitespace().last().unwrap();
    let text = reqwest::get(url).await.unwrap().text().await.unwrap();
    assert!(text.contains("tokenwright_build_info{version="), "{text}");
    // The census began with the server.
    let ended = serve.stop();
    assert_ended(&ended, 0, "listening for Prometheus");
    assert!(reqwest::get(url).await.is_err());
}
