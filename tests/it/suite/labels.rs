//! What a token is for: its description and its labels.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{Answer, Made, TestApp, made, stored, works};

const UPDATE: &str = "mutation ($input: UpdateApiTokenInput!) { updateApiToken(input: $input) {
    apiToken { version description labels { key value } } } }";
const RENEW: &str = "mutation ($input: RenewApiTokenInput!) { renewApiToken(input: $input) {
    token apiToken { id userId description labels { key value } } } }";
const OWN: &str = "{ currentApiToken { version description labels { key value } } }";

/// Labels as clients write them.
fn labels(pairs: &[(&str, &str)]) -> Value {
    pairs.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect()
}

async fn update(app: &TestApp, token: &str, input: Value) -> Answer {
    app.graphql(token, UPDATE, json!({ "input": input })).await
}

/// The version, the description and the labels that an update shows.
fn updated(answer: &Answer) -> (i64, &str, &Value) {
    let token = &answer.data()["updateApiToken"]["apiToken"];
    let version = token["version"].as_i64().unwrap();
    (version, token["description"].as_str().unwrap(), &token["labels"])
}

/// The pairs in the index of labels, as `key=value`, sorted.
fn indexed(app: &TestApp) -> Vec<String> {
    app.database.texts("SELECT key || '=' || value AS text FROM api_token_labels ORDER BY 1")
}

/// What the newest event says about the changes of labels and description.
fn newest_changes(app: &TestApp) -> Value {
    let newest = "SELECT changes AS text FROM audit_events ORDER BY date DESC, id DESC LIMIT 1";
    let mut changes: Value = serde_json::from_str(&app.database.texts(newest)[0]).unwrap();
    changes.as_array_mut().unwrap().retain(|change| {
        let field = change["field"].as_str().unwrap();
        field == "description" || field.starts_with("labels")
    });
    changes
}

#[tokio::test(flavor = "multi_thread")]
async fn they_are_shown_as_they_were_given_sorted_by_their_keys() {
    let app = TestApp::start().await;
    let text = "Für die Buchhaltung\n\tsiehe \"Wiki\" \\ 👩‍🔧";
    let given = [("tenant", "acme"), ("a.b_c-9", "Ä \"q\" \\ , = 👩‍🔧"), ("env", "")];
    let input = json!({ "description": text, "labels": labels(&given) });
    let answer = app.create(&app.admin, app.input("ci", input)).await;
    let sorted = labels(&[("a.b_c-9", "Ä \"q\" \\ , = 👩‍🔧"), ("env", ""), ("tenant", "acme")]);
    let created = &answer.data()["createApiToken"];
    assert_eq!(created["apiToken"]["labels"], sorted);
    let own = app.query(created["token"].as_str().unwrap(), OWN).await;
    let expected = json!({ "version": 1, "description": text, "labels": sorted });
    assert_eq!(own.data()["currentApiToken"], expected);
    let expected = json!([
        { "field": "description", "before": null, "after": text },
        { "field": "labels.a.b_c-9", "before": null, "after": "Ä \"q\" \\ , = 👩‍🔧" },
        { "field": "labels.env", "before": null, "after": "" },
        { "field": "labels.tenant", "before": null, "after": "acme" },
    ]);
    assert_eq!(newest_changes(&app), expected);

    for (name, none) in [
        ("left out", json!({})),
        ("null", json!({ "description": null, "labels": null })),
        ("empty", json!({ "description": "", "labels": [] })),
    ] {
        let plain = made(&app, name, none).await;
        let own = app.query(&plain.secret, OWN).await;
        let expected = json!({ "version": 1, "description": "", "labels": [] });
        assert_eq!(own.data()["currentApiToken"], expected, "{name}");
        assert_eq!(newest_changes(&app), json!([]), "{name}");
    }
}

/// What is reported of a fault: field, reason and position.
type Told = (&'static str, &'static str, Value);

