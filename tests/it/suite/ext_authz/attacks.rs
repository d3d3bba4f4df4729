//! What somebody tries who wants to get past Envoy.

use envoy_types::ext_authz::v3::pb::{Address, CheckRequest, HeaderValue};
use envoy_types::pb::envoy::config::core::v3 as core;
use envoy_types::pb::envoy::service::auth::v3::attribute_context::{HttpRequest, Peer};
use serde_json::json;
use tonic::Request;

use super::{READ, asked, came, made, with_envoy};
use crate::support::{Envoy, Said, TestApp, made as made_token};

const WRITE: &str = "api.organizations.write";

/// A question with something changed in it.
fn changed(said: &Said<'_>, change: impl FnOnce(&mut CheckRequest)) -> CheckRequest {
    let mut question = said.question();
    change(&mut question);
    question
}

fn http(question: &mut CheckRequest) -> &mut HttpRequest {
    let attributes = question.attributes.as_mut().unwrap();
    attributes.request.as_mut().unwrap().http.as_mut().unwrap()
}

fn line(name: &str, value: &str) -> HeaderValue {
    let (key, raw_value) = (name.to_owned(), value.as_bytes().to_vec());
    HeaderValue { key, raw_value, ..HeaderValue::default() }
}

/// Two values are no choice for the client: none of them counts.
#[tokio::test(flavor = "multi_thread")]
async fn several_authorizations_are_refused_in_every_form() {
    let app = with_envoy().await;
    let good = format!("Bearer {}", made(&app, "reader", json!({})).await);
    let said = |values: &[&str], raw| {
        let said = Said { permissions: Some(READ), raw, ..Said::default() }.from("192.0.2.1");
        values.iter().fold(said, |said, value| said.with("authorization", value))
    };
    for raw in [false, true] {
        assert_eq!(came(&app, &said(&[&good], raw)).await.status, 200);
        for values in [
            [&good, "Bearer x"],
            ["Bearer x", &good],
            [&good, &good],
            [&good, ""],
            [&good, "Basic dXNlcjpwYXNz"],
            ["Basic dXNlcjpwYXNz", &good],
        ] {
            let status = came(&app, &said(&values, raw)).await.status;
            assert!([400, 401].contains(&status), "{status} {values:?} raw: {raw}");
        }
    }
    // One in each form, and in another spelling.
    for name in ["authorization", "Authorization", "AUTHORIZATION"] {
        for (joined, alone) in [(&*good, "Bearer x"), ("Bearer x", &*good), (&*good, &*good)] {
            let question = changed(&said(&[joined], false), |question| {
                let headers = vec![line(name, alone)];
                http(question).header_map = Some(core::HeaderMap { headers });
            });
            assert_eq!(asked(&app, question).await.status, 400, "{name}");
        }
    }
    // Names that only look alike name another header.
    for name in ["authorization ", "authorization_", "x-authorization", "proxy-authorization"] {
        assert_eq!(came(&app, &said(&[], true).with(name, &good)).await.status, 401, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_says_no_address_is_no_address() {
    let app = with_envoy().await;
    let bound = made(&app, "bound", json!({ "allowedAddresses": ["192.0.2.1"] })).await;
    let any = made(&app, "any", json!({ "allowedAddresses": ["0.0.0.0/0", "::/0"] })).await;
    let free = made(&app, "free", json!({})).await;
    let claims = |token: &str| {
        let said = Said::bearer(token, READ).with("x-forwarded-for", "192.0.2.1");
        said.with("x-real-ip", "192.0.2.1").with("x-envoy-external-address", "192.0.2.1")
    };
    let none: [fn(&mut Option<Peer>); 4] = [
        |source| *source = None,
        |source| *source = Some(Peer::default()),
        |source| source.as_mut().unwrap().address = Some(core::Address::default()),
        |source| {
            let internal = core::EnvoyInternalAddress::default();
            let address = Some(Address::EnvoyInternalAddress(internal));
            source.as_mut().unwrap().address = Some(core::Address { address });
        },
    ];
    for (token, status) in [(&bound, 403), (&any, 403), (&free, 200)] {
        for (place, change) in none.iter().enumerate() {
            let question = changed(&claims(token), |question| {
                change(&mut question.attributes.as_mut().unwrap().source);
            });
            assert_eq!(asked(&app, question).await.status, status, "{place}");
        }
        for source in [
            " 192.0.2.1",
            "192.0.2.1 ",
            "192.0.2.1\0",
            "192.0.2.1,192.0.2.1",
            "192.0.2.1/32",
            "192.0.2.01",
            "0xc0000201",
            "3221225985",
            "192.0.2.1%eth0",
            "[192.0.2.1]",
            "::1%lo",
            "10.0.0.1 ",
            "localhost",
        ] {
            let found = came(&app, &claims(token).from(source)).await.status;
            assert_eq!(found, status, "{source:?}");
        }
    }
    // The names of the peer, and where it connected to, say nothing of its address.
    let question = changed(&claims(&bound).from("203.0.113.9"), |question| {
        let attributes = question.attributes.as_mut().unwrap();
        let socket = core::SocketAddress {
            address: "192.0.2.1".to_owned(),
            ..core::SocketAddress::default()
        };
        let address = Some(core::Address { address: Some(Address::SocketAddress(socket)) });
        attributes.destination = Some(Peer { address, ..Peer::default() });
        let source = attributes.source.as_mut().unwrap();
        source.service = "192.0.2.1".to_owned();
        source.principal = "192.0.2.1".to_owned();
        source.labels.insert("address".to_owned(), "192.0.2.1".to_owned());
    });
    assert_eq!(asked(&app, question).await.status, 403);
}

/// What a route needs is in one key. Without it, nothing passes.
#[tokio::test(flavor = "multi_thread")]
async fn only_one_extension_of_the_route_counts() {
    let app = with_envoy().await;
    let reader = made(&app, "reader", json!({})).await;
    for (extensions, status) in [
        (vec![("permissions", READ)], 200),
        (vec![("permissions", READ), ("other", WRITE)], 200),
        (vec![("permissions", "  api.organizations.read \t api.organizations.read\n")], 200),
        (vec![], 400),
        (vec![("permissions", "")], 400),
        (vec![("permissions", " \t\n")], 400),
        (vec![("permission", READ)], 400),
        (vec![("Permissions", READ)], 400),
        (vec![("PERMISSIONS", READ)], 400),
        (vec![("virtual_host", READ)], 400),
        (vec![("permissions", "api.organizations.read,api.users.read")], 400),
        (vec![("permissions", "api.organizations.read+api.organizations.write")], 400),
        (vec![("permissions", "api.organizations.*")], 400),
        (vec![("permissions", "*")], 400),
        (vec![("permissions", "API_ORGANIZATIONS_READ")], 400),
        (vec![("permissions", "api.organizations.read\0")], 400),
        (vec![("permissions", "api.organizations.read\u{a0}api.organizations.read")], 400),
        (vec![("permissions", WRITE), ("permission", READ)], 403),
    ] {
        let said = Said { permissions: None, ..Said::bearer(&reader, READ) };
        let question = changed(&said, |question| {
            let all = &mut question.attributes.as_mut().unwrap().context_extensions;
            *all = extensions
                .iter()
                .map(|(key, value)| (key.to_string(), value.to_string()))
                .collect();
        });
        assert_eq!(asked(&app, question).await.status, status, "{extensions:?}");
    }
    // As many as fit into a question, and one that the token lacks at the end.
    let many = format!("{} {WRITE}", [READ; 5_000].join(" "));
    assert_eq!(
        came(&app, &Said { permissions: Some(&many), ..Said::bearer(&reader, READ) }).await.status,
        403
    );
}

/// The headers of gRPC itself are those of whoever asks, not of the client: nothing is read there.
#[tokio::test(flavor = "multi_thread")]
async fn headers_of_the_question_itself_say_nothing() {
    let app = with_envoy().await;
    let reader = made(&app, "reader", json!({})).await;
    let bound = made(&app, "bound", json!({ "allowedAddresses": ["192.0.2.1"] })).await;
    let envoy = Envoy::of(&app).await;
    let with = |said: Said<'_>, token: &str| {
        let mut request = Request::new(said.question());
        for (name, value) in [
            ("authorization", format!("Bearer {token}")),
            ("x-forwarded-for", "192.0.2.1".to_owned()),
            ("forwarded", "for=192.0.2.1".to_owned()),
            ("permissions", READ.to_owned()),
            ("x-request-id", "forged".to_owned()),
        ] {
            request.metadata_mut().insert(name, value.parse().unwrap());
        }
        request
    };
    let nobody = || Said { source: "203.0.113.9", permissions: Some(READ), ..Said::default() };
    assert_eq!(envoy.check(with(nobody(), &reader)).await.unwrap().status, 401);
    let elsewhere = Said::bearer(&bound, READ).from("203.0.113.9");
    assert_eq!(envoy.check(with(elsewhere, &bound)).await.unwrap().status, 403);
    let nothing = Said { permissions: None, ..Said::bearer(&reader, READ) };
    assert_eq!(envoy.check(with(nothing, &reader)).await.unwrap().status, 400);
    let passes = envoy.check(with(Said::bearer(&reader, READ), &reader)).await.unwrap();
    assert_ne!(passes.header("x-request-id"), Some("forged"));
}

/// What the service behind learns is what is stored, whatever the client claims.
#[tokio::test(flavor = "multi_thread")]
async fn every_claim_of_an_identity_is_replaced() {
    let app = with_envoy().await;
    let token = made_token(&app, "reader", json!({})).await;
    let names = tokenwright::wire::identity::NAMES;
    for raw in [false, true] {
        let said = Said { raw, ..Said::bearer(&token.secret, READ) };
        let said = names.iter().fold(said, |said, name| said.with(name, "forged"));
        let answer = came(&app, &said).await;
        assert_eq!(answer.status, 200);
        for name in names {
            assert!(answer.header(name).is_some_and(|value| value != "forged"), "{name}");
        }
        assert_eq!(answer.header("x-tokenwright-user-id"), Some(&*token.user_id));
        assert_eq!(answer.header("x-tokenwright-labels"), Some(""));
    }
}

/// Without its database, nothing passes, and nobody is told why.
#[tokio::test(flavor = "multi_thread")]
async fn without_its_database_nothing_passes() {
    let app: TestApp = with_envoy().await;
    let reader = made(&app, "reader", json!({})).await;
    let said = Said::bearer(&reader, READ);
    assert_eq!(came(&app, &said).await.status, 200);
    app.database.execute("ALTER TABLE users RENAME TO gone");
    let answer = came(&app, &said).await;
    assert_eq!(answer.status, 503);
    assert!(answer.header("retry-after").is_some());
}
