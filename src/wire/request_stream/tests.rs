//! Which offers stay in a stream of requests.

use proptest::prelude::*;

use super::*;

/// What comes out, whole and byte by byte alike.
fn passed(text: &str) -> String {
    let mut whole = text.as_bytes().to_vec();
    RequestStream::default().pass(&mut whole);
    let mut single = text.as_bytes().to_vec();
    let mut stream = RequestStream::default();
    single.chunks_mut(1).for_each(|byte| stream.pass(byte));
    assert_eq!(whole, single, "{text:?}");
    String::from_utf8(whole).unwrap()
}

#[test]
fn offers_are_blanked_out() {
    for (lines, left) in [
        ("Connection: Upgrade\r\nUpgrade: h2c\r\n", "Connection:        \r\nUpgrade:    \r\n"),
        ("connection:upgrade\r\n", "connection:       \r\n"),
        ("CONNECTION: keep-alive, UpGrAdE\r\n", "CONNECTION: keep-alive,        \r\n"),
        ("connection: upgrade , close\r\n", "connection:         , close\r\n"),
        (
            "connection: close\r\nconnection: upgrade\r\n",
            "connection: close\r\nconnection:        \r\n",
        ),
        ("Connection: Upgrade, HTTP2-Settings\r\n", "Connection:        , HTTP2-Settings\r\n"),
        ("upgrade: websocket, h2c\r\n", "upgrade:               \r\n"),
    ] {
        let head =
            |lines: &str| format!("GET / HTTP/1.1\r\nhost: x\r\n{lines}x-upgrade: upgrade\r\n\r\n");
        assert_eq!(passed(&head(lines)), head(left));
    }
}

/// What comes out where GraphQL may become a WebSocket, whole and byte by byte alike.
fn passed_to_sockets(text: &str) -> (String, bool) {
    let upgrades = Upgrades::WebSocketAt("/graphql");
    let mut whole = text.as_bytes().to_vec();
    RequestStream::new(upgrades).pass(&mut whole);
    let mut single = text.as_bytes().to_vec();
    let mut stream = RequestStream::new(upgrades);
    single.chunks_mut(1).for_each(|byte| stream.pass(byte));
    assert_eq!(whole, single, "{text:?}");
    (String::from_utf8(whole).unwrap(), stream.is_upgraded())
}

#[test]
fn only_the_offer_of_a_websocket_in_its_place_is_kept() {
    let head = |line: &str, lines: &str| format!("{line} HTTP/1.1\r\nhost: x\r\n{lines}\r\n");
    let offer = "connection: Upgrade\r\nupgrade: websocket\r\n";
    let kept = "connection: offered\r\nupgrade: websocket\r\n";
    let gone = "connection:        \r\nupgrade:          \r\n";
    for (line, left) in [
        ("GET /graphql", kept),
        ("GET /graphql?a=/graphql", kept),
        ("POST /graphql", gone),
        ("get /graphql", gone),
        ("GET /graphql/", gone),
        ("GET /graphqls", gone),
        ("GET /graph", gone),
        ("GET //graphql", gone),
        ("GET /livez", gone),
    ] {
        let (passed, is_upgraded) = passed_to_sockets(&head(line, offer));
        assert_eq!((passed, is_upgraded), (head(line, left), left == kept), "{line}");
    }
    for (lines, left, is_upgraded) in [
        ("upgrade:\tWebSocket \r\n", "upgrade:\tWebSocket \r\n", true),
        ("upgrade: websockets\r\n", "upgrade: websocket!\r\n", false),
        ("upgrade: websocket, h2c\r\n", "upgrade: websocket!    \r\n", false),
        ("upgrade: web socket\r\n", "upgrade: web       \r\n", false),
        ("upgrade: h2c, websocket\r\n", "upgrade:               \r\n", false),
        ("connection: upgrades\r\n", "connection: offered-\r\n", false),
        ("connection: close, upgrade\r\n", "connection: close, offered\r\n", false),
    ] {
        let passed = passed_to_sockets(&head("GET /graphql", lines));
        assert_eq!(passed, (head("GET /graphql", left), is_upgraded), "{lines}");
    }
}

#[test]
fn what_follows_an_upgrade_is_left_alone_and_what_follows_a_body_is_not() {
    let frames = "\n\r\nconnection: upgrade\r\n\r\n";
    let offer = "GET /graphql HTTP/1.1\r\nupgrade: websocket\r\n";
    let text = format!("{offer}content-length: 3\r\n\r\n{frames}");
    assert_eq!(passed_to_sockets(&text), (text, true));
    // The library reads the chunks, and then another request.
    let body = "transfer-encoding: chunked\r\n\r\n0\r\n\r\n";
    let text = format!("{offer}{body}GET / HTTP/1.1\r\nconnection: upgrade\r\n\r\n");
    let left = text.replace(": upgrade", ":        ");
    assert_eq!(passed_to_sockets(&text), (left, false));
}

#[test]
fn bodies_are_left_alone_and_what_follows_them_is_not() {
    let offer = "\r\nconnection: upgrade\r\n\r\n";
    let (head, blank) = ("GET / HTTP/1.1", "\r\nconnection:        \r\n\r\n");
    let length = offer.len();
    for body in [
        format!("content-length: {length}\r\n\r\n{offer}"),
        format!("Content-Length:{length} \r\n\r\n{offer}"),
        format!("transfer-encoding: chunked\r\n\r\n{length:x};a=b\r\n{offer}\r\n0\r\n\r\n"),
        format!("Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n{length:X}\r\n{offer}\r\n0\r\n\r\n"),
        "transfer-encoding: chunked\r\n\r\n0\r\nconnection: upgrade\r\n\r\n".to_owned(),
        "content-length: 0\r\n\r\n".to_owned(),
        "\r\n".to_owned(),
    ] {
        let request = format!("POST / HTTP/1.1\r\n{body}");
        assert_eq!(passed(&format!("{request}{head}{offer}")), format!("{request}{head}{blank}"));
    }
}

#[test]
fn a_line_without_carriage_return_is_made_unreadable() {
    for (text, left) in [
        ("GET / HTTP/1.1\nhost: x\r\n\r\n", "GET / HTTP/1.1\0host: x\r\n\r\n"),
        ("GET / HTTP/1.1\r\nhost: x\n\r\n", "GET / HTTP/1.1\r\nhost: x\0\r\n"),
        ("GET / HTTP/1.1\r\nconnection: x\n\r\n", "GET / HTTP/1.1\r\nconnection: x\0\r\n"),
        ("GET / HTTP/1.1\r\nhost: x\r\n\n", "GET / HTTP/1.1\r\nhost: x\r\n\0"),
        ("\nGET / HTTP/1.1\r\n\r\n", "\0GET / HTTP/1.1\r\n\r\n"),
    ] {
        assert_eq!(passed(text), left);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_survived_and_none_is_added(mut bytes: Vec<u8>, cut: prop::sample::Index) {
        let length = bytes.len();
        let mut split = bytes.clone();
        RequestStream::default().pass(&mut bytes);
        let mut stream = RequestStream::default();
        let (start, end) = split.split_at_mut(cut.index(length + 1).min(length));
        stream.pass(start);
        stream.pass(end);
        prop_assert_eq!(bytes, split);
    }

    #[test]
    fn offers_made_of_parts_are_survived(
        text in concat!(
            "(GET |POST |/graphql|\\?| HTTP/1.1|\r\n|upgrade|connection|: |websocket|,|a)",
            "{0,40}",
        ),
    ) {
        let (passed, _) = passed_to_sockets(&text);
        prop_assert_eq!(passed.len(), text.len());
    }
}
