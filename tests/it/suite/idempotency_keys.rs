//! `idempotencyKey`: a request whose answer was lost can be sent again.

use std::time::Duration;

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Answer, Made, Options, TestApp, eventually, made, stored, works};

const RENEW: &str = "mutation ($input: RenewApiTokenInput!) { renewApiToken(input: $input) {
    token apiToken { id name userId version renewedFrom { id version expiry } } } }";
const UPDATE: &str = "mutation ($input: UpdateApiTokenInput!) { updateApiToken(input: $input) {
    apiToken { version } } }";
const DELETE: &str = "mutation ($input: DeleteApiTokenInput!) { deleteApiToken(input: $input) {
    deletedApiTokenId } }";
const REUSED: [&str; 1] = ["CONFLICT idempotencyKey idempotency_key_reused"];
const SPENT: [&str; 1] = ["CONFLICT idempotencyKey idempotency_key_spent"];

/// What `createApiToken` has made.
fn created(answer: &Answer) -> Made {
    Made::of(&answer.data()["createApiToken"])
}

/// What `renewApiToken` has made.
fn renewed(answer: &Answer) -> Made {
    Made::of(&answer.data()["renewApiToken"])
}

async fn renew(app: &TestApp, input: &Value) -> Answer {
    app.graphql(&app.admin, RENEW, json!({ "input": input })).await
}

/// The live tokens of this name.
async fn live(app: &TestApp, name: &str) -> Vec<String> {
    let query =
        format!("{{ apiTokens(filter: {{ nameContains: \"{name}\" }}) {{ nodes {{ id }} }} }}");
    let answer = app.query(&app.admin, &query).await;
    let nodes = answer.data()["apiTokens"]["nodes"].as_array().unwrap();
    nodes.iter().map(|node| node["id"].as_str().unwrap().to_owned()).collect()
}

