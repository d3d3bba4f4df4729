//! The client address: when forwarding headers count, and what follows from them.

use reqwest::RequestBuilder;
use serde_json::{Value, json};
use tokenwright::wire::forwarded::ForwardedHeader;

use crate::support::{Answer, Options, TestApp};

type Lines<'a> = [(&'static str, &'a str)];

/// An application behind proxies on this machine and in 10.0.0.0/8.
async fn behind_proxies(forwarded_header: ForwardedHeader) -> TestApp {
    TestApp::with(Options {
        trusted_proxies: vec!["127.0.0.0/8", "10.0.0.0/8", "2001:db8:aaaa::/48"],
        forwarded_header,
        ..Options::default()
    })
    .await
}

fn with_lines(request: RequestBuilder, lines: &Lines<'_>) -> RequestBuilder {
    lines.iter().fold(request, |request, (name, value)| request.header(*name, *value))
}

/// Sends a document with these headers.
async fn sent(app: &TestApp, token: &str, lines: &Lines<'_>, body: Value) -> Answer {
    let request = app.post().bearer_auth(token).body(body.to_string());
    Answer::of(with_lines(request, lines).send().await.unwrap()).await
}

/// The refusals of a token that asks who it is, with these headers.
async fn refusals(app: &TestApp, token: &str, lines: &Lines<'_>) -> Vec<String> {
    let body = json!({ "query": "{ currentUser { id } }" });
    sent(app, token, lines, body).await.errors()
}

/// A token for these addresses only.
async fn limited_to(app: &TestApp, addresses: &[&str]) -> String {
    let input = json!({ "allowedAddresses": addresses });
    let name = format!("limited to {addresses:?}");
    app.secret(&app.admin, app.input(&name, input)).await
}

/// The address that the audit has of a mutation with these headers.
async fn audited(app: &TestApp, lines: &Lines<'_>) -> String {
    let name = format!("made with {lines:?}");
    let input = app.input(&name.chars().take(200).collect::<String>(), json!({}));
    let query =
        "mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) { token } }";
    let body = json!({ "query": query, "variables": { "input": input } });
    let answer = sent(app, &app.admin, lines, body).await;
    answer.data();
    let id = answer.header("x-request-id");
    let sql = format!(
        "SELECT coalesce(client_address, 'unknown') AS text FROM audit_events \
         WHERE request_id = '{id}'"
    );
    let mut events = app.database.texts(&sql);
    assert_eq!(events.len(), 1);
    events.remove(0)
}

const NOT_ALLOWED: [&str; 1] = ["FORBIDDEN address_not_allowed"];

