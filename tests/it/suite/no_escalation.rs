//! No escalation: whatever its grant, a token makes no token that reaches further than itself,
//! neither by creating one nor by changing or renewing another one.

mod grant;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::TimeDelta;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::support::{Answer, Made, Options, TestApp, made};
use grant::{ADDRESSES, Grant, PERMISSIONS};

/// Sends a document as a client with this address.
async fn from(app: &TestApp, address: &str, token: &str, body: Value) -> Answer {
    let request = app.post().bearer_auth(token).header("x-forwarded-for", address);
    Answer::of(request.body(body.to_string()).send().await.unwrap()).await
}

/// From which addresses of the sample can the token be used?
async fn usable_from(app: &TestApp, token: &str) -> BTreeSet<&'static str> {
    let mut usable = BTreeSet::new();
    for address in ADDRESSES {
        let answer = from(app, address, token, json!({ "query": "{ __typename }" })).await;
        assert!(matches!(answer.status.as_u16(), 200 | 403), "{}", answer.text);
        if answer.status == 200 {
            usable.insert(address);
        }
    }
    usable
}

/// Lets a token of the one grant make one of the other.
async fn attempt(app: &TestApp, case: usize, own: &Grant, wanted: &Grant) {
    let caller = app.secret(&app.admin, own.input(app, &format!("caller {case}"))).await;
    let address = own.admitted().into_iter().next().unwrap();
    let query = "mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) {
        token apiToken { permissions } } }";
    let input = wanted.input(app, &format!("made {case}"));
    let body = json!({ "query": query, "variables": { "input": input } });
    let answer = from(app, address, &caller, body).await;
    assert_eq!(answer.status, 200);
    let made = &answer.json["data"]["createApiToken"];

    let may_create = own.permissions.contains(&"API_API_TOKENS_WRITE");
    let expected = may_create && wanted.is_within(own);
    assert_eq!(!made.is_null(), expected, "{}", answer.text);
    if expected {
        assert_eq!(permissions(made), wanted.permissions.iter().copied().collect());
        let usable = usable_from(app, made["token"].as_str().unwrap()).await;
        assert_eq!(usable, wanted.admitted());
        assert!(usable.is_subset(&usable_from(app, &caller).await));
    } else {
        let codes = answer.errors();
        assert!(codes.iter().all(|code| code.starts_with("FORBIDDEN")), "{codes:?}");
        assert!(!codes.is_empty(), "{}", answer.text);
    }
}

/// Lets a token of the one grant narrow one of another grant to a third one, and renew what is
/// left.
async fn attempt_by_proxy(app: &TestApp, case: usize, [own, target, wanted]: [&Grant; 3]) {
    let caller = app.secret(&app.admin, own.input(app, &format!("by {case}"))).await;
    let address = own.admitted().into_iter().next().unwrap();
    let name = format!("target {case}");
    let token = made(app, &name, target.input(app, &name)).await;
    let may_write = own.permissions.contains(&"API_API_TOKENS_WRITE");

    let query = "mutation ($input: UpdateApiTokenInput!) { updateApiToken(input: $input) {
        apiToken { id version } } }";
    let input = json!({
        "id": token.id, "version": 1, "permissions": wanted.permissions,
        "allowedAddresses": wanted.networks,
    });
    let body = json!({ "query": query, "variables": { "input": input } });
    let answer = from(app, address, &caller, body).await;
    let in_reach = may_write && target.is_within(own);
    let narrowed = in_reach && wanted.is_within(target);
    assert_eq!(!answer.json["data"]["updateApiToken"].is_null(), narrowed, "{}", answer.text);
    let code = match (may_write, in_reach) {
        (false, _) => "FORBIDDEN permission_missing",
        (true, false) => "NOT_FOUND",
        (true, true) => "BAD_USER_INPUT",
    };
    assert!(answer.errors().iter().all(|error| error.starts_with(code)), "{}", answer.text);
    let left = if narrowed { wanted } else { target };
    assert_eq!(usable_from(app, &token.secret).await, left.admitted());

    let query = "mutation ($input: RenewApiTokenInput!) { renewApiToken(input: $input) {
        token apiToken { id userId permissions } } }";
    let input = json!({ "id": token.id, "expiry": app.in_time(TimeDelta::days(1)) });
    let body = json!({ "query": query, "variables": { "input": input } });
    let answer = from(app, address, &caller, body).await;
    let renewed = &answer.json["data"]["renewApiToken"];
    let expected = may_write && left.is_within(own);
    assert_eq!(!renewed.is_null(), expected, "{}", answer.text);
    if expected {
        assert_eq!(permissions(renewed), left.permissions.iter().copied().collect());
        let usable = usable_from(app, &Made::of(renewed).secret).await;
        assert_eq!(usable, left.admitted());
        assert!(usable.is_subset(&usable_from(app, &caller).await));
    } else {
        assert_eq!(answer.errors(), [if may_write { "NOT_FOUND" } else { code }]);
    }
}

/// The permissions of the token in a payload.
fn permissions(payload: &Value) -> BTreeSet<&str> {
    let granted = payload["apiToken"]["permissions"].as_array().unwrap();
    granted.iter().map(|name| name.as_str().unwrap()).collect()
}

/// Runs as many cases as tell the rules apart, each with its number.
fn run<S: Strategy>(grants: &S, attempt: impl AsyncFn(&TestApp, usize, S::Value)) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let app = runtime.block_on(TestApp::with(Options {
        trusted_proxies: vec!["127.0.0.1/32"],
        ..Options::default()
    }));
    let config =
        Config { cases: 32, max_shrink_iters: 200, failure_persistence: None, ..Config::default() };
    let case = AtomicUsize::new(0);
    let outcome = TestRunner::new(config).run(grants, |grants| {
        runtime.block_on(attempt(&app, case.fetch_add(1, Ordering::SeqCst), grants));
        Ok(())
    });
    outcome.unwrap();
    runtime.block_on(async { drop(app) });
}

#[test]
fn nothing_that_is_made_reaches_further_than_its_maker() {
    let grants = prop_oneof![
        1 => (Grant::any(), Grant::any()),
        2 => Grant::any().prop_flat_map(|own| (Just(own.clone()), Grant::near(&own))),
        1 => Grant::split(),
    ];
    run(&grants, async |app, case, (own, wanted)| attempt(app, case, &own, &wanted).await);
}

#[test]
fn nothing_that_is_changed_or_renewed_reaches_further_than_who_does_it() {
    let near = |grant: Grant| (Just(grant.clone()), Grant::near(&grant));
    let grants = prop_oneof![
        1 => (Grant::any(), Grant::any(), Grant::any()),
        2 => Grant::any().prop_flat_map(near).prop_flat_map(|(own, target)| {
            (Just(own), Just(target.clone()), prop_oneof![Grant::near(&target), Grant::any()])
        }),
        1 => Grant::split().prop_flat_map(|(parts, whole)| {
            (Just(parts), Just(whole.clone()), Grant::near(&whole))
        }),
        1 => Grant::split().prop_map(|(parts, whole)| (whole.clone(), parts, whole)),
        1 => (Grant::any(), Grant::any()).prop_map(|(target, mut wanted)| {
            let everything = Grant { permissions: PERMISSIONS.into(), networks: Vec::new() };
            wanted.permissions = target.permissions.clone();
            (everything, target, wanted)
        }),
    ];
    run(&grants, async |app, case, (own, target, wanted)| {
        attempt_by_proxy(app, case, [&own, &target, &wanted]).await;
    });
}
