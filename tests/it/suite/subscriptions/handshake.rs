//! Which offers of a WebSocket are accepted.

use tokenwright::http::SocketLimits;

use super::{LIMITS, listening};
use crate::support::{OFFER, Options, TestApp, WebSocket};

async fn answered(app: &TestApp, path: &str, lines: &str) -> String {
    WebSocket::offer(app.address, path, lines).await.1
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_that_is_not_whole_is_refused_and_the_connection_closed() {
    let app = listening().await;
    for (left_out, instead) in [
        ("connection: Upgrade\r\n", ""),
        ("connection: Upgrade\r\n", "connection: keep-alive\r\n"),
        ("connection: Upgrade\r\n", "connection: upgraded\r\n"),
        ("sec-websocket-version: 13\r\n", ""),
        ("sec-websocket-version: 13\r\n", "sec-websocket-version: 8\r\n"),
        ("sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n", ""),
        ("sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "sec-websocket-key: x\r\n"),
        ("sec-websocket-protocol: graphql-transport-ws\r\n", ""),
        (
            "sec-websocket-protocol: graphql-transport-ws\r\n",
            "sec-websocket-protocol: graphql-ws\r\n",
        ),
    ] {
        let lines = OFFER.replace(left_out, instead);
        let head = answered(&app, "/graphql", &lines).await;
        assert!(head.starts_with("HTTP/1.1 400 "), "{lines}: {head}");
        assert!(head.contains("connection: close"), "{lines}: {head}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn offers_as_browsers_and_libraries_write_them_are_accepted() {
    let app = listening().await;
    for (usual, other) in [
        ("connection: Upgrade", "Connection: keep-alive, Upgrade"),
        ("connection: Upgrade", "connection: upgrade , keep-alive"),
        ("upgrade: websocket", "Upgrade: WebSocket"),
        (
            "sec-websocket-protocol: graphql-transport-ws",
            "sec-websocket-protocol: graphql-ws, graphql-transport-ws",
        ),
    ] {
        let lines = OFFER.replace(usual, other);
        for path in ["/graphql", "/graphql?any=thing"] {
            let head = answered(&app, path, &lines).await;
            assert!(head.starts_with("HTTP/1.1 101 "), "{lines}: {head}");
            assert!(head.contains("sec-websocket-protocol: graphql-transport-ws\r\n"), "{head}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_offers_and_other_places_are_declined_as_without_subscriptions() {
    let app = listening().await;
    let query = "/graphql?query=%7B__typename%7D";
    let h2c = "connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n";
    for (path, lines, status) in [
        (query, h2c, "200"),
        (query, "connection: upgrade\r\n", "200"),
        (query, "connection: upgrade\r\nupgrade: websockets\r\n", "200"),
        (query, "connection: upgrade\r\nupgrade: h2c, websocket\r\n", "200"),
        ("/livez", OFFER, "200"),
        ("/graphqlx", OFFER, "404"),
        ("/authorize", OFFER, "401"),
    ] {
        let head = answered(&app, path, lines).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{path} {lines}: {head}");
        assert!(!head.contains("connection: close"), "{path} {lines}: {head}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_setting_no_offer_is_accepted() {
    let app = TestApp::start().await;
    let head = answered(&app, "/graphql?query=%7B__typename%7D", OFFER).await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_a_foreign_origin_is_refused() {
    let allowed = "https://app.example";
    let subscriptions: Option<SocketLimits> = Some(LIMITS);
    let options = Options { allowed_origins: vec![allowed], subscriptions, ..Options::default() };
    let app = TestApp::with(options).await;
    let own = format!("http://{}", app.address);
    for (origin, status) in [
        (allowed, "101"),
        (&own, "101"),
        ("https://evil.example", "403"),
        ("https://app.example.evil.example", "403"),
        ("http://app.example", "403"),
        ("null", "403"),
        ("", "403"),
    ] {
        let head = answered(&app, "/graphql", &format!("{OFFER}origin: {origin}\r\n")).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{origin}: {head}");
    }
    let two = format!("{OFFER}origin: {allowed}\r\norigin: https://evil.example\r\n");
    let head = answered(&app, "/graphql", &two).await;
    assert!(head.starts_with("HTTP/1.1 403 "), "{head}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_token_in_the_head_is_refused_like_everywhere() {
    let app = listening().await;
    let lines = format!("{OFFER}authorization: Bearer twr_nonsense\r\n");
    let head = answered(&app, "/graphql", &lines).await;
    assert!(head.starts_with("HTTP/1.1 401 ") && head.contains("invalid_token"), "{head}");
}
