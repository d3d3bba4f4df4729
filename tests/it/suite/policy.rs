//! The policy: rules for tokens, also for those that were issued before.

use chrono::TimeDelta;
use serde_json::json;
use tokenwright::domain::principal::{Origin, Principal};
use tokenwright::service::UpdateApiToken;

use crate::support::{Binary, Made, TestApp, assert_ended, eventually, made, set_policy, works};

const OFF: &str = "max-lifetime: off\nmax-lifetime-scope: off\nallowed-addresses-scope: off\n\
                   idle: off\nidle-scope: off\n";

fn policy(app: &TestApp, arguments: &[&str]) -> crate::support::Ended {
    Binary::on(&app.database, &[&["admin", "policy"], arguments].concat()).run()
}

/// Disables a token, or enables it.
async fn switch(app: &TestApp, token: &Made, version: i32, enabled: bool) {
    let wanted = UpdateApiToken {
        id: token.id.parse().unwrap(),
        version,
        name: None,
        description: None,
        labels: None,
        enabled: Some(enabled),
        permissions: None,
        allowed_addresses: None,
        expiry: None,
        descendants: false,
    };
    let origin = Origin::default();
    let done = app.service.update_api_token(&Principal::Operator, &origin, wanted).await;
    assert_eq!(done.unwrap().token.version, version + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_for_new_tokens_leave_old_ones_alone() {
    let app = TestApp::start().await;
    let old = made(&app, "old", json!({})).await;
    set_policy(&app, &["--max-lifetime", "1h", "--max-lifetime-scope", "new"]);
    set_policy(&app, &["--allowed-addresses-scope", "new"]);
    set_policy(&app, &["--idle", "30m", "--idle-scope", "new"]);
    let expiry = app.in_time(TimeDelta::minutes(55));
    let more = json!({ "expiry": expiry, "allowedAddresses": ["127.0.0.0/8"] });
    let new = made(&app, "new", more).await;
    assert!(works(&app, &old.secret).await && works(&app, &new.secret).await);
    app.clock.advance(TimeDelta::minutes(40));
    assert!(works(&app, &old.secret).await && !works(&app, &new.secret).await);
    // For all tokens, the rule is for the old one, too, which was used a moment ago.
    set_policy(&app, &["--max-lifetime-scope", "all", "--idle-scope", "off", "--force"]);
    assert!(works(&app, &old.secret).await && works(&app, &new.secret).await);
    app.clock.advance(TimeDelta::minutes(30));
    assert!(!works(&app, &old.secret).await && !works(&app, &new.secret).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_time_starts_anew_with_each_use_and_when_a_token_is_enabled() {
    let app = TestApp::start().await;
    let token = made(&app, "ci", json!({})).await;
    set_policy(&app, &["--idle", "1h"]);
    // No use is stored yet.
    for _ in 0..3 {
        app.clock.advance(TimeDelta::minutes(40));
        assert!(works(&app, &token.secret).await);
    }
    app.clock.advance(TimeDelta::minutes(60));
    assert!(!works(&app, &token.secret).await);
    assert!(!works(&app, &token.secret).await, "a refused use is none");
    switch(&app, &token, 1, false).await;
    switch(&app, &token, 2, true).await;
    app.clock.advance(TimeDelta::minutes(59));
    assert!(works(&app, &token.secret).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn uses_are_stored_in_time_for_another_server_where_the_idle_time_is_short() {
    // Otherwise uses are stored once an hour here.
    let app = TestApp::start().await;
    let token = made(&app, "ci", json!({})).await;
    let used = "SELECT name AS text FROM api_tokens WHERE last_used_address IS NOT NULL \
                AND name = 'ci'";
    assert!(works(&app, &token.secret).await);
    set_policy(&app, &["--idle", "1s", "--force"]);
    let _refused_or_not = app.query(&token.secret, "{ __typename }").await;
    eventually("the use is stored", || app.database.texts(used) == ["ci"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_refuses_what_is_over_and_nothing_comes_back_but_by_the_policy() {
    let app = TestApp::start().await;
    let token = made(&app, "ci", json!({})).await;
    set_policy(&app, &["--max-lifetime", "10d", "--max-lifetime-scope", "all"]);
    app.clock.advance(TimeDelta::days(11));
    assert!(!works(&app, &token.secret).await);
    app.clock.advance(TimeDelta::days(-11));
    assert!(!works(&app, &token.secret).await);
    set_policy(&app, &["--max-lifetime", "20d", "--force"]);
    assert!(works(&app, &token.secret).await);
    app.clock.advance(TimeDelta::days(31));
    set_policy(&app, &["--max-lifetime-scope", "off", "--force"]);
    assert!(!works(&app, &token.secret).await, "its own expiry has come");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_undoes_a_policy_that_refuses_everybody() {
    let app = TestApp::start().await;
    let strict = ["set", "--allowed-addresses-scope", "all"];
    let refused = policy(&app, &strict);
    assert_ended(&refused, 1, "--force: This policy would refuse every token");
    assert_eq!(refused.stdout, "");
    assert!(works(&app, &app.admin).await);
    let dry = policy(&app, &[&strict[..], &["--dry-run"]].concat());
    assert_ended(&dry, 0, "");
    let counts = "tokens that can be used: 1\nrefused by max-lifetime: 0\n\
                  refused by allowed-addresses: 1\nrefused by idle: 0\n";
    assert!(dry.stdout.contains("allowed-addresses-scope: all\n"), "{}", dry.stdout);
    assert!(dry.stdout.ends_with(counts), "{}", dry.stdout);
    assert!(policy(&app, &["show"]).stdout.starts_with(&format!("version: 1\n{OFF}changed: ")));
    assert!(works(&app, &app.admin).await);
    assert_ended(&policy(&app, &[&strict[..], &["--force"]].concat()), 0, "version 2");
    assert!(!works(&app, &app.admin).await);
    assert_ended(&policy(&app, &["set", "--allowed-addresses-scope", "off"]), 0, "version 3");
    assert!(works(&app, &app.admin).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_versioned_and_recorded() {
    let app = TestApp::start().await;
    let change = ["set", "--max-lifetime", "90d", "--max-lifetime-scope", "all", "--idle", "30d"];
    let done = policy(&app, &change);
    assert_ended(&done, 0, "the policy is changed, from the next request on; version 2");
    let rules = "max-lifetime: 90 days\nmax-lifetime-scope: all\nallowed-addresses-scope: off\n\
                 idle: 30 days\nidle-scope: all\n";
    assert_eq!(done.stdout, rules);
    let shown = policy(&app, &["show"]).stdout;
    assert!(shown.starts_with(&format!("version: 2\n{rules}changed: ")), "{shown}");
    assert!(shown.ends_with(" by system\n"), "{shown}");
    assert_ended(&policy(&app, &change), 0, "the policy is unchanged, at version 2");
    let events = "{ auditEvents(filter: { action: POLICY_UPDATED }) { nodes { targetId \
                  actor { userName } actorApiTokenId changes { field before after } } } }";
    let answer = app.query(&app.admin, events).await;
    let change = |field: &str, before: Option<&str>, after: &str| json!({ "field": field, "before": before, "after": after });
    assert_eq!(
        answer.data()["auditEvents"]["nodes"],
        json!([{
            "targetId": "pol_0000000000000000000001",
            "actor": { "userName": "system" },
            "actorApiTokenId": null,
            "changes": [
                change("maxLifetimeSeconds", None, "7776000"),
                change("maxLifetimeScope", Some("off"), "all"),
                change("idleSeconds", None, "2592000"),
                change("idleScope", Some("off"), "all"),
            ],
        }])
    );
    let about = "{ auditEvents(filter: { targetId: \"pol_0000000000000000000001\" }) \
                 { nodes { action } } }";
    let answer = app.query(&app.admin, about).await;
    assert_eq!(answer.data()["auditEvents"]["nodes"], json!([{ "action": "POLICY_UPDATED" }]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_is_not_whole_says_what_it_lacks() {
    let app = TestApp::start().await;
    let cases: [(&[&str], i32, &str); 6] = [
        (&["--max-lifetime", "5d"], 1, "--max-lifetime-scope: The rule is off"),
        (&["--max-lifetime-scope", "all"], 1, "--max-lifetime: The rule needs a time."),
        (&["--max-lifetime", "0s"], 2, "longer than 0s"),
        (&["--max-lifetime", "1y"], 2, "write days"),
        (&["--idle", "soon"], 2, "--idle"),
        (&["--idle", "off", "--idle-scope", "all"], 2, "--idle-scope"),
    ];
    for (arguments, code, told) in cases {
        assert_ended(&policy(&app, &[&["set"], arguments].concat()), code, told);
    }
    assert!(policy(&app, &["show"]).stdout.starts_with(&format!("version: 1\n{OFF}")));
}
