//! HTTP as bytes: what no client library sends, and some programs do.

use std::time::Duration;

use crate::support::{Options, TestApp, exchange};

const QUERY: &str = r#"{"query":"{ __typename }"}"#;
/// The longest time for a head.
const SHORT: Duration = Duration::from_secs(1);
const ANSWERED: &str = r#"{"data":{"__typename":"Query"}}"#;

/// The answer to a request with these header lines and this body.
fn ask(app: &TestApp, line: &str, headers: &[&str], body: &str) -> String {
    let lines: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    let head = format!("{line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{lines}\r\n");
    exchange(app.address, &[head.as_bytes(), body.as_bytes()])
}

fn post(app: &TestApp, headers: &[&str]) -> String {
    let length = format!("content-length: {}", QUERY.len());
    let usual = ["content-type: application/json", &length];
    ask(app, "POST /graphql", &[&usual, headers].concat(), QUERY)
}

fn get(app: &TestApp, headers: &[&str]) -> String {
    ask(app, "GET /graphql?query=%7B__typename%7D", headers, "")
}

#[track_caller]
fn assert_status(answer: &str, status: u16) {
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_has_one_length() {
    let app = TestApp::start().await;
    assert!(post(&app, &[]).ends_with(ANSWERED));
    for more in [
        "content-length: 26",
        "content-length: 27",
        "content-length: 0",
        "transfer-encoding: chunked",
        "transfer-encoding: gzip, chunked",
        "transfer-encoding: nonsense",
    ] {
        let answer = post(&app, &[more]);
        assert_status(&answer, 400);
        assert!(!answer.contains("__typename"), "{more}: {answer}");
    }
    for length in ["+26", "-26", "26,26", "0x1a", "99999999999999999999", "nonsense"] {
        let headers = ["content-type: application/json", &format!("content-length: {length}")];
        assert_status(&ask(&app, "POST /graphql", &headers, QUERY), 400);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encoded_body_is_refused() {
    let app = TestApp::start().await;
    for coding in ["gzip", "br", "nonsense", "identity, gzip", "x-identity"] {
        let answer = post(&app, &[&format!("content-encoding: {coding}")]);
        assert_status(&answer, 415);
        assert!(answer.contains("not compressed"), "{answer}");
    }
    for coding in ["identity", "Identity", "", " , identity,"] {
        let answer = post(&app, &[&format!("content-encoding: {coding}")]);
        assert!(answer.ends_with(ANSWERED), "{coding}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_has_bounds() {
    let app = TestApp::start().await;
    let sized = |size: usize| format!("x-large: {}", "a".repeat(size));
    assert_status(&get(&app, &[&sized(20_000)]), 200);
    for size in [200_000, 2_000_000] {
        assert_status(&get(&app, &[&sized(size)]), 431);
    }
    let many: Vec<String> = (0..1000).map(|n| format!("x-{n}: a")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_status(&get(&app, &many[..80]), 200);
    assert_status(&get(&app, &many), 431);
    let ranges = format!("accept: {}application/json", "a/b;q=0.1, ".repeat(8000));
    assert!(get(&app, &[&ranges]).ends_with(ANSWERED));
    let parameters = format!("accept: application/json{}", ";a=b".repeat(15_000));
    assert!(get(&app, &[&parameters]).ends_with(ANSWERED));
    let long = format!("GET /graphql?query={}", "a".repeat(100_000));
    assert_status(&ask(&app, &long, &[], ""), 400);
    assert!(get(&app, &[]).ends_with(ANSWERED), "it is alive");
}

/// No handler sees these requests, and they are answered like all others.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_library_refuses_has_a_body_and_headers() {
    let app = TestApp::with(Options { request_timeout: SHORT, ..Options::default() }).await;
    let large = format!("GET /livez HTTP/1.1\r\nx: {}\r\n\r\n", "a".repeat(200_000));
    for (sent, status, reason) in [
        ("no HTTP\r\n\r\n", 400, "not_http"),
        ("GET /livez HTTP/1.1\nhost: x\r\n\r\n", 400, "not_http"),
        (&large, 431, "head_too_large"),
        ("GET /livez HTTP/1.1\r\nhost: ", 408, "head_too_slow"),
    ] {
        let whole = "GET /livez HTTP/1.1\r\nhost: x\r\n\r\n";
        for before in ["", whole] {
            // Of a later head, the library does not bound the time, and how it refuses the size depends
            // on the pieces in which it comes.
            if status != 400 && !before.is_empty() {
                continue;
            }
            let answer = exchange(app.address, &[before.as_bytes(), sent.as_bytes()]);
            let refused = &answer[answer.rfind("HTTP/1.1 ").unwrap()..];
            let start = format!("HTTP/1.1 {status} ");
            assert!(refused.starts_with(&start), "{start}{before}: {answer}");
            let (head, body) = refused.split_once("\r\n\r\n").unwrap();
            let body: serde_json::Value = serde_json::from_str(body).unwrap();
            assert_eq!(body["errors"][0]["extensions"]["reason"], reason, "{answer}");
            for line in ["content-type: application/json", "cache-control: no-store", "date: "] {
                assert!(head.contains(line), "{line}: {head}");
            }
            assert!(head.contains("\r\nx-request-id: ") && head.contains("nosniff"), "{head}");
            assert_eq!(answer.contains("ok\n"), !before.is_empty(), "{answer}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_header_makes_another_method_of_a_get() {
    let app = TestApp::start().await;
    for name in ["x-http-method-override", "x-method-override", "x-http-method"] {
        let headers = [&*format!("{name}: POST"), &*format!("authorization: Bearer {}", app.admin)];
        let answer = ask(&app, "GET /graphql?query=mutation%7B__typename%7D", &headers, "");
        assert_status(&answer, 405);
        assert!(answer.contains("allow: POST"), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_request_has_no_body_and_runs_nothing() {
    let app = TestApp::start().await;
    let answer = ask(&app, "HEAD /graphql?query=%7B__typename%7D", &[], "");
    assert_status(&answer, 405);
    assert!(answer.ends_with("\r\n\r\n"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_string_is_utf_8() {
    let app = TestApp::start().await;
    for query in
        ["%FF", "%7B__typename%7D&variables=%7B%22a%22:%22%C3%22%7D", "%7B__typename%7D&%C3=%A9"]
    {
        let answer = ask(&app, &format!("GET /graphql?query={query}"), &[], "");
        assert_status(&answer, 400);
        assert!(answer.contains("UTF-8"), "{answer}");
    }
    let fine = "%7B__typename%7D&variables=%7B%22a%22:%22%C3%A9%22%7D";
    assert!(ask(&app, &format!("GET /graphql?query={fine}"), &[], "").ends_with(ANSWERED));
}

/// A client with a token that has ended would open a connection for each try.
#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_leaves_the_connection_open() {
    let app = TestApp::start().await;
    let request = |last: &str| {
        let length = QUERY.len();
        format!(
            "POST /graphql HTTP/1.1\r\nhost: x\r\nauthorization: Bearer nonsense\r\n{last}\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{QUERY}"
        )
    };
    let again = request("");
    let requests = [again.clone(), again.clone(), request("connection: close\r\n")].concat();
    let answers = exchange(app.address, &[requests.as_bytes()]);
    assert_eq!(answers.matches("HTTP/1.1 401 ").count(), 3, "{answers}");
    // The body of the second does not come: its answer ends the connection.
    let (head, _) = again.split_at(again.len() - QUERY.len());
    let answers = exchange(app.address, &[again.as_bytes(), head.as_bytes()]);
    assert_eq!(answers.matches("HTTP/1.1 401 ").count(), 2, "{answers}");
    assert!(answers.contains("connection: close"), "{answers}");
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_one_way_to_the_endpoint() {
    let app = TestApp::start().await;
    for path in ["//graphql", "/graphql/", "/GraphQL", "/graphql/..", "/./graphql", "/x/../graphql"]
    {
        let answer = ask(&app, &format!("GET {path}?query=%7B__typename%7D"), &[], "");
        assert_status(&answer, 404);
    }
    assert_status(&ask(&app, "OPTIONS *", &[], ""), 404);
}
