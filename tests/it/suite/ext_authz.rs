//! Envoy's `ext_authz` over gRPC: the same decisions as `/authorize`, for what Envoy says of a
//! request.

use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use chrono::TimeDelta;
use envoy_types::ext_authz::v3::pb::{
    Address, CheckRequest, HeaderAppendAction, HeaderValue, HeaderValueOption, HttpResponse,
};
use envoy_types::pb::envoy::config::core::v3 as core;
use envoy_types::pb::envoy::service::auth::v3::AttributeContext;
use envoy_types::pb::envoy::service::auth::v3::attribute_context::{HttpRequest, Peer, Request};
use envoy_types::pb::envoy::service::auth::v3::authorization_client::AuthorizationClient;
use serde_json::{Value, json};
use tokenwright::wire::forwarded::ForwardedHeader;
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::support::{Options, TestApp};

/// What Envoy says of a client's request.
#[derive(Clone, Default)]
pub struct Said<'a> {
    /// The address at the other end of its socket.
    source: &'a str,
    permissions: Option<&'a str>,
    headers: Vec<(&'a str, String)>,
    /// Are the headers sent as they are, in place of joined by commas?
    raw: bool,
}

/// What comes of it: a status, and the headers for the service or for the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Came {
    status: i32,
    headers: Vec<(String, String)>,
}

impl Came {
    fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(key, _)| key == name);
        let value = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "{name} comes twice");
        value
    }
}

impl<'a> Said<'a> {
    fn bearer(token: &str, permissions: &'a str) -> Self {
        Self { permissions: Some(permissions), ..Self::with_header(&format!("Bearer {token}")) }
    }

    /// A request with this `Authorization` header.
    pub fn with_header(authorization: &str) -> Self {
        let headers = vec![("authorization", authorization.to_owned())];
        Self { source: "192.0.2.1", permissions: Some(READ), headers, raw: false }
    }

    fn from(self, source: &'a str) -> Self {
        Self { source, ..self }
    }

    fn with(mut self, name: &'a str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub fn question(&self) -> CheckRequest {
        let mut http = HttpRequest { method: "POST".to_owned(), ..HttpRequest::default() };
        if self.raw {
            let line = |(name, value): &(&str, String)| HeaderValue {
                key: (*name).to_owned(),
                raw_value: value.clone().into_bytes(),
                ..HeaderValue::default()
            };
            let headers = self.headers.iter().map(line).collect();
            http.header_map = Some(core::HeaderMap { headers });
        } else {
            for (name, value) in &self.headers {
                let joined = http.headers.entry((*name).to_owned()).or_default();
                *joined =
                    if joined.is_empty() { value.clone() } else { format!("{joined},{value}") };
            }
        }
        let socket = core::SocketAddress {
            address: self.source.to_owned(),
            ..core::SocketAddress::default()
        };
        let address = Some(core::Address { address: Some(Address::SocketAddress(socket)) });
        let extensions = self.permissions.map(|codes| ("permissions".to_owned(), codes.to_owned()));
        let attributes = AttributeContext {
            source: Some(Peer { address, ..Peer::default() }),
            request: Some(Request { http: Some(http), ..Request::default() }),
            context_extensions: extensions.into_iter().collect(),
            ..AttributeContext::default()
        };
        CheckRequest { attributes: Some(attributes) }
    }
}

async fn envoy(address: SocketAddr) -> AuthorizationClient<Channel> {
    AuthorizationClient::connect(format!("http://{address}")).await.unwrap()
}

/// An application that believes what Envoy on this machine says.
async fn with_envoy() -> TestApp {
    TestApp::with(Options {
        trusted_proxies: vec!["127.0.0.0/8", "10.0.0.0/8"],
        ..Options::default()
    })
    .await
}

/// Every header must replace what the client sent, even if it is empty.
fn read(option: HeaderValueOption) -> (String, String) {
    assert_eq!(option.append_action(), HeaderAppendAction::OverwriteIfExistsOrAdd);
    assert!(option.keep_empty_value);
    let header = option.header.unwrap();
    (header.key, header.value)
}

async fn asked(app: &TestApp, question: CheckRequest) -> Result<Came, Status> {
    asked_at(app.ext_authz, question).await
}

/// Asks the server at this address.
pub async fn asked_at(address: SocketAddr, question: CheckRequest) -> Result<Came, Status> {
    let answer = envoy(address).await.check(question).await?.into_inner();
    let passes = answer.status.unwrap().code == i32::from(Code::Ok);
    Ok(match answer.http_response.unwrap() {
        HttpResponse::OkResponse(ok) => {
            assert!(passes);
            Came { status: 200, headers: ok.headers.into_iter().map(read).collect() }
        }
        HttpResponse::DeniedResponse(denied) => {
            assert!(!passes);
            assert_eq!(denied.body, "");
            let headers = denied.headers.into_iter().map(read).collect();
            Came { status: denied.status.unwrap().code, headers }
        }
        HttpResponse::ErrorResponse(_) => panic!("an error"),
    })
}

async fn came(app: &TestApp, said: &Said<'_>) -> Came {
    asked(app, said.question()).await.unwrap()
}

