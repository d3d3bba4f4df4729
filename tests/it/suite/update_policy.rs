//! The policy in GraphQL: `policy`, `updatePolicy`, and what it does to tokens that are shown, listed,
//! created and renewed.

use chrono::TimeDelta;
use serde_json::{Value, json};
use tokenwright::domain::clock::{Clock, SystemClock};

use crate::support::{Answer, Random, TestApp, TestDatabase, TokenRow, made, set_policy, works};

const UPDATE: &str = "mutation ($input: UpdatePolicyInput!) { updatePolicy(input: $input) { policy { \
    version maxLifetimeSeconds maxLifetimeScope allowedAddressesScope idleSeconds idleScope \
    lastModifiedUserInfo { userName } } } }";

async fn update(app: &TestApp, by: &str, input: Value) -> Answer {
    app.graphql(by, UPDATE, json!({ "input": input })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_read_again_and_names_who_made_it() {
    let app = TestApp::start().await;
    let read = "{ policy { id version maxLifetimeSeconds maxLifetimeScope allowedAddressesScope \
                idleSeconds idleScope lastModifiedUserInfo { userName } } }";
    let policy = app.query(&app.admin, read).await.data()["policy"].clone();
    assert_eq!(
        policy,
        json!({
            "id": "pol_0000000000000000000001", "version": 1,
            "maxLifetimeSeconds": null, "maxLifetimeScope": "OFF",
            "allowedAddressesScope": "OFF", "idleSeconds": null, "idleScope": "OFF",
            "lastModifiedUserInfo": { "userName": "system" },
        })
    );
    let found = "{ node(id: \"pol_0000000000000000000001\") { id ... on Policy { version } } \
                 other: node(id: \"pol_0000000000000000000002\") { id } }";
    let found = app.query(&app.admin, found).await;
    assert_eq!(found.data()["node"]["version"], 1);
    assert_eq!(found.data()["other"], Value::Null);
    let keeper = json!({ "permissions": ["API_POLICY_WRITE"] });
    let keeper = made(&app, "keeper", keeper).await;
    let input = json!({ "version": 1, "maxLifetimeSeconds": 86_400, "maxLifetimeScope": "NEW",
        "idleSeconds": 3_600, "idleScope": "ALL" });
    let changed = update(&app, &keeper.secret, input.clone()).await;
    assert_eq!(
        changed.data()["updatePolicy"]["policy"],
        json!({
            "version": 2, "maxLifetimeSeconds": 86_400, "maxLifetimeScope": "NEW",
            "allowedAddressesScope": "OFF", "idleSeconds": 3_600, "idleScope": "ALL",
            "lastModifiedUserInfo": { "userName": "keeper" },
        })
    );
    let stale = update(&app, &keeper.secret, input).await;
    assert_eq!(stale.errors(), ["CONFLICT version version_stale"]);
    assert_eq!(stale.json["errors"][0]["extensions"]["currentVersion"], 2);
    let same = update(&app, &keeper.secret, json!({ "version": 2, "idleScope": "ALL" })).await;
    assert_eq!(same.data()["updatePolicy"]["policy"]["version"], 2);
    let events =
        "{ auditEvents(filter: { action: POLICY_UPDATED }) { nodes { actorApiTokenId } } }";
    let events = app.query(&app.admin, events).await;
    let expected = json!([{ "actorApiTokenId": keeper.id }]);
    assert_eq!(events.data()["auditEvents"]["nodes"], expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_faults_are_reported_together() {
    let app = TestApp::start().await;
    let input = json!({ "version": 1, "maxLifetimeSeconds": 0, "maxLifetimeScope": "ALL",
        "idleScope": "NEW" });
    let refused = update(&app, &app.admin, input).await;
    assert_eq!(
        refused.errors(),
        [
            "BAD_USER_INPUT maxLifetimeSeconds duration_too_short",
            "BAD_USER_INPUT idleSeconds duration_missing"
        ]
    );
    let unscoped = update(&app, &app.admin, json!({ "version": 1, "idleSeconds": 5 })).await;
    assert_eq!(unscoped.errors(), ["BAD_USER_INPUT idleScope scope_missing"]);
    assert_eq!(app.database.texts("SELECT 'is' AS text FROM policy WHERE version = 1"), ["is"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_would_be_refused_itself_must_say_so_and_the_command_line_undoes_it() {
    let app = TestApp::start().await;
    let bound = json!({ "permissions": ["API_POLICY_WRITE"], "allowedAddresses": ["127.0.0.1"] });
    let bound = made(&app, "bound", bound).await;
    let input = |version: i32, scope: &str, force: bool| json!({ "version": version, "allowedAddressesScope": scope, "force": force });
    let refused = update(&app, &app.admin, input(1, "ALL", false)).await;
    assert_eq!(refused.errors(), ["BAD_USER_INPUT force policy_refuses_caller"]);
    assert!(works(&app, &app.admin).await);
    update(&app, &bound.secret, input(1, "ALL", false)).await.data();
    assert!(!works(&app, &app.admin).await && works(&app, &bound.secret).await);
    update(&app, &bound.secret, input(2, "OFF", false)).await.data();
    update(&app, &app.admin, input(3, "ALL", true)).await.data();
    assert!(!works(&app, &app.admin).await);
    set_policy(&app, &["--allowed-addresses-scope", "off"]);
    assert!(works(&app, &app.admin).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_policy_would_refuse_is_not_created_or_renewed() {
    let app = TestApp::start().await;
    let old = made(&app, "old", json!({})).await;
    let input = json!({ "version": 1, "maxLifetimeSeconds": 3_600, "maxLifetimeScope": "NEW",
        "allowedAddressesScope": "NEW" });
    update(&app, &app.admin, input).await.data();
    let refused = app.create(&app.admin, app.input("new", json!({}))).await;
    let expected = [
        "BAD_USER_INPUT expiry expiry_beyond_policy",
        "BAD_USER_INPUT allowedAddresses addresses_required",
    ];
    assert_eq!(refused.errors(), expected);
    let renew = async |id: &str, minutes: i64| {
        let renew = "mutation ($input: RenewApiTokenInput!) { \
                     renewApiToken(input: $input) { apiToken { id } } }";
        let input = json!({ "id": id, "expiry": app.in_time(TimeDelta::minutes(minutes)) });
        app.graphql(&app.admin, renew, json!({ "input": input })).await
    };
    let expected =
        ["BAD_USER_INPUT id addresses_required", "BAD_USER_INPUT expiry expiry_beyond_policy"];
    assert_eq!(renew(&old.id, 61).await.errors(), expected);
    let near = json!({ "expiry": app.in_time(TimeDelta::minutes(59)),
        "allowedAddresses": ["127.0.0.0/8"] });
    let bound = made(&app, "bound", near).await;
    assert!(works(&app, &bound.secret).await && works(&app, &old.secret).await);
    renew(&bound.id, 59).await.data();
    let input = json!({ "version": 2, "maxLifetimeScope": "ALL", "allowedAddressesScope": "OFF" });
    update(&app, &app.admin, input).await.data();
    let refused = app.create(&app.admin, app.input("new", json!({}))).await;
    assert_eq!(refused.errors(), ["BAD_USER_INPUT expiry expiry_beyond_policy"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_shows_when_it_ends_and_what_refuses_it() {
    let app = TestApp::start().await;
    let token = made(&app, "ci", json!({})).await;
    let shown = async || {
        let one = "query ($id: ID!) { apiToken(id: $id) { expiry effectiveExpiry refusedBy status } \
                   apiTokens(filter: { nameContains: \"ci\" }) { nodes { effectiveExpiry refusedBy \
                   status } } }";
        let answer = app.graphql(&app.admin, one, json!({ "id": token.id })).await;
        let (one, mut listed) =
            (answer.data()["apiToken"].clone(), answer.data()["apiTokens"]["nodes"][0].clone());
        listed["expiry"] = one["expiry"].clone();
        assert_eq!(one, listed);
        one
    };
    let before = shown().await;
    assert_eq!(before["expiry"], before["effectiveExpiry"]);
    assert_eq!((&before["refusedBy"], &before["status"]), (&json!([]), &json!("ACTIVE")));
    app.clock.advance(TimeDelta::hours(2));
    // The administrator is newer, and was used a moment ago.
    let (hour, all) = (3_600, TestDatabase::instant(0));
    let later = TestDatabase::instant(4_000_000_000_000_000);
    app.database
        .execute(&format!("UPDATE api_tokens SET creation_date = {later} WHERE name <> 'ci'"));
    app.database.execute(&format!(
        "UPDATE policy SET max_lifetime_seconds = {hour}, max_lifetime_since = {all}, \
         idle_seconds = {hour}, idle_since = {all}"
    ));
    let after = shown().await;
    assert_eq!(after["status"], "EXPIRED");
    assert_eq!(after["refusedBy"], json!(["MAX_LIFETIME", "IDLE"]));
    assert_ne!(after["expiry"], after["effectiveExpiry"]);
    app.database.execute("UPDATE policy SET max_lifetime_since = NULL");
    let idle = shown().await;
    assert_eq!((&idle["refusedBy"], &idle["status"]), (&json!(["IDLE"]), &json!("ACTIVE")));
}

/// Lists by status and expiry find what the fields say, whatever the order.
#[tokio::test(flavor = "multi_thread")]
async fn filters_follow_the_effective_expiry() {
    let app = TestApp::start().await;
    let mut random = Random::new(16);
    let now = SystemClock.now().timestamp_micros();
    let day = 86_400_000_000_i64;
    let mut at = |days: usize| {
        now + day * i64::try_from(random.below(2 * days)).unwrap()
            - day * i64::try_from(days).unwrap()
            + day / 2
    };
    let rows: Vec<TokenRow> = (1..=60)
        .map(|number| TokenRow {
            created: at(40).min(now - 1),
            expiry: at(40),
            enabled: number % 3 != 0,
            ..TokenRow::new(number, format!("token {number:03}"))
        })
        .collect();
    TokenRow::insert(&rows, &app.database);
    let (all, since) = (TestDatabase::instant(0), TestDatabase::instant(now - 20 * day));
    let mut found = 0;
    for since in ["NULL", &since, &all] {
        app.database.execute(&format!(
            "UPDATE policy SET max_lifetime_seconds = {}, max_lifetime_since = {since}",
            15 * 86_400
        ));
        let every = list(&app, "{}", "CREATION_DATE").await;
        assert_eq!(every.len(), 60);
        let from = (now - 5 * day, now + 10 * day);
        let date = |micros: i64| {
            let date = chrono::DateTime::from_timestamp_micros(micros).unwrap();
            tokenwright::domain::clock::written(date)
        };
        let (after, before) = (date(from.0), date(from.1));
        let within = |token: &Value| {
            let end: chrono::DateTime<chrono::Utc> =
                token["effectiveExpiry"].as_str().unwrap().parse().unwrap();
            (from.0..from.1).contains(&end.timestamp_micros())
        };
        for chosen in 0..8 {
            let names = ["ACTIVE", "DISABLED", "EXPIRED"].into_iter().enumerate();
            let names: Vec<&str> =
                names.filter(|(bit, _)| chosen >> bit & 1 == 1).map(|(_, name)| name).collect();
            let has = |token: &Value| {
                names.is_empty() || names.contains(&token["status"].as_str().unwrap())
            };
            let status = names.join(", ");
            let window = format!("expiresAfter: \"{after}\", expiresBefore: \"{before}\"");
            for (filter, windowed) in [
                (format!("{{ status: [{status}] }}"), false),
                (format!("{{ status: [{status}], {window} }}"), true),
            ] {
                let expected: Vec<&str> = every
                    .iter()
                    .filter(|token| has(token) && (!windowed || within(token)))
                    .map(|token| token["name"].as_str().unwrap())
                    .collect();
                found += expected.len();
                for order in ["CREATION_DATE", "EXPIRY", "NAME"] {
                    let listed = list(&app, &filter, order).await;
                    let mut names: Vec<&str> =
                        listed.iter().map(|token| token["name"].as_str().unwrap()).collect();
                    let mut expected = expected.clone();
                    names.sort_unstable();
                    expected.sort_unstable();
                    assert_eq!(names, expected, "{filter} by {order} since {since}");
                }
            }
        }
    }
    assert!(found > 300, "{found}");
}

/// All numbered tokens that meet a filter, with the number that is counted.
async fn list(app: &TestApp, filter: &str, order: &str) -> Vec<Value> {
    let query = format!(
        "{{ apiTokens(first: 100, filter: {filter}, orderBy: {{ field: {order}, direction: ASC }}) \
         {{ totalCount nodes {{ name status effectiveExpiry }} }} }}"
    );
    let answer = app.query(&app.admin, &query).await;
    let nodes = answer.data()["apiTokens"]["nodes"].as_array().unwrap().clone();
    assert_eq!(answer.data()["apiTokens"]["totalCount"], nodes.len(), "{query}");
    nodes.into_iter().filter(|node| node["name"].as_str().unwrap().starts_with("token ")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_names_what_would_be_refused_and_changes_nothing() {
    let app = TestApp::start().await;
    let (old, new) = (made(&app, "old", json!({})).await, json!({}));
    app.clock.advance(TimeDelta::hours(2));
    let bound =
        json!({ "allowedAddresses": ["127.0.0.0/8"], "permissions": ["API_API_TOKENS_READ"] });
    let bound = made(&app, "bound", bound).await;
    made(&app, "new", new).await;
    let ended = made(&app, "ended", json!({})).await;
    app.database.execute("UPDATE api_tokens SET enabled = FALSE WHERE name = 'ended'");
    let query = "query ($input: PreviewPolicyInput!) { previewPolicy(input: $input) { \
                 callerRefusedBy usableCount rules { rule count } \
                 apiTokens(first: 2) { totalCount nodes { name } pageInfo { hasNextPage } } \
                 bound: apiTokens(rule: ALLOWED_ADDRESSES) { nodes { name } } } }";
    let input = json!({ "maxLifetimeSeconds": 3_600, "maxLifetimeScope": "ALL",
        "allowedAddressesScope": "ALL", "idleSeconds": 3_600, "idleScope": "ALL" });
    let seen = async |by: &str, input: &Value| {
        app.graphql(by, query, json!({ "input": input })).await.data()["previewPolicy"].clone()
    };
    let shown = seen(&bound.secret, &input).await;
    let rule = |rule: &str, count: i32| json!({ "rule": rule, "count": count });
    assert_eq!(shown["callerRefusedBy"], json!([]));
    assert_eq!(shown["usableCount"], 4);
    // The administrator was used a moment ago, which is not stored yet.
    assert_eq!(
        shown["rules"],
        json!([rule("MAX_LIFETIME", 2), rule("ALLOWED_ADDRESSES", 3), rule("IDLE", 2)])
    );
    assert_eq!(shown["apiTokens"]["totalCount"], 3);
    assert_eq!(shown["apiTokens"]["nodes"][0]["name"], "new");
    assert_eq!(shown["apiTokens"]["nodes"][1]["name"], "old");
    assert_eq!(shown["apiTokens"]["pageInfo"]["hasNextPage"], true);
    assert_eq!(shown["bound"]["nodes"].as_array().unwrap().len(), 3);
    let own = seen(&app.admin, &input).await;
    assert_eq!(own["callerRefusedBy"], json!(["MAX_LIFETIME", "ALLOWED_ADDRESSES"]));
    let nothing = seen(&app.admin, &json!({})).await;
    assert_eq!(nothing["apiTokens"]["totalCount"], 0);
    assert!(works(&app, &old.secret).await && !works(&app, &ended.secret).await);
    let faulty = json!({ "input": { "idleScope": "ALL" } });
    let faulty = app.graphql(&app.admin, query, faulty).await;
    assert_eq!(faulty.errors(), ["BAD_USER_INPUT idleSeconds duration_missing"]);
}
