//! Concurrent renewals, and renewals during other changes.

use chrono::TimeDelta;
use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use tokenwright::domain::clock::Clock;

use super::{changes, input, renew, renewed, writer};
use crate::support::{Answer, Made, TestApp, made, works};

/// Was it renewed? Else it was refused by one of these alone.
fn assert_either(answer: &Answer, expected: &[&str]) -> bool {
    let errors = answer.errors();
    assert_eq!(answer.json["data"]["renewApiToken"].is_object(), errors.is_empty());
    let known = |error: &String| expected.contains(&error.as_str());
    assert!(errors.len() <= 1 && errors.iter().all(known), "{}", answer.text);
    errors.is_empty()
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_at_once_are_twenty_tokens_and_one_end() {
    let app = TestApp::start().await;
    app.clock.stop_at(app.clock.now());
    let old = made(&app, "ci", json!({})).await;
    let race = (0..20).map(|n| {
        let more = json!({ "name": format!("renewal {n}"), "overlapSeconds": 60 });
        renew(&app, &app.admin, input(&app, &old.id, more))
    });
    let answers = join_all(race).await;
    let mut ids: Vec<&Value> = answers.iter().map(|answer| &renewed(answer)["id"]).collect();
    ids.sort_by_key(|id| id.as_str());
    ids.dedup();
    assert_eq!(ids.len(), 20);
    for answer in &answers {
        let from = &renewed(answer)["renewedFrom"];
        assert_eq!((&from["id"], &from["version"]), (&json!(old.id), &json!(2)));
        assert_eq!(from["expiry"], json!(app.in_time(TimeDelta::seconds(60))));
        assert!(works(&app, answer.data()["renewApiToken"]["token"].as_str().unwrap()).await);
    }
    assert_eq!(changes(&app, "api_token_updated").len(), 1);
    assert_eq!(changes(&app, "api_token_renewed").len(), 20);
    assert_eq!((app.database.count("api_tokens"), app.database.count("users")), (22, 23));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_at_once_one_gets_the_date() {
    let app = TestApp::start().await;
    app.clock.stop_at(app.clock.now());
    let old = made(&app, "ci", json!({})).await;
    let more = json!({ "overlapSeconds": 0 });
    let race = (0..20).map(|_| renew(&app, &app.admin, input(&app, &old.id, more.clone())));
    let answers = join_all(race).await;
    let taken = ["CONFLICT name name_taken"];
    let won = answers.iter().filter(|answer| assert_either(answer, &taken)).count();
    assert_eq!(won, 1);
    let lost = answers.iter().filter(|answer| !answer.json["errors"].is_null());
    for answer in lost {
        assert!(answer.message().contains("give a name"), "{}", answer.message());
    }
    assert_eq!((app.database.count("api_tokens"), app.database.count("users")), (3, 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_that_end_each_other_at_once_do_not_wait_for_each_other() {
    let app = TestApp::start().await;
    for round in 0..20 {
        let a = writer(&app, &format!("a {round}")).await;
        let b = writer(&app, &format!("b {round}")).await;
        assert!(works(&app, &a.secret).await && works(&app, &b.secret).await);
        let end = |id: &str| input(&app, id, json!({ "overlapSeconds": 0 }));
        let by_a = ended(&app, &a, end(&b.id));
        let by_b = ended(&app, &b, end(&a.id));
        let (by_a, by_b) = join(by_a, by_b).await;
        let gone = ["UNAUTHENTICATED invalid_token", "UNAUTHENTICATED caller_changed"];
        let (by_a, by_b) = (assert_either(&by_a, &gone), assert_either(&by_b, &gone));
        assert!(by_a != by_b, "whoever is ended first ends nobody after");
        assert_eq!(works(&app, &a.secret).await, !by_b);
        assert_eq!(works(&app, &b.secret).await, !by_a);
    }
}

/// A renewal by a caller who may not read tokens.
async fn ended(app: &TestApp, by: &Made, input: Value) -> Answer {
    let document =
        "mutation ($input: RenewApiTokenInput!) { renewApiToken(input: $input) { token } }";
    app.graphql(&by.secret, document, json!({ "input": input })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_that_end_themselves_at_once_one_is_done() {
    let app = TestApp::start().await;
    for round in 0..10 {
        let own = writer(&app, &format!("own {round}")).await;
        assert!(works(&app, &own.secret).await);
        let race = (0..8).map(|n| {
            let more = json!({ "name": format!("{round} by {n}"), "overlapSeconds": 0 });
            ended(&app, &own, input(&app, &own.id, more))
        });
        let answers = join_all(race).await;
        let lost = ["UNAUTHENTICATED caller_changed", "UNAUTHENTICATED invalid_token"];
        let won = answers.iter().filter(|answer| assert_either(answer, &lost)).count();
        assert_eq!(won, 1);
        assert!(!works(&app, &own.secret).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_disabled_or_deleted_meanwhile_is_not_renewed_after() {
    let app = TestApp::start().await;
    let query = "mutation ($id: ID!, $delete: Boolean!) {
        deleteApiToken(input: { id: $id }) @include(if: $delete) { deletedApiTokenId }
        updateApiToken(input: { id: $id, version: 1, enabled: false }) @skip(if: $delete)
            { apiToken { id } }
    }";
    for round in 0..10 {
        for delete in [true, false] {
            let old = made(&app, &format!("ci {round} {delete}"), json!({})).await;
            let renewing = renew(&app, &app.admin, input(&app, &old.id, json!({})));
            let variables = json!({ "id": old.id, "delete": delete });
            let ending = app.graphql(&app.admin, query, variables);
            let (answer, ended) = join(renewing, ending).await;
            ended.data();
            let refused = if delete { "NOT_FOUND" } else { "BAD_USER_INPUT id token_disabled" };
            assert_either(&answer, &[refused]);
            let again = input(&app, &old.id, json!({ "name": format!("again {round}") }));
            assert!(!assert_either(&renew(&app, &app.admin, again).await, &[refused]));
        }
    }
}