/// What `/authorize` answers for the same client.
async fn authorized(app: &TestApp, said: &Said<'_>) -> Came {
    let query = said.permissions.unwrap_or_default().split_whitespace();
    let query: Vec<String> = query.map(|code| format!("permission={code}")).collect();
    let url = format!("http://{}/authorize?{}", app.address, query.join("&"));
    let mut request = app.http.get(url).header("x-forwarded-for", said.source);
    for (name, value) in &said.headers {
        request = request.header(*name, value);
    }
    let answer = request.send().await.unwrap();
    let text = |value: &reqwest::header::HeaderValue| value.to_str().unwrap().to_owned();
    let headers = answer.headers().iter().map(|(name, value)| (name.to_string(), text(value)));
    Came { status: answer.status().as_u16().into(), headers: headers.collect() }
}

const READ: &str = "api.organizations.read";

async fn made(app: &TestApp, name: &str, more: Value) -> String {
    app.secret(&app.admin, app.input(name, more)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn it_answers_as_authorize_does() {
    let app = with_envoy().await;
    let reader = made(&app, "Leser 1", json!({})).await;
    let bound = made(&app, "bound", json!({ "allowedAddresses": ["192.0.2.0/24"] })).await;
    let brief = made(&app, "brief", json!({ "expiry": app.in_time(TimeDelta::seconds(5)) })).await;
    app.clock.advance(TimeDelta::seconds(5));
    let other_scheme = || Said {
        source: "192.0.2.1",
        permissions: Some(READ),
        headers: vec![("authorization", "Basic dXNlcjpwYXNz".to_owned())],
        raw: false,
    };
    let cases = [
        (200, Said::bearer(&reader, READ)),
        (200, Said::bearer(&app.admin, "api.users.read api.api-tokens.read")),
        (200, Said::bearer(&bound, READ)),
        (401, Said { headers: Vec::new(), ..other_scheme() }),
        (401, other_scheme()),
        (401, Said::bearer("twr_x", READ)),
        (401, Said::bearer(&brief, READ)),
        (400, Said::bearer(&reader, "")),
        (400, Said { permissions: None, ..Said::bearer(&reader, READ) }),
        (400, Said::bearer(&reader, "api.orders.read")),
        (400, Said::bearer(&reader, "API_ORGANIZATIONS_READ")),
        (400, Said { raw: true, ..Said::bearer(&reader, READ).with("authorization", "Bearer x") }),
        (403, Said::bearer(&reader, "api.organizations.read api.organizations.write")),
        (403, Said::bearer(&bound, READ).from("192.0.3.1")),
        (403, Said::bearer(&bound, READ).from("2001:db8::1")),
        (403, Said::bearer(&bound, READ).from("::ffff:192.0.3.1")),
        (200, Said::bearer(&bound, READ).from("::ffff:192.0.2.1")),
    ];
    for (place, (status, said)) in cases.iter().enumerate() {
        let (by_grpc, by_http) = (came(&app, said).await, authorized(&app, said).await);
        assert_eq!((by_grpc.status, by_http.status), (*status, *status), "case {place}");
        for name in tokenwright::wire::identity::NAMES {
            assert_eq!(by_grpc.header(name), by_http.header(name), "case {place}: {name}");
            assert_eq!(by_grpc.header(name).is_some(), *status == 200, "case {place}: {name}");
        }
        let challenge = by_grpc.header("www-authenticate");
        assert_eq!(challenge, by_http.header("www-authenticate"), "case {place}");
        assert!(by_grpc.header("x-request-id").is_some_and(|id| !id.is_empty()), "case {place}");
        let cached = by_grpc.header("cache-control");
        assert_eq!(cached, (*status != 200).then_some("no-store"), "case {place}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_is_that_of_the_socket_unless_a_proxy_is_there() {
    let app = with_envoy().await;
    let bound = made(&app, "bound", json!({ "allowedAddresses": ["192.0.2.1"] })).await;
    let said = || Said::bearer(&bound, READ);
    let claims = ["x-forwarded-for", "forwarded", "x-real-ip", "x-envoy-external-address"];
    let claiming = |source| {
        let said =
            claims.iter().fold(said().from(source), |said, name| said.with(name, "192.0.2.1"));
        said.with("forwarded", "for=192.0.2.1")
    };
    for (status, said) in [
        (200, said()),
        (403, said().from("203.0.113.9")),
        (403, claiming("203.0.113.9")),
        (403, Said { raw: true, ..claiming("203.0.113.9") }),
        // The other end of the socket is a proxy, so its header counts, from the right.
        (200, said().from("10.0.0.1").with("x-forwarded-for", "192.0.2.1")),
        (200, said().from("10.0.0.1").with("x-forwarded-for", "192.0.2.1, 10.0.0.1")),
        (200, Said { raw: true, ..said().from("10.0.0.1").with("X-Forwarded-For", "192.0.2.1") }),
        (403, said().from("10.0.0.1").with("x-forwarded-for", "192.0.2.1, 203.0.113.9")),
        (403, said().from("10.0.0.1").with("x-forwarded-for", "garbage")),
        (403, said().from("10.0.0.1").with("forwarded", "for=192.0.2.1")),
        (403, said().from("10.0.0.1")),
        // No address at all.
        (403, said().from("")),
        (403, said().from("192.0.2.1:443")),
        (403, said().from("client.example")),
    ] {
        let (found, headers) = (came(&app, &said).await.status, &said.headers[1..]);
        assert_eq!(found, status, "{} {headers:?} raw: {}", said.source, said.raw);
    }
    let mut piped = said().question();
    let pipe = core::Pipe { path: "/run/envoy.sock".to_owned(), mode: 0 };
    let source = piped.attributes.as_mut().unwrap().source.as_mut().unwrap();
    source.address = Some(core::Address { address: Some(Address::Pipe(pipe)) });
    assert_eq!(asked(&app, piped).await.unwrap().status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_header_that_the_settings_name_is_the_one_that_counts() {
    let app = TestApp::with(Options {
        trusted_proxies: vec!["127.0.0.1/32", "10.0.0.0/8"],
        forwarded_header: ForwardedHeader::Forwarded,
        ..Options::default()
    })
    .await;
    let bound = made(&app, "bound", json!({ "allowedAddresses": ["192.0.2.1"] })).await;
    let said = Said::bearer(&bound, READ).from("10.0.0.1");
    assert_eq!(came(&app, &said.clone().with("forwarded", "for=192.0.2.1")).await.status, 200);
    assert_eq!(came(&app, &said.with("x-forwarded-for", "192.0.2.1")).await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_no_trusted_proxy_speaks_for_itself_only() {
    let app = TestApp::start().await;
    let bound = made(&app, "bound", json!({ "allowedAddresses": ["192.0.2.1"] })).await;
    let here = made(&app, "here", json!({ "allowedAddresses": ["127.0.0.1"] })).await;
    for raw in [false, true] {
        let claims = Said { raw, ..Said::bearer(&bound, READ).with("x-request-id", "forged") };
        let found = came(&app, &claims.with("x-forwarded-for", "192.0.2.1")).await;
        assert_eq!(found.status, 403);
        assert_ne!(found.header("x-request-id"), Some("forged"));
        assert_eq!(came(&app, &Said { raw, ..Said::bearer(&here, READ) }).await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn permissions_come_from_the_route_and_from_nowhere_else() {
    let app = with_envoy().await;
    let reader = made(&app, "reader", json!({})).await;
    let forged = Said::bearer(&reader, "api.organizations.write")
        .with("permissions", READ)
        .with("x-tokenwright-permissions", READ)
        .with("x-permission", READ);
    assert_eq!(came(&app, &forged).await.status, 403);
    let mut question = forged.question();
    let attributes = question.attributes.as_mut().unwrap();
    let http = attributes.request.as_mut().unwrap().http.as_mut().unwrap();
    http.path = format!("/?permission={READ}");
    http.query = format!("permission={READ}");
    assert_eq!(asked(&app, question).await.unwrap().status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_ends_is_refused_on_the_same_connection() {
    let app = with_envoy().await;
    let answer = app.create(&app.admin, app.input("brief", json!({}))).await;
    let created = &answer.data()["createApiToken"];
    let (secret, id) = (created["token"].as_str().unwrap(), &created["apiToken"]["id"]);
    let question = Said::bearer(secret, READ).question();
    let mut envoy = envoy(app.ext_authz).await;
    let first = envoy.check(question.clone()).await.unwrap().into_inner();
    assert_eq!(first.status.unwrap().code, i32::from(Code::Ok));
    let delete = "mutation ($id: ID!) { deleteApiToken(input: { id: $id }) { deletedApiTokenId } }";
    app.graphql(&app.admin, delete, json!({ "id": id })).await.data();
    let second = envoy.check(question).await.unwrap().into_inner();
    assert_eq!(second.status.unwrap().code, i32::from(Code::Unauthenticated));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_says_nothing_of_a_request_does_not_pass() {
    let app = with_envoy().await;
    let empty = CheckRequest::default();
    assert_eq!(asked(&app, empty).await.unwrap().status, 401);
    let empty = CheckRequest { attributes: Some(AttributeContext::default()) };
    assert_eq!(asked(&app, empty).await.unwrap().status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_is_too_large_is_not_read() {
    let app = with_envoy().await;
    let reader = made(&app, "reader", json!({})).await;
    let said = |size| Said::bearer(&reader, READ).with("x-large", &"x".repeat(size)).question();
    assert_eq!(asked(&app, said(200 * 1024)).await.unwrap().status, 200);
    let refused = asked(&app, said(300 * 1024)).await.unwrap_err();
    assert_eq!(refused.code(), Code::OutOfRange, "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_connects_and_says_nothing_is_not_waited_for() {
    let app =
        TestApp::with(Options { request_timeout: Duration::from_secs(1), ..Options::default() })
            .await;
    let address = app.ext_authz;
    let read = tokio::task::spawn_blocking(move || {
        let mut connection = TcpStream::connect(address).unwrap();
        connection.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        connection.read_to_end(&mut Vec::new())
    });
    let held =
        read.await.unwrap().is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
    assert!(!held, "the server holds the connection");
}
