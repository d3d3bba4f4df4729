//! The body of a request: its JSON, its size, how it arrives, and its media type.

use std::io::{Read, Write};
use std::time::Duration;

use reqwest::RequestBuilder;

use super::{GRAPHQL_RESPONSE, WHO, assert_alive, body, sent};
use crate::support::{Options, TestApp, exchange};

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_no_request_are_refused() {
    let app = TestApp::start().await;
    let many_brackets = format!(
        r#"{{"query":"{{ __typename }}","variables":{{"a":{}{}}}}}"#,
        "[".repeat(3000),
        "]".repeat(3000)
    );
    for (text, hint) in [
        ("", "JSON"),
        ("{ __typename }", "JSON"),
        (r#"{"query":"#, "JSON"),
        (r#"{"query":"{ __typename }"} trailing"#, "JSON"),
        (many_brackets.as_str(), "JSON"),
        (r#"[{"query":"{ __typename }"}]"#, "Batches"),
        ("[]", "Batches"),
        (r#""{ __typename }""#, "JSON object"),
        ("null", "JSON object"),
        ("7", "JSON object"),
        ("{}", "`query`"),
        (r#"{"query":null}"#, "`query`"),
        (r#"{"query":7}"#, "`query`"),
        (r#"{"query":{"a":1}}"#, "`query`"),
        (r#"{"query":["{ __typename }"]}"#, "`query`"),
        (r#"{"query":"{ __typename }","variables":[]}"#, "`variables`"),
        (r#"{"query":"{ __typename }","variables":"{}"}"#, "`variables`"),
        (r#"{"query":"{ __typename }","operationName":7}"#, "`operationName`"),
        (r#"{"query":"{ __typename }","extensions":[]}"#, "`extensions`"),
    ] {
        let answer = body(&app, text).await;
        assert_eq!(answer.status, 400, "{text}");
        assert_eq!(answer.errors(), ["BAD_USER_INPUT invalid_parameters"]);
        assert!(answer.message().contains(hint), "{}", answer.message());
        assert!(answer.json.get("data").is_none());
    }
    let marked = format!("\u{feff}{WHO}");
    assert_eq!(sent(app.post().bearer_auth(&app.admin).body(marked)).await.status, 200);
    let not_utf8 = app.post().bearer_auth(&app.admin).body(vec![b'"', 0xff, b'"']);
    assert_eq!(sent(not_utf8).await.status, 400);
    assert_alive(&app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_that_are_null_are_left_out() {
    let app = TestApp::start().await;
    let text = r#"{"query":"{ __typename }","variables":null,"operationName":null,
                   "extensions":null,"unknown":1}"#;
    assert_eq!(body(&app, text).await.data()["__typename"], "Query");
}

const TEN_MEGABYTES: usize = 10 * 1024 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_announces_too_much_is_refused() {
    let app = TestApp::start().await;
    for length in [64 * 1024 + 1, TEN_MEGABYTES] {
        let answer = body(&app, " ".repeat(length)).await;
        assert_eq!(answer.status, 413);
        assert_eq!(answer.errors(), ["BAD_USER_INPUT body_too_large"]);
    }
    let fitting = format!("{WHO}{}", " ".repeat(64 * 1024 - WHO.len()));
    assert_eq!(body(&app, fitting).await.status, 200);
}

/// Many clients look for an answer only once they have sent all of their request.
#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_reaches_a_client_that_sends_its_whole_body_first() {
    let app = TestApp::start().await;
    let mut connection = std::net::TcpStream::connect(app.address).unwrap();
    let head = format!(
        "POST /graphql HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ncontent-length: {TEN_MEGABYTES}\r\n\r\n",
        app.admin
    );
    connection.write_all(head.as_bytes()).unwrap();
    let piece = vec![b' '; TEN_MEGABYTES / 10];
    for _ in 0..10 {
        connection.write_all(&piece).unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mut answer = String::new();
    while !answer.contains("body_too_large") {
        let mut bytes = [0; 1024];
        let count = connection.read(&mut bytes).unwrap();
        assert!(count > 0, "{answer}");
        answer.push_str(&String::from_utf8_lossy(&bytes[..count]));
    }
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

/// The head of a request whose body comes in chunks.
fn chunked_head(app: &TestApp) -> String {
    format!(
        "POST /graphql HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n",
        app.admin
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_in_chunks_is_refused_once_it_is_too_large() {
    let app = TestApp::start().await;
    let head = chunked_head(&app);
    let whole = format!("{:x}\r\n{WHO}\r\n0\r\n\r\n", WHO.len());
    let answer = exchange(app.address, &[head.as_bytes(), whole.as_bytes()]);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("administrator"), "{answer}");

    let chunk = format!("1000\r\n{}\r\n", " ".repeat(0x1000));
    let mut parts = vec![head.as_bytes()];
    parts.resize(1 + TEN_MEGABYTES / 0x1000, chunk.as_bytes());
    parts.push(b"0\r\n\r\n");
    let answer = exchange(app.address, &parts);
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(answer.contains("body_too_large"), "{answer}");
    assert_alive(&app).await;
}

/// The start of a request whose body does not end, with a token or without one.
fn without_an_end(framing: &str, token: &str) -> String {
    format!(
        "POST /graphql HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\n{framing}\r\n\r\n5\r\n{{\"que\r\n"
    )
}

/// Waits long enough to authenticate on a busy machine.
async fn impatient() -> TestApp {
    TestApp::with(Options { request_timeout: Duration::from_secs(2), ..Options::default() }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_arrive_is_not_waited_for() {
    let app = impatient().await;
    let length = "content-length: 60000";
    let answer = exchange(app.address, &[without_an_end(length, &app.admin).as_bytes()]);
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("body_too_slow"), "{answer}");
    let answer = exchange(app.address, &[without_an_end(length, "x").as_bytes()]);
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_in_chunks_that_does_not_end_is_not_waited_for() {
    let app = impatient().await;
    let chunked = "transfer-encoding: chunked";
    let answer = exchange(app.address, &[without_an_end(chunked, &app.admin).as_bytes()]);
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    let answer = exchange(app.address, &[without_an_end(chunked, "x").as_bytes()]);
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_body_is_json_in_utf_8_and_says_so() {
    let app = TestApp::start().await;
    let post = |types: &[&str]| {
        let request = app.http.post(app.url()).bearer_auth(&app.admin).body(WHO);
        let add = |request: RequestBuilder, ty: &&str| request.header("content-type", *ty);
        types.iter().fold(request, add)
    };
    for types in [
        &[][..],
        &[""],
        &["text/plain"],
        &["text/plain;charset=UTF-8"],
        &["application/x-www-form-urlencoded"],
        &["multipart/form-data; boundary=x"],
        &["application/graphql"],
        &[GRAPHQL_RESPONSE],
        &["application/json; charset=utf-16"],
        &["application/json; charset"],
        &["application/json; charset=utf-8; charset=latin1"],
        &["application/json; odata=verbose; charset=utf-16"],
        &["application/json, application/json"],
        &["application/json,text/plain"],
        &["text/plain; application/json"],
        &["text/plain; x=\"application/json\""],
        &["text/plain, application/json"],
        &["application/json", "application/json"],
        &["application/json", "text/plain"],
        &["text/plain", "application/json"],
        &["application/jsonx"],
        &["application/json\u{e9}"],
    ] {
        let answer = sent(post(types)).await;
        assert_eq!(answer.status, 415, "{types:?}");
        assert_eq!(answer.errors(), ["BAD_USER_INPUT unsupported_media_type"]);
    }
    for ty in [
        "application/json",
        "Application/JSON; Charset=\"UTF-8\"",
        "application/json;charset=utf-8",
        "application/json; charset=utf8",
        "application/json;odata=verbose",
        "application/json; profile=\"https://example.org/a;b\"; charset=utf-8",
    ] {
        assert_eq!(sent(post(&[ty])).await.status, 200, "{ty}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_is_refused_before_it_is_read() {
    let app = TestApp::start().await;
    let tokens = app.database.count("api_tokens");
    let part = |name: &str, text: &str| {
        format!("--x\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n")
    };
    let mutation = format!(
        r#"{{"query":"mutation {{ createApiToken(input: {{ name: \"up\", expiry: \"{}\", permissions: [API_USERS_READ] }}) {{ token }} }}"}}"#,
        app.in_time(chrono::TimeDelta::days(1))
    );
    let form =
        part("operations", &mutation) + &part("map", "{}") + &part("0", "text") + "--x--\r\n";
    for ty in
        ["multipart/form-data; boundary=x", "multipart/mixed; boundary=x", "multipart/form-data"]
    {
        let request = app.http.post(app.url()).header("content-type", ty).body(form.clone());
        let answer = sent(request.bearer_auth(&app.admin)).await;
        assert_eq!(answer.status, 415, "{ty}");
        assert_eq!(answer.errors(), ["BAD_USER_INPUT unsupported_media_type"]);
        assert!(answer.message().contains("no uploads"), "{}", answer.message());
    }
    assert_eq!(app.database.count("api_tokens"), tokens);
    assert_alive(&app).await;
}