#[tokio::test(flavor = "multi_thread")]
async fn without_a_trusted_proxy_no_header_counts() {
    let app = TestApp::start().await;
    let there = limited_to(&app, &["10.0.0.1"]).await;
    let here = limited_to(&app, &["127.0.0.1"]).await;
    for lines in [
        [("x-forwarded-for", "10.0.0.1")],
        [("forwarded", "for=10.0.0.1")],
        [("x-real-ip", "10.0.0.1")],
        [("x-client-ip", "10.0.0.1")],
        [("x-forwarded-for", "junk")],
    ] {
        assert_eq!(refusals(&app, &there, &lines).await, NOT_ALLOWED);
        assert!(refusals(&app, &here, &lines).await.is_empty());
        assert_eq!(audited(&app, &lines).await, "127.0.0.1");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_is_no_proxy_is_the_client() {
    let app = TestApp::with(Options {
        trusted_proxies: vec!["10.0.0.0/8", "127.0.0.2/32", "::/0"],
        ..Options::default()
    })
    .await;
    let address = audited(&app, &[("x-forwarded-for", "192.0.2.1")]).await;
    assert_eq!(address, "127.0.0.1");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_right_most_address_that_is_no_proxy_is_the_client() {
    let app = behind_proxies(ForwardedHeader::XForwardedFor).await;
    let name = "x-forwarded-for";
    for (lines, client) in [
        (&[][..], "127.0.0.1"),
        (&[(name, "192.0.2.1")], "192.0.2.1"),
        (&[(name, "192.0.2.1, 10.0.0.9")], "192.0.2.1"),
        (&[(name, "192.0.2.1"), (name, "10.0.0.9")], "192.0.2.1"),
        (&[(name, "203.0.113.7,192.0.2.1"), (name, "10.1.1.1 ,10.0.0.9")], "192.0.2.1"),
        (&[(name, "127.0.0.1, 192.0.2.1")], "192.0.2.1"),
        (&[(name, "junk, \"é, 192.0.2.1, 10.0.0.9")], "192.0.2.1"),
        (&[(name, "junk"), (name, "192.0.2.1")], "192.0.2.1"),
        (&[(name, "10.0.0.8, 10.0.0.9")], "10.0.0.8"),
        (&[(name, "192.0.2.1:4711")], "192.0.2.1"),
        (&[(name, "2001:db8::7")], "2001:db8::7"),
        (&[(name, "192.0.2.1,")], "192.0.2.1"),
        (&[(name, "192.0.2.1, , 10.0.0.9 ,,")], "192.0.2.1"),
        (&[(name, "192.0.2.1"), (name, "")], "192.0.2.1"),
        (&[(name, ""), (name, " , ")], "127.0.0.1"),
        (&[(name, "192.0.2.1:_p")], "192.0.2.1"),
        (&[(name, "2001:db8::7, 2001:db8:aaaa::1")], "2001:db8::7"),
        (&[(name, "[2001:db8::7]:4711")], "2001:db8::7"),
        (&[(name, "::ffff:192.0.2.1")], "192.0.2.1"),
        (&[(name, "192.0.2.1, ::ffff:10.0.0.9")], "192.0.2.1"),
        (&[(name, "192.0.2.1"), ("forwarded", "for=192.0.2.9")], "192.0.2.1"),
        (&[("forwarded", "for=192.0.2.9")], "127.0.0.1"),
        (&[("x-real-ip", "192.0.2.9")], "127.0.0.1"),
    ] {
        assert_eq!(audited(&app, lines).await, client, "{lines:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_no_address() {
    let app = behind_proxies(ForwardedHeader::XForwardedFor).await;
    let name = "x-forwarded-for";
    let anywhere = limited_to(&app, &["0.0.0.0/0", "::/0"]).await;
    let too_many = vec!["10.0.0.9"; 200].join(",");
    for junk in [
        "junk",
        "unknown",
        "192.0.2.1, junk",
        "192.0.2.1:_",
        "192.0.2.01",
        "192.0.2.1:99999",
        "fe80::1%eth0",
        "for=192.0.2.1",
        too_many.as_str(),
    ] {
        let lines = [(name, junk)];
        assert_eq!(refusals(&app, &anywhere, &lines).await, NOT_ALLOWED, "{junk}");
        assert_eq!(audited(&app, &lines).await, "unknown", "{junk}");
    }
    let lines = [(name, "192.0.2.1"), (name, "junk")];
    assert_eq!(refusals(&app, &anywhere, &lines).await, NOT_ALLOWED);
    assert!(refusals(&app, &anywhere, &[(name, "192.0.2.1")]).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_held_to_the_address_that_was_forwarded() {
    let app = behind_proxies(ForwardedHeader::XForwardedFor).await;
    let name = "x-forwarded-for";
    let token = limited_to(&app, &["192.0.2.0/24", "2001:db8::/64"]).await;
    for (line, passes) in [
        ("192.0.2.1", true),
        ("::ffff:192.0.2.1", true),
        ("2001:db8::7", true),
        ("203.0.113.7", false),
        ("192.0.2.1, 203.0.113.7", false),
        ("192.0.2.1, 203.0.113.7, 10.0.0.9", false),
        ("2001:db8:1::7", false),
        ("127.0.0.1", false),
    ] {
        let errors = refusals(&app, &token, &[(name, line)]).await;
        assert_eq!(errors.is_empty(), passes, "{line}: {errors:?}");
    }
    assert_eq!(refusals(&app, &token, &[]).await, NOT_ALLOWED);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_standard_header_counts_where_it_is_set() {
    let app = behind_proxies(ForwardedHeader::Forwarded).await;
    let name = "forwarded";
    for (lines, client) in [
        (&[(name, "for=192.0.2.1")][..], "192.0.2.1"),
        (&[(name, "For=\"192.0.2.1:4711\";proto=https")], "192.0.2.1"),
        (&[(name, "for=192.0.2.1, for=10.0.0.9;by=10.0.0.1")], "192.0.2.1"),
        (&[(name, "for=junk, for=192.0.2.1")], "192.0.2.1"),
        (&[(name, "for=\"junk, for=192.0.2.1")], "192.0.2.1"),
        (&[(name, "for=192.0.2.1"), (name, "for=10.0.0.9")], "192.0.2.1"),
        (&[(name, "for=\"[2001:db8:cafe::17]:4711\"")], "2001:db8:cafe::17"),
        (&[(name, "for=\"[2001:db8:cafe::17]\"")], "2001:db8:cafe::17"),
        (&[(name, "for=\"[::ffff:192.0.2.1]\"")], "192.0.2.1"),
        (&[(name, "for=\"203.0.113.7:_p\"")], "203.0.113.7"),
        (&[(name, "for=192.0.2.1, ,"), (name, "")], "192.0.2.1"),
        (&[(name, "")], "127.0.0.1"),
        (&[(name, "for=2001:db8:cafe::17")], "unknown"),
        (&[(name, "for=unknown")], "unknown"),
        (&[(name, "for=_hidden")], "unknown"),
        (&[(name, "proto=https")], "unknown"),
        (&[(name, "192.0.2.1")], "unknown"),
        (&[("x-forwarded-for", "192.0.2.1")], "127.0.0.1"),
        (&[(name, "for=192.0.2.1"), ("x-forwarded-for", "192.0.2.9")], "192.0.2.1"),
    ] {
        assert_eq!(audited(&app, lines).await, client, "{lines:?}");
    }
}

/// The request id of the answer to a request with these.
async fn request_id(app: &TestApp, ids: &[&str]) -> String {
    let lines: Vec<(&str, &str)> = ids.iter().map(|id| ("x-request-id", *id)).collect();
    let body = json!({ "query": "{ __typename }" });
    let answer = sent(app, &app.admin, &lines, body).await;
    answer.data();
    answer.header("x-request-id").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_gives_a_request_its_id() {
    let app = behind_proxies(ForwardedHeader::XForwardedFor).await;
    let longest = "x".repeat(64);
    for id in ["a", "7f1c-4A.b_9", longest.as_str()] {
        assert_eq!(request_id(&app, &[id]).await, id);
    }
    let lines = [("x-request-id", "in-the-audit")];
    let input = app.input("made", json!({}));
    let query =
        "mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) { token } }";
    let body = json!({ "query": query, "variables": { "input": input } });
    sent(&app, &app.admin, &lines, body).await.data();
    let events = app
        .database
        .texts("SELECT request_id AS text FROM audit_events WHERE request_id = 'in-the-audit'");
    assert_eq!(events.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_cannot_stand_in_a_log_is_replaced() {
    let app = behind_proxies(ForwardedHeader::XForwardedFor).await;
    let too_long = "x".repeat(65);
    for id in ["", "two words", "quote\"", "a=b", "é", "a,b", too_long.as_str()] {
        let given = request_id(&app, &[id]).await;
        assert_ne!(given, id);
        assert_eq!(given.len(), 22, "{given}");
    }
}

/// A proxy on the way may have read another one of them.
#[tokio::test(flavor = "multi_thread")]
async fn of_several_ids_none_counts() {
    let app = behind_proxies(ForwardedHeader::XForwardedFor).await;
    for ids in [["one", "two"], ["same", "same"]] {
        let given = request_id(&app, &ids).await;
        assert!(!ids.contains(&given.as_str()), "{given}");
        assert_eq!(given.len(), 22, "{given}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_gives_a_request_its_id() {
    let app = TestApp::start().await;
    let first = request_id(&app, &["mine"]).await;
    let second = request_id(&app, &["mine"]).await;
    assert_ne!(first, "mine");
    assert_ne!(first, second);
    assert_eq!(first.len(), 22, "{first}");
}
