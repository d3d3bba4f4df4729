//! Random callers do random things to tokens, and a simple model says what must come of it.
//!
//! `TOKENWRIGHT_TEST_OPERATIONS` says how many things are done (10,000 for a night), and
//! `TOKENWRIGHT_TEST_SEED` repeats a run.

mod audit;
mod model;
mod operation;

use std::collections::BTreeMap;

use chrono::TimeDelta;
use proptest::collection::vec;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};
use tokenwright::domain::clock::Clock;
use tokenwright::domain::random::{RandomSource, SystemRandom};

use crate::support::TestApp;
use model::{Expected, Model, Token, labels};
use operation::{Operation, PURPOSES, operation};

/// Operations on one application.
const EACH: u32 = 50;

#[expect(clippy::disallowed_methods, reason = "a setting of the tests, not of the program")]
fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[test]
#[expect(clippy::print_stdout, reason = "whoever looks into a failure needs the seed")]
fn whatever_is_done_is_what_the_model_says() {
    let operations = setting("TOKENWRIGHT_TEST_OPERATIONS").map_or(400, |n| n.parse().unwrap());
    let seed: u64 = setting("TOKENWRIGHT_TEST_SEED").map_or_else(
        || {
            let mut seed = [0; 8];
            SystemRandom.fill(&mut seed).unwrap();
            u64::from_le_bytes(seed)
        },
        |seed| seed.parse().unwrap(),
    );
    println!("TOKENWRIGHT_TEST_SEED={seed} TOKENWRIGHT_TEST_OPERATIONS={operations}");
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config {
        cases: operations / EACH,
        max_shrink_iters: 300,
        failure_persistence: None,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let sequence = vec(operation(), EACH as usize);
    TestRunner::new_with_rng(config, rng)
        .run(&sequence, |operations| {
            runtime.block_on(run(operations));
            Ok(())
        })
        .unwrap();
}

async fn run(operations: Vec<Operation>) {
    let app = TestApp::start().await;
    let now = app.clock.now();
    app.clock.stop_at(now);
    let answer =
        app.query(&app.admin, "{ currentApiToken { id userId expiry permissions } }").await;
    let admin = &answer.data()["currentApiToken"];
    let mut model = Model::new(now, &app.admin, admin);
    for operation in operations {
        step(&app, &mut model, &operation).await;
    }
    same_tokens(&app, &model).await;
    same_users(&app, &model).await;
    audit::replays(&app, &model).await;
}

/// Does one thing, and holds what came of it against the model.
async fn step(app: &TestApp, model: &mut Model, operation: &Operation) {
    // No two things are done at the same time, so that the audit has an order.
    model.now += TimeDelta::milliseconds(1);
    if let Operation::Advance { hours } = operation {
        model.now += TimeDelta::hours(*hours);
    }
    app.clock.stop_at(model.now);
    let by = model.caller(operation);
    let secret = model.tokens[by].secret.clone();
    let (document, variables) = model.request(operation);
    let expected = model.expect(operation);
    let answer = app.graphql(&secret, document, variables.clone()).await;
    let told = format!("{operation:?} {variables} as {by}: {}", answer.text);
    match expected {
        Expected::Refused(mut errors) => {
            let mut found = answer.errors();
            found.sort();
            found.dedup();
            errors.sort();
            errors.dedup();
            assert_eq!(found, errors, "{told}");
            let current = answer.json["errors"][0]["extensions"]["currentVersion"].as_i64();
            if let Some(version) = model.stale(operation) {
                assert_eq!(current, Some(version), "{told}");
            }
        }
        Expected::Done(changed) => {
            assert!(answer.json["errors"].is_null(), "{told}");
            if let Some(index) = model.apply(operation, &answer.json["data"]) {
                let shown = &answer.json["data"][operation.field()]["apiToken"];
                if shown["name"].is_string() {
                    model.tokens[index].assert_is(shown, model.now, &told);
                }
                assert_eq!(shown["version"], model.tokens[index].version, "{told}");
                assert!(model.tokens[by].reaches(&model.tokens[index]), "{told}");
            }
            if let Some(index) = changed {
                effective(app, model, index, &told).await;
            }
        }
    }
}

/// What was done to a token holds for its very next request.
async fn effective(app: &TestApp, model: &Model, index: usize, told: &str) {
    let token = &model.tokens[index];
    let answer = app.query(&token.secret, "{ currentApiToken { version permissions } }").await;
    match model.let_in(index) {
        Err(refusal) => assert_eq!(answer.errors(), [refusal], "{told}"),
        Ok(()) => {
            let now = &answer.data()["currentApiToken"];
            assert_eq!(now["version"], token.version, "{told}");
            assert_eq!(now["permissions"], json!(token.permissions), "{told}");
        }
    }
}

/// All nodes of a connection, page by page.
async fn walk(app: &TestApp, field: &str, node: &str) -> Vec<Value> {
    let mut nodes = Vec::new();
    let mut after = Value::Null;
    loop {
        let query = format!(
            "query ($after: String) {{ {field}(first: 7, after: $after) {{ \
             nodes {{ {node} }} pageInfo {{ hasNextPage endCursor }} }} }}"
        );
        let answer = app.graphql(&app.admin, &query, json!({ "after": after })).await;
        let page = &answer.data()[field];
        nodes.extend(page["nodes"].as_array().unwrap().clone());
        if page["pageInfo"]["hasNextPage"] == json!(false) {
            return nodes;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

async fn same_tokens(app: &TestApp, model: &Model) {
    let node = "id version name expiry allowedAddresses permissions status userId \
                description labels { key value } renewedFrom { id }";
    let listed = walk(app, "apiTokens", node).await;
    let mut listed: BTreeMap<String, Value> =
        listed.into_iter().map(|token| (token["id"].as_str().unwrap().to_owned(), token)).collect();
    for token in model.tokens.iter().filter(|token| !token.deleted) {
        let shown = listed.remove(&token.id).unwrap();
        token.assert_is(&shown, model.now, "listed");
        let from = token.renewed_from.as_ref().filter(|id| model.is_live(id));
        assert_eq!(shown["renewedFrom"]["id"].as_str(), from.map(String::as_str));
    }
    assert!(listed.is_empty(), "{listed:?}");
    for (purpose, (_, wanted)) in PURPOSES.iter().enumerate() {
        let has_all = |token: &&Token| {
            let (_, labels) = PURPOSES[token.purpose];
            !token.deleted && wanted.iter().all(|label| labels.contains(label))
        };
        let mut expected: Vec<&str> =
            model.tokens.iter().filter(has_all).map(|token| token.id.as_str()).collect();
        let query = "query ($labels: [LabelInput!]) { apiTokens(first: 100,
            filter: { labels: $labels }) { totalCount nodes { id } } }";
        let answer = app.graphql(&app.admin, query, json!({ "labels": labels(purpose) })).await;
        let page = &answer.data()["apiTokens"];
        let nodes = page["nodes"].as_array().unwrap().iter();
        let mut found: Vec<&str> = nodes.map(|node| node["id"].as_str().unwrap()).collect();
        expected.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, expected, "{purpose}");
        assert_eq!(page["totalCount"], expected.len(), "{purpose}");
    }
}

async fn same_users(app: &TestApp, model: &Model) {
    let users = walk(app, "users", "id name enabled").await;
    let mut users: BTreeMap<&str, &Value> =
        users.iter().map(|user| (user["id"].as_str().unwrap(), user)).collect();
    for Token { user_id, name, deleted, .. } in &model.tokens {
        let user = users.remove(user_id.as_str()).unwrap();
        assert_eq!((&user["name"], &user["enabled"]), (&json!(name), &json!(!deleted)));
    }
    let rest: Vec<&Value> = users.values().map(|user| &user["name"]).collect();
    assert_eq!(rest, ["system"]);
}
