//! Client addresses: one table, through every surface. Where the address comes with the request,
//! from a header that a trusted proxy wrote; where it comes as a parameter, as it is.

use std::collections::HashMap;

use reqwest::RequestBuilder;
use serde_json::json;
use tokenwright::wire::forwarded::ForwardedHeader;

use super::{Told, VERIFY, VERIFY_ALL, authorized, came, input, introspected, verification};
use crate::support::{Answer, Envoy, Options, Said, TestApp, made};

const XFF: &str = "x-forwarded-for";
const FWD: &str = "forwarded";
const CODE: &str = "api.api-tokens.read";
const PROXIES: [&str; 3] = ["127.0.0.0/8", "10.0.0.0/8", "2001:db8:aaaa::/48"];

/// A request from a peer at 127.0.0.1.
struct Case {
    /// Whether that peer is a trusted proxy, and then which header counts.
    trusts: Option<ForwardedHeader>,
    lines: &'static [(&'static str, &'static str)],
    /// Whose address that is; `unknown` if it cannot be told.
    client: &'static str,
}

const fn nobody(lines: &'static [(&'static str, &'static str)], client: &'static str) -> Case {
    Case { trusts: None, lines, client }
}

const fn xff(lines: &'static [(&'static str, &'static str)], client: &'static str) -> Case {
    Case { trusts: Some(ForwardedHeader::XForwardedFor), lines, client }
}

const fn fwd(lines: &'static [(&'static str, &'static str)], client: &'static str) -> Case {
    Case { trusts: Some(ForwardedHeader::Forwarded), lines, client }
}

