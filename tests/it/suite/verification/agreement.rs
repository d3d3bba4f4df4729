//! All surfaces, asked about the same token, permissions and address, give one verdict; and it is
//! that of a model that knows nothing of the code.

use std::collections::HashMap;
use std::net::IpAddr;

use chrono::TimeDelta;
use ipnet::IpNet;
use serde_json::{Value, json};

use super::{Told, VERIFY, VERIFY_ALL, authorized, came, input, introspected, verification};
use crate::suite::authentication::{unknown, wrong};
use crate::support::{Envoy, Options, Random, Said, TestApp, made};

const TRIPLES: usize = 1_000;
const CODES: [&str; 4] =
    ["api.organizations.read", "api.users.read", "api.users.write", "api.api-tokens.read"];
const CLIENTS: [Option<&str>; 10] = [
    None,
    Some("192.0.2.1"),
    Some("192.0.2.200"),
    Some("::ffff:192.0.2.1"),
    Some("192.0.3.1"),
    Some("203.0.113.9"),
    Some("2001:db8::1"),
    Some("2001:db8:0:1::1"),
    Some("::1"),
    Some("127.0.0.1"),
];

/// A secret, and what a model needs to know of it.
struct Known {
    secret: String,
    /// Its token can be used, from somewhere, for something.
    is_usable: bool,
    codes: Vec<&'static str>,
    networks: Vec<IpNet>,
}

impl Known {
    fn told(&self, codes: &[&str], client: Option<&str>) -> Told {
        let client: Option<IpAddr> = client.map(|text| text.parse().unwrap());
        let client = client.map(|address| match address {
            IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
            IpAddr::V4(_) => address,
        });
        let inside = |address: IpAddr| self.networks.iter().any(|net| net.contains(&address));
        if !self.is_usable {
            Told::Invalid
        } else if !self.networks.is_empty() && !client.is_some_and(inside) {
            Told::Address
        } else if codes.iter().any(|code| !self.codes.contains(code)) {
            Told::Permission
        } else {
            Told::Allowed
        }
    }
}

/// Tokens with every set of permissions and several lists of addresses, and secrets that cannot be
/// used.
async fn known(app: &TestApp) -> Vec<Known> {
    let lists: [&[&str]; 5] = [
        &[],
        &["192.0.2.0/25"],
        &["192.0.2.1", "2001:db8::/64"],
        &["::1", "127.0.0.0/8"],
        &["0.0.0.0/0"],
    ];
    let mut all = Vec::new();
    for set in 1..1_usize << CODES.len() {
        let codes: Vec<&str> =
            CODES.iter().enumerate().filter(|(n, _)| set >> n & 1 == 1).map(|(_, c)| *c).collect();
        let list = lists[set % lists.len()];
        let more = json!({
            "permissions": input("", &codes, None)["permissions"], "allowedAddresses": list
        });
        let token = made(app, &format!("set {set}"), more).await;
        let networks = list.iter().map(|text| {
            text.parse().unwrap_or_else(|_| IpNet::from(text.parse::<IpAddr>().unwrap()))
        });
        let networks = networks.collect();
        all.push(Known { secret: token.secret, is_usable: true, codes, networks });
    }
    let dead = |secret| Known { secret, is_usable: false, codes: CODES.into(), networks: vec![] };
    let soon = json!({ "expiry": app.in_time(TimeDelta::seconds(60)) });
    let expired = made(app, "expired", soon).await.secret;
    app.clock.advance(TimeDelta::seconds(60));
    let disabled = made(app, "disabled", json!({})).await.secret;
    let deleted = made(app, "deleted", json!({})).await;
    app.database.execute("UPDATE api_tokens SET enabled = FALSE WHERE name = 'disabled'");
    let delete = format!(
        "mutation {{ deleteApiToken(input: {{ id: \"{}\" }}) {{ deletedApiTokenId }} }}",
        deleted.id
    );
    app.query(&app.admin, &delete).await.data();
    let invented = [wrong(&all[0].secret), unknown(app), "nonsense".to_owned()];
    all.extend([expired, disabled, deleted.secret].into_iter().chain(invented).map(dead));
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_questions_have_one_answer_each() {
    let options = Options {
        trusted_proxies: vec!["127.0.0.1/32"],
        authorize_needs_permission: false,
        ..Options::default()
    };
    let app = TestApp::with(options).await;
    let known = known(&app).await;
    let envoy = Envoy::of(&app).await;
    let mut random = Random::new(13);
    let mut seen: HashMap<Told, usize> = HashMap::new();
    let mut batch: Vec<(Value, Told)> = Vec::new();
    for _ in 0..TRIPLES {
        let token = random.one_of(&known);
        let (codes, client) = (random.some_of(&CODES), *random.one_of(&CLIENTS));
        let expected = token.told(&codes, client);
        let about = format!("{expected:?}: {codes:?} from {client:?}");
        let query: Vec<String> = codes.iter().map(|code| format!("permission={code}")).collect();
        let mut targets = vec![format!("/authorize?{}", query.join("&"))];
        if !codes.is_empty() {
            targets.push(format!("/authorize/permissions/{}/x", codes.join("+")));
        }
        for target in targets {
            let request = app.http.get(format!("http://{}{target}", app.address));
            let request = request.header("x-forwarded-for", client.unwrap_or("unknown"));
            let told = authorized(request.bearer_auth(&token.secret)).await;
            assert_eq!(told, expected, "{target} {about}");
        }
        let needed = codes.join(" ");
        let said = Said::bearer(&token.secret, &needed).from(client.unwrap_or_default());
        for raw in [false, true] {
            let told = came(&envoy.ask(&Said { raw, ..said.clone() }).await);
            assert_eq!(told, expected, "gRPC {about}");
        }
        let active = introspected(&app, &app.admin, &token.secret, &codes, client).await;
        assert_eq!(active, expected == Told::Allowed, "introspection {about}");
        let input = input(&token.secret, &codes, client);
        let answer = app.graphql(&app.admin, VERIFY, json!({ "input": input })).await;
        assert_eq!(verification(&answer.data()["verifyApiToken"]), expected, "GraphQL {about}");
        *seen.entry(expected).or_default() += 1;
        batch.push((input, expected));
    }
    for batch in batch.chunks(100) {
        let inputs: Vec<&Value> = batch.iter().map(|(input, _)| input).collect();
        let variables = json!({ "input": { "tokens": inputs } });
        let answer = app.graphql(&app.admin, VERIFY_ALL, variables).await;
        let told = answer.data()["verifyApiTokens"]["verifications"].as_array().unwrap();
        let told: Vec<Told> = told.iter().map(verification).collect();
        assert_eq!(told, batch.iter().map(|(_, expected)| *expected).collect::<Vec<_>>());
    }
    assert_eq!(seen.len(), 4, "{seen:?}");
    assert!(seen.values().all(|count| *count >= TRIPLES / 20), "{seen:?}");
}
