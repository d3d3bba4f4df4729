//! Frames that no client library sends.

use serde_json::json;

use super::listening;
use crate::support::{Heard, WebSocket, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn frames_against_the_rules_have_their_codes() {
    let app = listening().await;
    let unmasked = [0x81, 0x02, b'{', b'}'];
    let reserved = [0xc1, 0x80, 0, 0, 0, 0];
    let unknown = [0x83, 0x80, 0, 0, 0, 0];
    let cut_ping = [0x09, 0x80, 0, 0, 0, 0];
    let long_ping = [&[0x89, 0xfe, 0, 126, 0, 0, 0, 0][..], &[0; 126]].concat();
    let goes_on_with_nothing = [0x80, 0x80, 0, 0, 0, 0];
    let begins_twice = [0x01, 0x80, 0, 0, 0, 0, 0x01, 0x80, 0, 0, 0, 0];
    let short_close = [0x88, 0x81, 0, 0, 0, 0, 1];
    let largest = [0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];
    for (bytes, code) in [
        (&unmasked[..], 1002),
        (&reserved, 1002),
        (&unknown, 1002),
        (&cut_ping, 1002),
        (&long_ping, 1002),
        (&goes_on_with_nothing, 1002),
        (&begins_twice, 1002),
        (&short_close, 1002),
        (&largest, 1009),
    ] {
        for with_token in [false, true] {
            let mut socket = if with_token {
                WebSocket::with(&app, &app.admin).await
            } else {
                WebSocket::open(&app).await
            };
            socket.bytes(bytes).await;
            assert_eq!(socket.closed().await, code, "{bytes:x?} {with_token}");
        }
    }
    let mut socket = WebSocket::open(&app).await;
    socket.frame(0x81, b"\xff").await;
    assert_eq!(socket.closed().await, 1007);
    let mut socket = WebSocket::open(&app).await;
    socket.frame(0x82, b"{}").await;
    assert_eq!(socket.closed().await, 4400, "binary");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_larger_than_a_message_is_kept() {
    let app = listening().await;
    for (with_token, most) in [(false, 4 * 1024), (true, 64 * 1024)] {
        let open = async || {
            if with_token {
                WebSocket::with(&app, &app.admin).await
            } else {
                WebSocket::open(&app).await
            }
        };
        let ping = |size: usize| {
            let empty = json!({ "type": "ping", "payload": "" }).to_string();
            json!({ "type": "ping", "payload": "a".repeat(size - empty.len()) }).to_string()
        };
        let mut socket = open().await;
        socket.frame(0x81, ping(most).as_bytes()).await;
        assert_eq!(socket.text().await["type"], "pong", "{with_token}");
        socket.frame(0x81, ping(most + 1).as_bytes()).await;
        assert_eq!(socket.closed().await, 1009, "{with_token}");
        // Only announced: 1 TiB, of which a little more than a message comes.
        let mut socket = open().await;
        socket.bytes(&[0x81, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 1, 2, 3, 4]).await;
        socket.bytes(&vec![0; most + 4 * 1024]).await;
        assert_eq!(socket.closed().await, 1009, "{with_token}");
        // A message that never ends.
        let mut socket = open().await;
        socket.frame(0x01, b"{").await;
        for _ in 0..most / 1024 + 1 {
            socket.frame(0x00, &[b' '; 1024]).await;
        }
        assert_eq!(socket.closed().await, 1009, "{with_token}");
        let mut socket = open().await;
        socket.frame(0x01, b"{").await;
        for _ in 0..1024 {
            socket.frame(0x00, b"").await;
        }
        assert_eq!(socket.closed().await, 1009, "{with_token}, of nothing");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_in_pieces_is_one_and_pings_may_come_between() {
    let app = listening().await;
    let mut socket = WebSocket::open(&app).await;
    let init = json!({
        "type": "connection_init",
        "payload": { "authorization": format!("Bearer {}", app.admin) },
    });
    let text = init.to_string();
    let (one, other) = text.split_at(20);
    socket.frame(0x01, one.as_bytes()).await;
    socket.frame(0x89, b"here?").await;
    assert_eq!(socket.hears().await, Heard::Pong(b"here?".to_vec()));
    socket.frame(0x00, b"").await;
    socket.frame(0x80, other.as_bytes()).await;
    assert_eq!(socket.text().await["type"], "connection_ack");
    socket.frame(0x88, &1000_u16.to_be_bytes()).await;
    assert_eq!(socket.closed().await, 1000);
    eventually("it is gone", || app.service.live_callers() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_reads_nothing_is_let_go() {
    let app = listening().await;
    let mut socket = WebSocket::with(&app, &app.admin).await;
    assert_eq!(app.service.live_callers(), 1);
    let flood = tokio::spawn(async move {
        // Each is answered, until the answers fill what the system keeps for them.
        loop {
            socket.frame(0x89, &[0; 125]).await;
        }
    });
    eventually("it is gone", || app.service.live_callers() == 0).await;
    flood.abort();
}