const CASES: &[Case] = &[
    // Nobody is trusted: no header counts.
    nobody(&[], "127.0.0.1"),
    nobody(&[(XFF, "192.0.2.1")], "127.0.0.1"),
    nobody(&[(FWD, "for=192.0.2.1")], "127.0.0.1"),
    nobody(&[("x-real-ip", "192.0.2.1")], "127.0.0.1"),
    nobody(&[("x-client-ip", "192.0.2.1")], "127.0.0.1"),
    nobody(&[("true-client-ip", "192.0.2.1")], "127.0.0.1"),
    nobody(&[("cf-connecting-ip", "192.0.2.1")], "127.0.0.1"),
    nobody(&[("x-envoy-external-address", "192.0.2.1")], "127.0.0.1"),
    nobody(&[(XFF, "junk")], "127.0.0.1"),
    nobody(&[(XFF, "192.0.2.1"), (FWD, "for=192.0.2.1"), ("x-real-ip", "192.0.2.1")], "127.0.0.1"),
    // From the right, proxies are passed over.
    xff(&[], "127.0.0.1"),
    xff(&[(XFF, "192.0.2.1")], "192.0.2.1"),
    xff(&[(XFF, "192.0.2.1, 10.0.0.9")], "192.0.2.1"),
    xff(&[(XFF, "192.0.2.1,10.0.0.9,10.1.2.3")], "192.0.2.1"),
    xff(&[(XFF, "192.0.2.1"), (XFF, "10.0.0.9")], "192.0.2.1"),
    xff(&[(XFF, "203.0.113.7,192.0.2.1"), (XFF, "10.1.1.1 ,10.0.0.9")], "192.0.2.1"),
    xff(&[(XFF, "192.0.2.1, 203.0.113.7")], "203.0.113.7"),
    xff(&[(XFF, "192.0.2.1, 203.0.113.7, 10.0.0.9")], "203.0.113.7"),
    xff(&[(XFF, "127.0.0.1, 192.0.2.1")], "192.0.2.1"),
    xff(&[(XFF, "10.0.0.8, 10.0.0.9")], "10.0.0.8"),
    xff(&[(XFF, "192.0.2.1, 127.0.0.1")], "192.0.2.1"),
    // A client's own lines are on the left, and change nothing.
    xff(&[(XFF, "192.0.2.9, 203.0.113.7")], "203.0.113.7"),
    xff(&[(XFF, "192.0.2.9"), (XFF, "203.0.113.7")], "203.0.113.7"),
    xff(&[(XFF, "junk, \"x, 192.0.2.1, 10.0.0.9")], "192.0.2.1"),
    xff(&[(XFF, "junk"), (XFF, "192.0.2.1")], "192.0.2.1"),
    xff(&[(XFF, "203.0.113.7"), (FWD, "for=192.0.2.1"), ("x-real-ip", "192.0.2.1")], "203.0.113.7"),
    xff(&[(FWD, "for=192.0.2.1")], "127.0.0.1"),
    xff(&[("x-real-ip", "192.0.2.1")], "127.0.0.1"),
    // Spellings.
    xff(&[(XFF, "192.0.2.1:4711")], "192.0.2.1"),
    xff(&[(XFF, "192.0.2.1:_p")], "192.0.2.1"),
    xff(&[(XFF, " 192.0.2.1\t")], "192.0.2.1"),
    xff(&[(XFF, "192.0.2.1,")], "192.0.2.1"),
    xff(&[(XFF, "192.0.2.1, , 10.0.0.9 ,,")], "192.0.2.1"),
    xff(&[(XFF, ""), (XFF, " , ")], "127.0.0.1"),
    xff(&[(XFF, "::ffff:192.0.2.1")], "192.0.2.1"),
    xff(&[(XFF, "[::ffff:192.0.2.1]:80")], "192.0.2.1"),
    xff(&[(XFF, "192.0.2.1, ::ffff:10.0.0.9")], "192.0.2.1"),
    xff(&[(XFF, "2001:db8::7")], "2001:db8::7"),
    xff(&[(XFF, "2001:DB8:0:0::7")], "2001:db8::7"),
    xff(&[(XFF, "[2001:db8::7]:4711")], "2001:db8::7"),
    xff(&[(XFF, "2001:db8::7, 2001:db8:aaaa::1")], "2001:db8::7"),
    xff(&[(XFF, "2001:db8:1::7")], "2001:db8:1::7"),
    xff(&[(XFF, "::1")], "::1"),
    // What cannot be read on the way to the client hides it.
    xff(&[(XFF, "junk")], "unknown"),
    xff(&[(XFF, "unknown")], "unknown"),
    xff(&[(XFF, "_hidden")], "unknown"),
    xff(&[(XFF, "192.0.2.1, junk")], "unknown"),
    xff(&[(XFF, "192.0.2.1"), (XFF, "junk")], "unknown"),
    xff(&[(XFF, "192.0.2.1, junk, 10.0.0.9")], "unknown"),
    xff(&[(XFF, "192.0.2.01")], "unknown"),
    xff(&[(XFF, "192.0.2.256")], "unknown"),
    xff(&[(XFF, "192.0.2")], "unknown"),
    xff(&[(XFF, "0xc0000201")], "unknown"),
    xff(&[(XFF, "3221225985")], "unknown"),
    xff(&[(XFF, "192.0.2.1:99999")], "unknown"),
    xff(&[(XFF, "192.0.2.1:")], "unknown"),
    xff(&[(XFF, "fe80::1%eth0")], "unknown"),
    xff(&[(XFF, "192.0.2.0/24")], "unknown"),
    xff(&[(XFF, "for=192.0.2.1")], "unknown"),
    xff(&[(XFF, "localhost")], "unknown"),
    // The standard header, where it is set.
    fwd(&[(FWD, "for=192.0.2.1")], "192.0.2.1"),
    fwd(&[(FWD, "For=\"192.0.2.1:4711\";proto=https")], "192.0.2.1"),
    fwd(&[(FWD, "for=192.0.2.1, for=10.0.0.9;by=10.0.0.1")], "192.0.2.1"),
    fwd(&[(FWD, "for=192.0.2.1, for=203.0.113.7")], "203.0.113.7"),
    fwd(&[(FWD, "for=junk, for=192.0.2.1")], "192.0.2.1"),
    fwd(&[(FWD, "for=\"[2001:db8::7]:4711\"")], "2001:db8::7"),
    fwd(&[(FWD, "for=\"[::ffff:192.0.2.1]\"")], "192.0.2.1"),
    fwd(&[(FWD, "for=192.0.2.1"), (FWD, "for=10.0.0.9")], "192.0.2.1"),
    fwd(&[(FWD, "for=2001:db8::7")], "unknown"),
    fwd(&[(FWD, "for=unknown")], "unknown"),
    fwd(&[(FWD, "proto=https")], "unknown"),
    fwd(&[(FWD, "192.0.2.1")], "unknown"),
    fwd(&[(XFF, "192.0.2.1")], "127.0.0.1"),
    fwd(&[(FWD, "for=203.0.113.7"), (XFF, "192.0.2.1")], "203.0.113.7"),
];

/// Lists of allowed addresses, and which clients of the table they let in.
const LISTS: &[(&[&str], &[&str])] = &[
    (&["192.0.2.0/24", "2001:db8::/64"], &["192.0.2.1", "2001:db8::7"]),
    (&["127.0.0.1"], &["127.0.0.1"]),
    (
        &["0.0.0.0/0", "::/0"],
        &[
            "127.0.0.1",
            "192.0.2.1",
            "203.0.113.7",
            "10.0.0.8",
            "2001:db8::7",
            "2001:db8:1::7",
            "::1",
        ],
    ),
];

/// Applications by whom they trust.
struct Apps(Vec<(Option<ForwardedHeader>, Asked)>);

/// An application with a token for each list, and an Envoy at 127.0.0.1.
struct Asked {
    app: TestApp,
    envoy: Envoy,
    tokens: Vec<String>,
}

