//! Subscriptions over WebSocket: the protocol, its bounds, who may listen, and that nothing is
//! missed.

mod bounds;
mod events;
mod frames;
mod handshake;
mod listeners;
mod protocol;

use std::time::Duration;

use tokenwright::http::SocketLimits;
use tokenwright::service::LiveLimits;

use crate::support::{Options, TestApp};

const FOLLOW: &str = "subscription ($after: String, $filter: ApiTokenEventFilter) {
    apiTokenEvents(after: $after, filter: $filter) { cursor node { id action targetId } }
}";

const LIMITS: SocketLimits =
    SocketLimits { sockets: LiveLimits { all: 100, per_token: 100 }, subscriptions: 100 };

async fn listening() -> TestApp {
    listening_within(LIMITS).await
}

async fn listening_within(limits: SocketLimits) -> TestApp {
    TestApp::with(Options { subscriptions: Some(limits), ..Options::default() }).await
}

/// With little patience for whoever does not say who it is.
async fn impatient() -> TestApp {
    let options = Options {
        subscriptions: Some(LIMITS),
        request_timeout: Duration::from_secs(1),
        ..Options::default()
    };
    TestApp::with(options).await
}
