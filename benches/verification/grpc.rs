//! The questions of Envoy. Like the other senders, it has one on each connection at a time.

use std::collections::HashMap;
use std::time::Instant;

use envoy_types::ext_authz::v3::pb::{Address, CheckRequest, HttpResponse};
use envoy_types::pb::envoy::config::core::v3 as core;
use envoy_types::pb::envoy::service::auth::v3::AttributeContext;
use envoy_types::pb::envoy::service::auth::v3::attribute_context::{HttpRequest, Peer, Request};
use envoy_types::pb::envoy::service::auth::v3::authorization_client::AuthorizationClient;
use tonic::transport::Channel;

use super::surfaces::CODE;
use crate::support::{CONNECTIONS, Load};

/// A connection of an Envoy.
type Envoy = AuthorizationClient<Channel>;

/// Connections as those of the other senders.
pub async fn connect(address: &str) -> Vec<Envoy> {
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        connections.push(Envoy::connect(format!("http://{address}")).await.unwrap());
    }
    connections
}

/// Asks so many questions on each connection. `secret` is that of the n-th token.
pub async fn load<'a>(
    connections: &mut [Envoy],
    each: usize,
    secret: impl Fn(usize) -> &'a str,
) -> Load {
    let count = connections.len() * each;
    let under_way = connections.iter_mut().enumerate().map(async |(connection, envoy)| {
        for n in 0..each {
            let answer = envoy.check(question(secret(connection * each + n))).await.unwrap();
            let answer = answer.into_inner().http_response;
            assert!(matches!(answer, Some(HttpResponse::OkResponse(_))), "{answer:?}");
        }
    });
    let started = Instant::now();
    futures_util::future::join_all(under_way).await;
    Load { requests: count, took: started.elapsed() }
}

/// What Envoy says of a small request of a client.
fn question(secret: &str) -> CheckRequest {
    let authorization = format!("Bearer {secret}");
    let headers = [
        (":authority", "api.example"),
        (":method", "GET"),
        (":path", "/orders/1"),
        (":scheme", "https"),
        ("accept", "*/*"),
        ("authorization", &authorization),
        ("user-agent", "bench"),
        ("x-forwarded-proto", "https"),
        ("x-request-id", "8d7bb5a2-8a0c-4f4b-9d0f-3f5b2f9d5a11"),
    ];
    let http = HttpRequest {
        id: "1".to_owned(),
        method: "GET".to_owned(),
        path: "/orders/1".to_owned(),
        host: "api.example".to_owned(),
        scheme: "https".to_owned(),
        protocol: "HTTP/1.1".to_owned(),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        ..HttpRequest::default()
    };
    let attributes = AttributeContext {
        source: Some(peer("192.0.2.1", 50_000)),
        destination: Some(peer("192.0.2.200", 443)),
        request: Some(Request { http: Some(http), ..Request::default() }),
        context_extensions: HashMap::from([("permissions".to_owned(), CODE.to_owned())]),
        ..AttributeContext::default()
    };
    CheckRequest { attributes: Some(attributes) }
}

fn peer(address: &str, port: u32) -> Peer {
    let port = Some(core::socket_address::PortSpecifier::PortValue(port));
    let socket = core::SocketAddress {
        address: address.to_owned(),
        port_specifier: port,
        ..core::SocketAddress::default()
    };
    let address = core::Address { address: Some(Address::SocketAddress(socket)) };
    Peer { address: Some(address), ..Peer::default() }
}