/// Labels and a description with faults, and what is reported.
fn faults() -> Vec<(Value, Vec<Told>)> {
    let many: Vec<(String, String)> = (0..21).map(|n| (format!("k{n}"), String::new())).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(key, value)| (&**key, &**value)).collect();
    vec![
        (
            json!({
                "description": "ü".repeat(1001),
                "labels": labels(&[
                    ("Tenant", "\n"), ("env", "ok"), ("", "ok"), ("env", &"v".repeat(201)),
                    (&"k".repeat(64), "\u{202e}"),
                ]),
            }),
            vec![
                ("description", "description_too_long", Value::Null),
                ("labels", "label_key_syntax", json!(0)),
                ("labels", "label_value_control_character", json!(0)),
                ("labels", "label_key_syntax", json!(2)),
                ("labels", "label_key_duplicate", json!(3)),
                ("labels", "label_value_too_long", json!(3)),
                ("labels", "label_key_syntax", json!(4)),
                ("labels", "label_value_control_character", json!(4)),
            ],
        ),
        (
            json!({ "description": "a\u{0}b", "labels": labels(&many) }),
            vec![
                ("description", "description_control_character", Value::Null),
                ("labels", "labels_too_many", Value::Null),
            ],
        ),
    ]
}

#[track_caller]
fn assert_faults(answer: &Answer, expected: &[Told]) {
    let errors = answer.json["errors"].as_array().unwrap();
    let told: Vec<_> = errors
        .iter()
        .map(|error| {
            let extensions = &error["extensions"];
            assert_eq!(extensions["code"], "BAD_USER_INPUT", "{error}");
            let text = |name: &str| extensions[name].as_str().unwrap();
            (text("field"), text("reason"), extensions["index"].clone())
        })
        .collect();
    assert_eq!(told, expected, "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_faults_are_reported_together_and_nothing_is_half_done() {
    let app = TestApp::start().await;
    let ci = made(&app, "ci", json!({ "labels": labels(&[("tenant", "acme")]) })).await;
    let before = stored(&app);
    for (input, mut expected) in faults() {
        let mut change = json!({ "id": ci.id, "version": 1, "enabled": false });
        change.as_object_mut().unwrap().extend(input.as_object().unwrap().clone());
        assert_faults(&update(&app, &app.admin, change).await, &expected);

        let mut creation = app.input("", input);
        creation["permissions"] = json!([]);
        expected.insert(0, ("name", "name_empty", Value::Null));
        expected.push(("permissions", "permissions_empty", Value::Null));
        assert_faults(&app.create(&app.admin, creation).await, &expected);
    }
    assert_eq!(stored(&app), before);
    assert_eq!(indexed(&app), ["tenant=acme"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_replaces_all_labels_and_is_a_new_version() {
    let app = TestApp::start().await;
    let before = labels(&[("env", "test"), ("team", "a"), ("tenant", "acme")]);
    let ci = made(&app, "ci", json!({ "description": "old", "labels": before })).await;
    let after = [("env", "production"), ("tenant", "acme"), ("tier", "gold")];
    let input =
        json!({ "id": ci.id, "version": 1, "description": "new", "labels": labels(&after) });
    let answer = update(&app, &app.admin, input.clone()).await;
    assert_eq!(updated(&answer), (2, "new", &labels(&after)));
    let expected = json!([
        { "field": "description", "before": "old", "after": "new" },
        { "field": "labels.env", "before": "test", "after": "production" },
        { "field": "labels.team", "before": "a", "after": null },
        { "field": "labels.tier", "before": null, "after": "gold" },
    ]);
    assert_eq!(newest_changes(&app), expected);
    assert_eq!(indexed(&app), ["env=production", "tenant=acme", "tier=gold"]);
    assert_eq!(update(&app, &app.admin, input).await.errors(), ["CONFLICT version version_stale"]);

    // What is left out or null stays, and what is the same is no change, in whatever order.
    let reversed: Vec<_> = after.into_iter().rev().collect();
    let before = stored(&app);
    for same in [
        json!({}),
        json!({ "description": null, "labels": null }),
        json!({ "description": "new" }),
        json!({ "labels": labels(&reversed) }),
    ] {
        let mut input = json!({ "id": ci.id, "version": 2 });
        input.as_object_mut().unwrap().extend(same.as_object().unwrap().clone());
        let answer = update(&app, &app.admin, input).await;
        assert_eq!(updated(&answer), (2, "new", &labels(&after)), "{same}");
        assert_eq!(stored(&app), before, "{same}");
    }
    let input = json!({ "id": ci.id, "version": 2, "name": "other" });
    assert_eq!(updated(&update(&app, &app.admin, input).await), (3, "new", &labels(&after)));
    let input = json!({ "id": ci.id, "version": 3, "description": "", "labels": [] });
    assert_eq!(updated(&update(&app, &app.admin, input).await), (4, "", &json!([])));
    assert_eq!(indexed(&app), [""; 0]);
    let removed = json!({ "field": "labels.tier", "before": "gold", "after": null });
    assert_eq!(newest_changes(&app)[3], removed);
    assert!(works(&app, &ci.secret).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn they_are_changed_by_whoever_may_rename_the_token() {
    let app = TestApp::start().await;
    let grant = json!({ "permissions": ["API_API_TOKENS_WRITE", "API_ORGANIZATIONS_READ"] });
    let writer = made(&app, "writer", grant).await;
    let within = made(&app, "within", json!({})).await;
    let wider = made(&app, "wider", json!({ "permissions": ["API_USERS_READ"] })).await;
    let reader = made(&app, "reader", json!({ "permissions": ["API_API_TOKENS_READ"] })).await;
    let input = |of: &Made| json!({ "id": of.id, "version": 1, "description": "d", "labels": labels(&[("k", "v")]) });
    // What the caller gave is shown, whether it may read tokens or not.
    let answer = update(&app, &writer.secret, input(&within)).await;
    assert_eq!(updated(&answer), (2, "d", &labels(&[("k", "v")])));
    let answer = update(&app, &writer.secret, input(&writer)).await;
    assert_eq!(updated(&answer), (2, "d", &labels(&[("k", "v")])));
    let before = stored(&app);
    let hidden = json!({ "id": within.id, "version": 2, "description": "e" });
    let answer = update(&app, &writer.secret, hidden).await;
    assert_eq!(answer.errors(), ["FORBIDDEN permission_missing"], "it did not give the labels");
    assert_eq!(update(&app, &writer.secret, input(&wider)).await.errors(), ["NOT_FOUND"]);
    let answer = update(&app, &reader.secret, input(&within)).await;
    assert_eq!(answer.errors(), ["FORBIDDEN permission_missing"]);
    assert_eq!(stored(&app), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_has_those_of_the_old_token() {
    let app = TestApp::start().await;
    let purpose = json!({ "description": "d", "labels": labels(&[("tenant", "acme")]) });
    let old = made(&app, "ci", purpose).await;
    let changed = json!({ "id": old.id, "version": 1, "labels": labels(&[("tenant", "globex")]) });
    update(&app, &app.admin, changed).await.data();
    let input = json!({ "id": old.id, "expiry": app.in_time(TimeDelta::days(9)) });
    let answer = app.graphql(&app.admin, RENEW, json!({ "input": input })).await;
    let renewed = &answer.data()["renewApiToken"];
    assert_eq!(renewed["apiToken"]["description"], "d");
    assert_eq!(renewed["apiToken"]["labels"], labels(&[("tenant", "globex")]));
    let own = app.query(&Made::of(renewed).secret, OWN).await;
    assert_eq!(own.data()["currentApiToken"]["labels"], labels(&[("tenant", "globex")]));
    let expected = json!([
        { "field": "description", "before": null, "after": "d" },
        { "field": "labels.tenant", "before": null, "after": "globex" },
    ]);
    assert_eq!(newest_changes(&app), expected);
    assert_eq!(indexed(&app), ["tenant=globex", "tenant=globex"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn they_are_part_of_the_input_of_an_idempotency_key() {
    let app = TestApp::start().await;
    let same = app.input("ci", json!({ "idempotencyKey": "a-key" }));
    let create = async |more: Value| {
        let mut input = same.clone();
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        app.create(&app.admin, input).await
    };
    let both = labels(&[("env", "test"), ("tenant", "acme")]);
    let first = create(json!({ "description": "d", "labels": both })).await;
    let first = Made::of(&first.data()["createApiToken"]);
    for other in [
        json!({ "description": "e", "labels": both }),
        json!({ "description": "d", "labels": labels(&[("tenant", "acme")]) }),
        json!({ "description": "d", "labels": labels(&[("env", "acme"), ("tenant", "test")]) }),
        json!({}),
    ] {
        let expected = ["CONFLICT idempotencyKey idempotency_key_reused"];
        assert_eq!(create(other.clone()).await.errors(), expected, "{other}");
    }
    let reversed = labels(&[("tenant", "acme"), ("env", "test")]);
    let second = create(json!({ "description": "d", "labels": reversed })).await;
    let second = Made::of(&second.data()["createApiToken"]);
    assert!(!works(&app, &first.secret).await && works(&app, &second.secret).await);
    assert_eq!(indexed(&app), ["env=test", "tenant=acme"], "those of the first one are gone");
}
