//! Envoy's `ext_authz` over gRPC: the same decisions as `/authorize`, for what Envoy says of a
//! request.

mod attacks;
mod connections;

use chrono::TimeDelta;
use envoy_types::ext_authz::v3::pb::{Address, CheckRequest};
use envoy_types::pb::envoy::config::core::v3 as core;
use envoy_types::pb::envoy::service::auth::v3::AttributeContext;
use serde_json::{Value, json};
use tokenwright::wire::forwarded::ForwardedHeader;

use crate::support::{Came, Envoy, Options, Said, TestApp};

/// An application that believes what Envoy on this machine says.
async fn with_envoy() -> TestApp {
    TestApp::with(Options {
        trusted_proxies: vec!["127.0.0.0/8", "10.0.0.0/8"],
        ..Options::default()
    })
    .await
}

async fn came(app: &TestApp, said: &Said<'_>) -> Came {
    Envoy::of(app).await.ask(said).await
}

async fn asked(app: &TestApp, question: CheckRequest) -> Came {
    Envoy::of(app).await.check(question).await.unwrap()
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
    assert_eq!(asked(&app, piped).await.status, 403);
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
    assert_eq!(asked(&app, question).await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_ends_is_refused_on_the_same_connection() {
    let app = with_envoy().await;
    let answer = app.create(&app.admin, app.input("brief", json!({}))).await;
    let created = &answer.data()["createApiToken"];
    let (secret, id) = (created["token"].as_str().unwrap(), &created["apiToken"]["id"]);
    let envoy = Envoy::of(&app).await;
    let said = Said::bearer(secret, READ);
    assert_eq!(envoy.ask(&said).await.status, 200);
    let delete = "mutation ($id: ID!) { deleteApiToken(input: { id: $id }) { deletedApiTokenId } }";
    app.graphql(&app.admin, delete, json!({ "id": id })).await.data();
    assert_eq!(envoy.ask(&said).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_says_nothing_of_a_request_does_not_pass() {
    let app = with_envoy().await;
    let empty = CheckRequest::default();
    assert_eq!(asked(&app, empty).await.status, 401);
    let empty = CheckRequest { attributes: Some(AttributeContext::default()) };
    assert_eq!(asked(&app, empty).await.status, 401);
}
