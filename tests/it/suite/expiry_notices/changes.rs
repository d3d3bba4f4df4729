//! What comes because a token or the policy is changed.

use chrono::TimeDelta;
use serde_json::json;
use tokenwright::domain::clock::Clock;

use super::{DAY, change, delete, ending, events, fact, look, start, told};
use crate::support::{TestApp, TokenRow};

#[tokio::test(flavor = "multi_thread")]
async fn a_token_with_less_time_than_a_notice_has_the_nearest_one() {
    let app = start().await;
    look(&app).await;
    let (days, hour) =
        (ending(&app, "days", DAY * 5).await, ending(&app, "hour", TimeDelta::hours(1)).await);
    look(&app).await;
    look(&app).await;
    assert_eq!(told(&app, &days.id).await, ["7 days"]);
    assert_eq!(told(&app, &hour.id).await, ["1 day"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_end_has_notices_of_its_own() {
    let app = start().await;
    let token = ending(&app, "ci", DAY * 40).await;
    look(&app).await;
    for (version, days) in [(1, 5), (2, 3)] {
        let expiry = app.in_time(DAY * days);
        change(&app, &token.id, version, json!({ "expiry": expiry })).await;
        look(&app).await;
        look(&app).await;
        let events = events(&app, &token.id).await;
        assert_eq!(fact(events.last().unwrap(), "effectiveExpiry"), expiry);
    }
    // A change of anything else is no other end.
    change(&app, &token.id, 3, json!({ "name": "other" })).await;
    look(&app).await;
    assert_eq!(told(&app, &token.id).await, ["7 days", "7 days"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_begins_anew_and_its_overlap_ends_the_old_one() {
    let app = start().await;
    let old = ending(&app, "ci", DAY * 20).await;
    look(&app).await;
    let renew = "mutation ($input: RenewApiTokenInput!) { renewApiToken(input: $input) \
                 { apiToken { id } } }";
    let input = json!({ "id": old.id, "expiry": app.in_time(DAY * 60), "overlapSeconds": 7_200 });
    let answer = app.graphql(&app.admin, renew, json!({ "input": input })).await;
    let new = answer.data()["renewApiToken"]["apiToken"]["id"].as_str().unwrap().to_owned();
    look(&app).await;
    assert_eq!(told(&app, &old.id).await, ["30 days", "1 day"]);
    assert_eq!(told(&app, &new).await, [""; 0]);
    app.clock.advance(DAY * 31);
    look(&app).await;
    assert_eq!(told(&app, &old.id).await, ["30 days", "1 day", "end"]);
    assert_eq!(told(&app, &new).await, ["30 days"]);
}

/// It is of no use meanwhile. Once it is enabled, what is due is told.
#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_token_has_no_notice_until_it_is_enabled() {
    let app = start().await;
    let (on, off) = (ending(&app, "on again", DAY * 40).await, ending(&app, "off", DAY * 40).await);
    change(&app, &on.id, 1, json!({ "enabled": false })).await;
    change(&app, &off.id, 1, json!({ "enabled": false })).await;
    look(&app).await;
    app.clock.advance(DAY * 34);
    look(&app).await;
    assert_eq!(app.database.count("expiry_notices"), 0);
    change(&app, &on.id, 2, json!({ "enabled": true })).await;
    look(&app).await;
    assert_eq!(told(&app, &on.id).await, ["7 days"]);
    app.clock.advance(DAY * 7);
    look(&app).await;
    assert_eq!(told(&app, &on.id).await, ["7 days", "end"]);
    assert_eq!(told(&app, &off.id).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_token_has_no_notice_and_keeps_none() {
    let app = start().await;
    let [told_of, pruned, never] = [
        ending(&app, "told of", DAY * 5).await,
        ending(&app, "pruned", DAY * 5).await,
        ending(&app, "never", DAY * 40).await,
    ];
    look(&app).await;
    assert_eq!(app.database.count("expiry_notices"), 2);
    delete(&app, &pruned.id).await;
    app.service.prune(app.clock.now() + DAY).await.unwrap();
    assert_eq!(app.database.count("expiry_notices"), 1);
    delete(&app, &told_of.id).await;
    delete(&app, &never.id).await;
    look(&app).await;
    assert_eq!(app.database.count("expiry_notices"), 0);
    app.clock.advance(DAY * 38);
    look(&app).await;
    app.clock.advance(DAY * 38);
    look(&app).await;
    assert_eq!(app.database.count("expiry_notices"), 0);
    assert_eq!(told(&app, &never.id).await, [""; 0]);
}

async fn limit(app: &TestApp, version: i32, days: Option<i64>) {
    let update = "mutation ($input: UpdatePolicyInput!) { updatePolicy(input: $input) \
                  { policy { version } } }";
    let mut input = json!({ "version": version, "maxLifetimeScope": "OFF", "force": true });
    if let Some(days) = days {
        input["maxLifetimeScope"] = "ALL".into();
        input["maxLifetimeSeconds"] = (days * 86_400).into();
    }
    app.graphql(&app.admin, update, json!({ "input": input })).await.data();
}

/// A token that was created so many days ago, and does not expire soon.
fn aged(app: &TestApp, number: u128, days: i32) -> TokenRow {
    let created = (app.clock.now() - DAY * days).timestamp_micros();
    TokenRow { created, ..TokenRow::new(number, format!("aged {number}")) }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_that_the_policy_makes_is_told() {
    let app = start().await;
    let [young, old, ended] = [(1, 25), (2, 58), (3, 200)].map(|(n, days)| aged(&app, n, days));
    TokenRow::insert(&[young.clone(), old.clone(), ended.clone()], &app.database);
    let all = async || {
        let mut all = Vec::new();
        for row in [&young, &old, &ended] {
            all.push(told(&app, &row.id()).await.join(", "));
        }
        all
    };
    limit(&app, 1, Some(150)).await;
    look(&app).await;
    assert_eq!(all().await, ["", "", ""], "what had ended before the first look");
    limit(&app, 2, Some(60)).await;
    look(&app).await;
    look(&app).await;
    assert_eq!(all().await, ["", "7 days", ""], "it has ended already, if later");
    limit(&app, 3, Some(30)).await;
    look(&app).await;
    assert_eq!(all().await, ["7 days", "7 days, end", ""]);
    // What is relaxed and made as it was tells nothing again, and neither does what ends the dead.
    limit(&app, 4, None).await;
    look(&app).await;
    limit(&app, 5, Some(30)).await;
    look(&app).await;
    limit(&app, 6, Some(28)).await;
    look(&app).await;
    assert_eq!(all().await, ["7 days, 7 days", "7 days, end", "end"]);
    let end = &events(&app, &young.id()).await[1];
    let expiry: chrono::DateTime<chrono::Utc> = fact(end, "effectiveExpiry").parse().unwrap();
    assert_eq!(expiry.timestamp_micros(), young.created + 28 * 86_400_000_000);
    // It comes by itself, too.
    app.clock.advance(DAY * 2 + TimeDelta::hours(1));
    look(&app).await;
    app.clock.advance(TimeDelta::hours(20));
    look(&app).await;
    app.clock.advance(TimeDelta::hours(20));
    look(&app).await;
    assert_eq!(all().await[0], "7 days, 7 days, 1 day, end");
    // Who was alive in between comes to another end.
    limit(&app, 7, None).await;
    look(&app).await;
    limit(&app, 8, Some(28)).await;
    look(&app).await;
    let expected = ["7 days, 7 days, 1 day, end", "7 days, end, end", "end, end"];
    assert_eq!(all().await, expected);
}