impl Apps {
    async fn start() -> Self {
        let mut apps = Vec::new();
        let headers = [ForwardedHeader::XForwardedFor, ForwardedHeader::Forwarded];
        for trusts in [None].into_iter().chain(headers.map(Some)) {
            let app = TestApp::with(Options {
                trusted_proxies: trusts.map_or_else(Vec::new, |_| PROXIES.to_vec()),
                forwarded_header: trusts.unwrap_or(ForwardedHeader::XForwardedFor),
                ..Options::default()
            })
            .await;
            let mut tokens = Vec::new();
            for (list, _) in LISTS {
                let more =
                    json!({ "permissions": ["API_API_TOKENS_READ"], "allowedAddresses": list });
                tokens.push(made(&app, &format!("{list:?}"), more).await.secret);
            }
            let envoy = Envoy::of(&app).await;
            apps.push((trusts, Asked { app, envoy, tokens }));
        }
        Self(apps)
    }

    fn of(&self, case: &Case) -> &Asked {
        let mut apps = self.0.iter();
        &apps.find(|(trusts, ..)| *trusts == case.trusts).unwrap().1
    }
}

/// What is said to a request that the token itself makes.
async fn by_header(
    app: &TestApp,
    token: &str,
    lines: &[(&str, &str)],
) -> HashMap<&'static str, Told> {
    let with = |request: RequestBuilder| {
        let request = request.bearer_auth(token);
        lines.iter().fold(request, |request, (name, value)| request.header(*name, *value))
    };
    let get = |target: String| with(app.http.get(format!("http://{}{target}", app.address)));
    let query = authorized(get(format!("/authorize?permission={CODE}"))).await;
    let path = authorized(get(format!("/authorize/permissions/{CODE}/x"))).await;
    let graphql = with(app.post().body(r#"{"query":"{ currentUser { id } }"}"#));
    let graphql = Answer::of(graphql.send().await.unwrap()).await;
    let introspect = with(app.http.post(format!("http://{}/oauth2/introspect", app.address)));
    let introspect = introspect.header("content-type", "application/x-www-form-urlencoded");
    let introspect = Answer::of(introspect.body("token=x").send().await.unwrap()).await;
    let caller = |answer: &Answer| match answer.status.as_u16() {
        200 => Told::Allowed,
        403 => Told::Address,
        other => panic!("{other}: {}", answer.text),
    };
    HashMap::from([
        ("/authorize by query", query),
        ("/authorize by path", path),
        ("/graphql", caller(&graphql)),
        ("/oauth2/introspect", caller(&introspect)),
    ])
}

/// What is said to another caller who names the client's address.
async fn by_parameter(app: &TestApp, token: &str, client: &str) -> HashMap<&'static str, Told> {
    let client = Some(client).filter(|client| *client != "unknown");
    let input = input(token, &[CODE], client);
    let one = app.graphql(&app.admin, VERIFY, json!({ "input": input })).await;
    let all = json!({ "input": { "tokens": [input] } });
    let all = app.graphql(&app.admin, VERIFY_ALL, all).await;
    let active = introspected(app, &app.admin, token, &[CODE], client).await;
    HashMap::from([
        ("verifyApiToken", verification(&one.data()["verifyApiToken"])),
        ("verifyApiTokens", verification(&all.data()["verifyApiTokens"]["verifications"][0])),
        ("client_address", if active { Told::Allowed } else { Told::Address }),
    ])
}

/// What Envoy is told. Its own client is the peer of the other surfaces, or, where it is believed,
/// the client itself.
async fn by_envoy(envoy: &Envoy, token: &str, case: &Case) -> Vec<(&'static str, Told)> {
    let bearer = Said::bearer(token, CODE).from("127.0.0.1");
    let with_lines = case.lines.iter().fold(bearer, |said, (name, value)| said.with(name, value));
    let as_they_are = Said { raw: true, ..with_lines.clone() };
    let mut all = vec![("gRPC", with_lines), ("gRPC, headers as they are", as_they_are)];
    if case.trusts.is_some() {
        let client = Some(case.client).filter(|client| *client != "unknown");
        let own = Said::bearer(token, CODE).from(client.unwrap_or_default());
        all.push(("gRPC, the client itself", own));
    }
    let mut told = Vec::new();
    for (surface, said) in all {
        told.push((surface, came(&envoy.ask(&said).await)));
    }
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_has_one_address_on_every_surface() {
    assert!(CASES.len() >= 60, "{}", CASES.len());
    let apps = Apps::start().await;
    for case in CASES {
        let Asked { app, envoy, tokens } = apps.of(case);
        for (token, (list, clients)) in tokens.iter().zip(LISTS) {
            let passes = clients.contains(&case.client);
            let expected = if passes { Told::Allowed } else { Told::Address };
            let told = by_header(app, token, case.lines).await;
            let told = told.into_iter().chain(by_parameter(app, token, case.client).await);
            let told = told.chain(by_envoy(envoy, token, case).await);
            for (surface, told) in told {
                assert_eq!(told, expected, "{surface}: {:?} for {list:?}", case.lines);
            }
        }
    }
}
