//! Clients that hold a connection without asking for anything.

use std::time::Duration;

use crate::support::{Options, TestApp, exchange};

#[tokio::test(flavor = "multi_thread")]
async fn half_a_head_is_not_waited_for_on_a_later_request_either() {
    let timeout = Options {
        request_timeout: Duration::from_secs(1),
        ..Options::default()
    };
    let app = TestApp::with(timeout).await;
    let whole = b"GET /livez HTTP/1.1\r\nHost: here\r\n\r\n";
    let half = b"GET /livez HTTP/1.1\r\nHost: he";
    for parts in [&[&half[..]][..], &[&whole[..], &half[..]][..]] {
        let address = app.address;
        let parts: Vec<Vec<u8>> = parts.iter().map(|part| part.to_vec()).collect();
        let answer = tokio::task::spawn_blocking(move || {
            let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
            // Fails if the server does not end the connection.
            exchange(address, &parts)
        });
        let answers = answer.await.unwrap().matches("HTTP/1.1 200 OK").count();
        assert!(answers <= 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_used_stays_open() {
    let timeout = Options {
        request_timeout: Duration::from_secs(1),
        ..Options::default()
    };
    let app = TestApp::with(timeout).await;
    let ask = b"GET /livez HTTP/1.1\r\nHost: here\r\n\r\n";
    let last = b"GET /livez HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n";
    let answer = exchange(app.address, &[ask, ask, ask, last]);
    assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 4);
}