/// What happened to a token, the oldest first: who did what, and to what it was changed.
async fn events(app: &TestApp, id: &str) -> Vec<String> {
    let query = format!(
        "{{ auditEvents(last: 100, filter: {{ targetId: \"{id}\" }}) {{ nodes {{
            action actor {{ userName }} changes {{ field after }} }} }} }}"
    );
    let answer = app.query(&app.admin, &query).await;
    let nodes = answer.data()["auditEvents"]["nodes"].as_array().unwrap().iter().rev();
    nodes
        .map(|node| {
            let word = |value: &Value| value.as_str().unwrap().to_owned();
            let replaced = node["changes"].as_array().unwrap().iter();
            let replaced = replaced.filter(|change| change["field"] == "replacedBy");
            let replaced: String =
                replaced.map(|change| format!(" {}", word(&change["after"]))).collect();
            format!("{} {}{replaced}", word(&node["actor"]["userName"]), word(&node["action"]))
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_ends_the_orphan_and_shows_a_fresh_secret() {
    let app = TestApp::start().await;
    let input =
        app.input("ci", json!({ "idempotencyKey": "a-key", "allowedAddresses": ["127.0.0.1"] }));
    let first = created(&app.create(&app.admin, input.clone()).await);
    let answer = app.create(&app.admin, input.clone()).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(!answer.text.contains(&first.secret));
    let second = created(&answer);
    assert_ne!((&first.id, &first.user_id), (&second.id, &second.user_id));
    assert_eq!(live(&app, "ci").await, [second.id.as_str()]);
    let third = created(&app.create(&app.admin, input).await);
    assert!(!works(&app, &first.secret).await);
    assert!(!works(&app, &second.secret).await);
    assert!(works(&app, &third.secret).await);

    let by = "administrator";
    let deleted = |by_what: &Made| format!("{by} API_TOKEN_DELETED {}", by_what.id);
    let was_created = format!("{by} API_TOKEN_CREATED");
    assert_eq!(events(&app, &first.id).await, [was_created.clone(), deleted(&second)]);
    assert_eq!(events(&app, &second.id).await, [was_created.clone(), deleted(&third)]);
    assert_eq!(events(&app, &third.id).await, [was_created]);
    let query = format!("{{ user(id: \"{}\") {{ enabled }} }}", first.user_id);
    assert_eq!(app.query(&app.admin, &query).await.data()["user"]["enabled"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_key_a_second_request_is_another_one() {
    let app = TestApp::start().await;
    for key in [json!({}), json!({ "idempotencyKey": null })] {
        let name = format!("ci {}", key.as_object().unwrap().len());
        created(&app.create(&app.admin, app.input(&name, key.clone())).await);
        let again = app.create(&app.admin, app.input(&name, key)).await;
        assert_eq!(again.errors(), ["CONFLICT name name_taken"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_belongs_to_its_input() {
    let app = TestApp::start().await;
    let key = json!({ "idempotencyKey": "a-key" });
    let input = app.input("ci", key.clone());
    let first = created(&app.create(&app.admin, input.clone()).await);
    let before = stored(&app);
    for more in [
        json!({ "name": "cd" }),
        json!({ "expiry": app.in_time(TimeDelta::days(31)) }),
        json!({ "permissions": ["API_USERS_READ"] }),
        json!({ "allowedAddresses": ["127.0.0.1"] }),
    ] {
        let mut other = input.clone();
        for (field, value) in more.as_object().unwrap() {
            other[field] = value.clone();
        }
        assert_eq!(app.create(&app.admin, other).await.errors(), REUSED, "{more}");
    }
    let expiry = app.in_time(TimeDelta::days(30));
    let other = json!({ "id": first.id, "expiry": expiry, "idempotencyKey": "a-key" });
    assert_eq!(renew(&app, &other).await.errors(), REUSED);
    assert_eq!(stored(&app), before);
    // Another spelling of the same input is none.
    let mut same = input.clone();
    same["permissions"] = json!(["API_ORGANIZATIONS_READ", "API_ORGANIZATIONS_READ"]);
    same["allowedAddresses"] = json!([]);
    let second = created(&app.create(&app.admin, same).await);
    assert_eq!(live(&app, "ci").await, [second.id]);
    assert!(!works(&app, &first.secret).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_caller_has_keys_of_its_own() {
    let app = TestApp::start().await;
    let maker = json!({ "permissions": ["API_API_TOKENS_WRITE", "API_ORGANIZATIONS_READ"] });
    let maker = made(&app, "maker", maker).await;
    let input = app.input("ci", json!({ "idempotencyKey": "a-key" }));
    let first = created(&app.create(&app.admin, input.clone()).await);
    let answer = app.create(&maker.secret, input.clone()).await;
    assert_eq!(answer.errors(), ["CONFLICT name name_taken"]);
    let mut other = input;
    other["name"] = "cd".into();
    created(&app.create(&maker.secret, other).await);
    assert!(works(&app, &first.secret).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_has_a_form_and_its_faults_come_with_the_others() {
    let app = TestApp::start().await;
    for key in ["", " ", "a b", "a\n", "ä", &"k".repeat(201)] {
        let input = app.input("", json!({ "idempotencyKey": key }));
        let expected = [
            "BAD_USER_INPUT name name_empty",
            "BAD_USER_INPUT idempotencyKey idempotency_key_syntax",
        ];
        assert_eq!(app.create(&app.admin, input).await.errors(), expected, "{key:?}");
    }
    let input = app.input("ci", json!({ "idempotencyKey": "~".repeat(200) }));
    created(&app.create(&app.admin, input).await);
    for (place, bytes) in app.database.kept() {
        assert!(!bytes.windows(20).any(|part| part == [b'~'; 20]), "{place} has the key itself");
    }
}

/// What somebody holds, or has dealt with, is no orphan.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_in_use_is_not_replaced() {
    let app = TestApp::start().await;
    for what in ["used", "used elsewhere", "changed", "renewed", "deleted"] {
        let input = app.input(what, json!({ "idempotencyKey": what.replace(' ', "-") }));
        let first = created(&app.create(&app.admin, input.clone()).await);
        let id = &first.id;
        match what {
            "used" => assert!(works(&app, &first.secret).await),
            "used elsewhere" => app.database.execute(
                "UPDATE api_tokens SET last_used_date = creation_date WHERE name = 'used elsewhere'",
            ),
            "changed" => {
                let change = json!({ "id": id, "version": 1, "name": "changed by hand" });
                app.graphql(&app.admin, UPDATE, json!({ "input": change })).await.data();
            }
            "renewed" => {
                let expiry = app.in_time(TimeDelta::days(1));
                renewed(&renew(&app, &json!({ "id": id, "expiry": expiry, "name": "new" })).await);
            }
            _ => {
                app.graphql(&app.admin, DELETE, json!({ "input": { "id": id } })).await.data();
            }
        }
        let before = stored(&app);
        assert_eq!(app.create(&app.admin, input).await.errors(), SPENT, "{what}");
        assert_eq!(stored(&app), before, "{what}");
        assert_eq!(works(&app, &first.secret).await, what != "deleted", "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_can_be_sent_again() {
    let app = TestApp::start().await;
    let old = made(&app, "ci", json!({})).await;
    let expiry = app.in_time(TimeDelta::days(60));
    let input = json!({
        "id": old.id, "expiry": expiry, "overlapSeconds": 3600, "idempotencyKey": "a-key",
    });
    let answer = renew(&app, &input).await;
    let end = answer.data()["renewApiToken"]["apiToken"]["renewedFrom"].clone();
    let first = renewed(&answer);
    app.clock.advance(TimeDelta::minutes(5));
    let answer = renew(&app, &input).await;
    let second = renewed(&answer);
    let payload = &answer.data()["renewApiToken"]["apiToken"];
    assert_eq!(payload["renewedFrom"], end, "the old token ends when it was to end");
    assert!(payload["name"].as_str().unwrap().starts_with("ci 20"));
    assert_eq!(live(&app, "ci 20").await, [second.id.as_str()]);
    let was = events(&app, &first.id).await;
    assert_eq!(
        was,
        [
            "administrator API_TOKEN_RENEWED".to_owned(),
            format!("administrator API_TOKEN_DELETED {}", second.id)
        ]
    );

    let mut other = input.clone();
    other["overlapSeconds"] = 0.into();
    assert_eq!(renew(&app, &other).await.errors(), REUSED);
    assert!(!works(&app, &first.secret).await);
    assert!(works(&app, &second.secret).await);
    assert!(works(&app, &old.secret).await);
    assert_eq!(renew(&app, &input).await.errors(), SPENT);
}

/// All of them want the same token: one is left, and one of the answers has its secret.
#[tokio::test(flavor = "multi_thread")]
async fn of_many_at_once_one_token_is_left() {
    let app = TestApp::start().await;
    let old = made(&app, "old", json!({})).await;
    let input = app.input("ci", json!({ "idempotencyKey": "create" }));
    let renewal = json!({
        "id": old.id, "expiry": app.in_time(TimeDelta::days(60)), "name": "cd",
        "idempotencyKey": "renew",
    });
    let creations = join_all((0..8).map(|_| app.create(&app.admin, input.clone())));
    let renewals = join_all((0..8).map(|_| renew(&app, &renewal)));
    let (creations, renewals) = tokio::join!(creations, renewals);
    for (name, field, answers) in
        [("ci", "createApiToken", creations), ("cd", "renewApiToken", renewals)]
    {
        let left = live(&app, name).await;
        assert_eq!(left.len(), 1, "{name}: {left:?}");
        let mut secrets = Vec::new();
        for answer in &answers {
            secrets.push(Made::of(&answer.data()[field]));
        }
        let mut working = Vec::new();
        for made in &secrets {
            if works(&app, &made.secret).await {
                working.push(made.id.clone());
            }
        }
        assert_eq!(working, left, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_kept_for_a_day() {
    let last_use_interval = Duration::from_millis(50);
    let app = TestApp::with(Options { last_use_interval, ..Options::default() }).await;
    created(&app.create(&app.admin, app.input("one", json!({ "idempotencyKey": "key" }))).await);
    app.clock.advance(TimeDelta::days(1) - TimeDelta::minutes(1));
    let other = |name: &str| app.input(name, json!({ "idempotencyKey": "key" }));
    assert_eq!(app.create(&app.admin, other("two")).await.errors(), REUSED);
    app.clock.advance(TimeDelta::minutes(2));
    created(&app.create(&app.admin, other("three")).await);
    assert_eq!(live(&app, "one").await.len(), 1);
    app.clock.advance(TimeDelta::days(2));
    eventually("old keys are removed", || app.database.count("idempotency_keys") == 0).await;
    assert_eq!(live(&app, "three").await.len(), 1);
}
