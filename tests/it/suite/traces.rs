//! Traces: what a collector gets of a request, whose word about a trace counts, and that none of it
//! holds anything up.

mod collector;

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::json;
use tokenwright::domain::clock::{Clock, SystemClock};

use self::collector::{Collector, Sent};
use crate::support::{
    Answer, Binary, Envoy, Said, Server, TestDatabase, administrator, eventually, migrated,
};

const READ: &str = "/authorize?permission=api.users.read";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

fn traceparent(flags: &str) -> String {
    format!("00-{TRACE}-{SPAN}-{flags}")
}

fn serve(database: &TestDatabase, endpoint: &str, more: &[&str]) -> Server {
    let serve = ["serve", "--otlp-endpoint", endpoint, "--ext-authz-listen", "127.0.0.1:0"];
    Binary::on(database, &serve).args(more).serve()
}

async fn authorize(server: &Server, token: &str, headers: &[(&str, &str)]) -> Answer {
    let request = server.request(Method::GET, READ).bearer_auth(token);
    let request =
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    Answer::of(request.send().await.unwrap()).await
}

/// The trace and the span that an answer names.
fn named(answer: &Answer) -> (String, String) {
    let parts: Vec<&str> = answer.header("traceresponse").split('-').collect();
    let ["00", trace, span, _flags] = parts[..] else { panic!("{parts:?}") };
    (trace.to_owned(), span.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_one_trace_with_its_judge_its_proof_and_its_database() {
    let database = migrated();
    let admin = administrator(&database, "payroll-of-acme");
    let collector = Collector::start().await;
    let server = serve(&database, &collector.url, &["--trusted-proxies", "127.0.0.1"]);
    let headers = [("traceparent", &*traceparent("01")), ("x-request-id", "of-the-proxy")];
    let answer = authorize(&server, &admin, &headers).await;
    assert_eq!(answer.status, 200);
    let (trace, id) = named(&answer);
    assert_eq!(trace, TRACE);
    let query = "{ apiTokens { nodes { name user { name } } } }";
    let listed = server.graphql(&admin, query, json!({})).await;
    listed.data();
    assert_eq!(server.stop().code, Some(0));
    let sent = collector.sent();
    let span = |name: &str| {
        let found = sent.iter().find(|span| span.trace == TRACE && span.name.contains(name));
        found.unwrap_or_else(|| panic!("no {name} in {sent:#?}"))
    };
    let request = span("GET /authorize");
    assert_eq!((&*request.parent, &request.id), (SPAN, &id));
    assert_eq!(request.attributes["tokenwright.request_id"], "of-the-proxy");
    assert_eq!(request.attributes["http.response.status_code"], "200");
    let judge = span("judge");
    assert_eq!(judge.parent, request.id);
    assert_eq!(judge.attributes["tokenwright.outcome"], "valid");
    for (name, told) in [("prove", "tokenwright.result"), ("database", "db.system.name")] {
        let span = span(name);
        assert_eq!(span.parent, judge.id, "{name}");
        assert!(span.attributes.contains_key(told), "{span:?}");
    }
    assert!(span("database").attributes["code.namespace"].contains("repository::token"));
    // What loaders read in tasks of their own belongs to the request as well.
    let (trace, _) = named(&listed);
    assert!(sent.iter().filter(|span| span.trace == trace).count() > 4, "{sent:#?}");
    let roots = sent.iter().filter(|span| span.parent.is_empty());
    let roots: BTreeSet<&str> = roots.map(|span| &*span.name).collect();
    assert_eq!(roots, BTreeSet::from(["POST /graphql"]), "nothing is traced but requests");
    assert_bounded(&sent);
    collector.has_none_of(&[&admin, "payroll", "127.0.0.1", "tok_", "usr_", "apiTokens"]);
}

/// Spans have these attributes and no others.
fn assert_bounded(sent: &[Sent]) {
    let allowed = [
        "code.namespace",
        "db.system.name",
        "http.request.method",
        "http.response.status_code",
        "http.route",
        "tokenwright.database.use",
        "tokenwright.outcome",
        "tokenwright.request_id",
        "tokenwright.result",
    ];
    let keys = sent.iter().flat_map(|span| span.attributes.keys());
    let keys: BTreeSet<&str> = keys.map(String::as_str).collect();
    assert_eq!(keys, BTreeSet::from(allowed));
}

/// The id in the log, in the span and in the audit event is the same one.
#[tokio::test(flavor = "multi_thread")]
async fn log_span_and_audit_have_one_id() {
    let database = migrated();
    let admin = administrator(&database, "administrator");
    let collector = Collector::start().await;
    let server = serve(&database, &collector.url, &[]);
    let create = "mutation { createApiToken(input: { name: \"a\", expiry: \"EXPIRY\", \
                  permissions: [API_USERS_READ] }) { apiToken { id } } }";
    let expiry = (SystemClock.now() + chrono::TimeDelta::days(1)).to_rfc3339();
    let created = server.graphql(&admin, &create.replace("EXPIRY", &expiry), json!({})).await;
    created.data();
    let id = created.header("x-request-id").to_owned();
    let log = server.stop().stderr;
    assert!(log.lines().any(|line| line.contains("API token created") && line.contains(&id)));
    let requests = collector.sent();
    let of_request = |span: &&Sent| span.attributes.get("tokenwright.request_id") == Some(&id);
    assert_eq!(requests.iter().filter(of_request).count(), 1);
    let stored = "SELECT request_id AS text FROM audit_events WHERE request_id IS NOT NULL";
    assert_eq!(database.texts(stored), [id]);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_trusted_proxy_says_which_trace_it_is_and_whether_it_counts() {
    let database = migrated();
    let admin = administrator(&database, "administrator");
    let collector = Collector::start().await;
    let server = serve(&database, &collector.url, &[]);
    for flags in ["01", "00"] {
        let answer = authorize(&server, &admin, &[("traceparent", &traceparent(flags))]).await;
        assert_ne!(named(&answer).0, TRACE, "the peer is a client");
    }
    server.stop();
    assert!(collector.sent().iter().all(|span| span.trace != TRACE));
    assert_eq!(collector.sent().iter().filter(|span| span.name == "GET /authorize").count(), 2);

    let collector = Collector::start().await;
    let server = serve(&database, &collector.url, &["--trusted-proxies", "127.0.0.1"]);
    let not_sampled = authorize(&server, &admin, &[("traceparent", &traceparent("00"))]).await;
    assert_eq!(named(&not_sampled).0, TRACE);
    for malformed in [
        "",
        "00",
        "00-0-0-01",
        &format!("ff-{TRACE}-{SPAN}-01"),
        &format!("00-{}-{SPAN}-01", "0".repeat(32)),
        &format!("00-{TRACE}-{}-01", "0".repeat(16)),
        &format!("00-{TRACE}-{SPAN}-01-more"),
        &traceparent("zz"),
        &"9".repeat(4000),
    ] {
        let answer = authorize(&server, &admin, &[("traceparent", malformed)]).await;
        assert_eq!(answer.status, 200);
        assert_ne!(named(&answer).0, TRACE, "{malformed}");
    }
    let twice = traceparent("01");
    let twice = [("traceparent", &*twice), ("traceparent", &*twice)];
    assert_ne!(named(&authorize(&server, &admin, &twice).await).0, TRACE, "two proxies say it");
    server.stop();
    assert!(collector.sent().iter().all(|span| span.trace != TRACE), "the proxy keeps it out");
}

#[tokio::test(flavor = "multi_thread")]
async fn envoys_questions_belong_to_its_traces() {
    let database = migrated();
    let admin = administrator(&database, "administrator");
    for (more, continued) in [(&["--trusted-proxies", "127.0.0.1"][..], true), (&[], false)] {
        let collector = Collector::start().await;
        let server = serve(&database, &collector.url, more);
        let said = server.running.until(|said| said.asked_at().is_some());
        let envoy = Envoy::connect(said.asked_at().unwrap()).await;
        let mut question = tonic::Request::new(Said::bearer(&admin, "api.users.read").question());
        question.metadata_mut().insert("traceparent", traceparent("01").parse().unwrap());
        assert_eq!(envoy.check(question).await.unwrap().status, 200);
        server.stop();
        let sent = collector.sent();
        let asked = sent.iter().find(|span| span.name.contains("Authorization/Check")).unwrap();
        assert_eq!(asked.trace == TRACE, continued, "{sent:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_of_the_requests_can_be_traced_and_none_is_unless_asked_for() {
    let database = migrated();
    let admin = administrator(&database, "administrator");
    let collector = Collector::start().await;
    let server = serve(&database, &collector.url, &["--otlp-sample-ratio", "0"]);
    assert!(authorize(&server, &admin, &[]).await.header("traceresponse").ends_with("-00"));
    server.stop();
    assert!(collector.sent().is_empty());
    let server = Binary::on(&database, &["serve"]).serve();
    let answer = server.request(Method::GET, READ).bearer_auth(&admin).send().await.unwrap();
    assert!(!answer.headers().contains_key("traceresponse"));
}

/// One collector is gone, one takes connections and says nothing, one refuses.
#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_takes_nothing_holds_nothing_up_and_is_counted() {
    let database = migrated();
    let admin = administrator(&database, "administrator");
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let refusing = Collector::refusing().await;
    let gone = Collector::start().await.url.clone();
    let endpoints =
        [gone, format!("http://{}", silent.local_addr().unwrap()), refusing.url.clone()];
    for endpoint in &endpoints {
        let server = serve(&database, endpoint, &["--metrics-listen", "127.0.0.1:0"]);
        for _ in 0..5 {
            assert_eq!(authorize(&server, &admin, &[]).await.status, 200);
        }
        let said = server.running.until(|said| said.err().contains("for Prometheus on")).err();
        let line = said.lines().find(|line| line.contains("for Prometheus on")).unwrap();
        let metrics = line.split_whitespace().last().unwrap().to_owned();
        let lost = async || {
            let text = reqwest::get(&metrics).await.unwrap().text().await.unwrap();
            let mut lines = text.lines();
            let lost =
                lines.find_map(|line| line.strip_prefix("tokenwright_trace_spans_lost_total "));
            lost.unwrap().parse::<f64>().unwrap()
        };
        while lost().await == 0.0 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        let ended = server.stop();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert_eq!(ended.stderr.matches("the collector does not take traces").count(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_spans_are_sent_at_the_end() {
    let database = migrated();
    let admin = administrator(&database, "administrator");
    let collector = Collector::start().await;
    let server = serve(&database, &collector.url, &[]);
    authorize(&server, &admin, &[]).await;
    server.stop();
    eventually("they are there", || !collector.sent().is_empty()).await;
}
