//! Root fields: each response key is answered once, however often and wherever it is written.

use serde_json::json;

use crate::support::{Answer, Log, TestApp};

/// Sends a mutation of `$i`, the input of a token of this name.
async fn create(app: &TestApp, name: &str, selections: &str) -> Answer {
    let document = format!("mutation ($i: CreateApiTokenInput!) {selections}");
    let input = app.input(name, json!({}));
    app.graphql(&app.admin, &document, json!({ "i": input })).await
}

fn number_of_tokens(app: &TestApp) -> i64 {
    app.database.count("api_tokens")
}

/// How often a user was read for this answer.
fn reads(log: &Log, answer: &Answer) -> usize {
    let id = answer.header("x-request-id");
    assert!(!id.is_empty());
    log.lines_with(&[id, "tokenwright::repository::user::", "user_by_id"]).len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mutation_is_run_once_however_it_is_written() {
    let app = TestApp::start().await;
    for (n, selections) in [
        "{ createApiToken(input: $i) { token } createApiToken(input: $i) { apiToken { id } } }",
        "{ ...A ...B }
         fragment A on Mutation { createApiToken(input: $i) { apiToken { id } } }
         fragment B on Mutation { createApiToken(input: $i) { token } }",
        "{ ...A ...A } fragment A on Mutation { ...B ...B }
         fragment B on Mutation { createApiToken(input: $i) { token apiToken { id } } }",
        "{ ... { createApiToken(input: $i) { token } }
           ... on Mutation { createApiToken(input: $i) { apiToken { id } } } }",
        "{ createApiToken(input: $i) { token } ...A }
         fragment A on Mutation { ... { createApiToken(input: $i) { apiToken { id } } } }",
        "{ createApiToken(input: $i) { ...A } createApiToken: createApiToken(input: $i) { ...A } }
         fragment A on CreateApiTokenPayload { token apiToken { id } }",
        "{ createApiToken(input: $i) { apiToken { id } ... { token } }
           createApiToken(input: $i) { apiToken { name } token } }",
    ]
    .into_iter()
    .enumerate()
    {
        let before = number_of_tokens(&app);
        let answer = create(&app, &format!("token {n}"), selections).await;
        let payload = &answer.data()["createApiToken"];
        assert!(payload["apiToken"]["id"].is_string(), "{selections}");
        let secret = payload["token"].as_str().unwrap();
        let own = app.query(secret, "{ currentApiToken { name } }").await;
        let name = json!(format!("token {n}"));
        assert_eq!(own.data()["currentApiToken"]["name"], name);
        assert_eq!(number_of_tokens(&app), before + 1, "{selections}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn aliases_are_fields_of_their_own() {
    let app = TestApp::start().await;
    let selections =
        "{ a: createApiToken(input: $i) { token } b: createApiToken(input: $i) { token }
                        a: createApiToken(input: $i) { apiToken { name } } }";
    let answer = create(&app, "one", selections).await;
    assert_eq!(answer.errors(), ["CONFLICT name name_taken"]);
    assert_eq!(answer.json["errors"][0]["path"], json!(["b"]));
    let data = &answer.json["data"];
    assert!(data["a"]["token"].is_string());
    assert_eq!(data["a"]["apiToken"]["name"], "one");
    assert!(data["b"].is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_is_run_once_however_it_is_written() {
    let log = Log::start();
    let app = TestApp::start().await;
    let fields = "currentUser { id } ".repeat(490);
    let spreads = "...A ... { ...B } ".repeat(20);
    for document in [
        "{ currentUser { id } }".to_owned(),
        format!("{{ {fields} }}"),
        format!("{{ ...A }} fragment A on Query {{ {fields} }}"),
        format!(
            "{{ {spreads} }} fragment A on Query {{ currentUser {{ id }} }} \
             fragment B on Query {{ currentUser {{ name }} ...A }}"
        ),
    ] {
        let answer = app.query(&app.admin, &document).await;
        assert!(answer.data()["currentUser"]["id"].is_string());
        assert_eq!(reads(log, &answer), 1, "{document}");
    }
    let two = app.query(&app.admin, "{ a: currentUser { id } currentUser { id } }").await;
    assert_eq!(reads(log, &two), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_keep_their_order() {
    let app = TestApp::start().await;
    for (document, expected) in [
        (
            "{ ...F } fragment F on Query { currentUser { name } }",
            r#"{"currentUser":{"name":"administrator"}}"#,
        ),
        (
            "{ z: __typename ...F currentUser { name } y: __typename z: __typename }
             fragment F on Query { a: __typename currentUser { serviceAccount } }",
            r#"{"z":"Query","a":"Query","currentUser":{"serviceAccount":true,"name":"administrator"},"y":"Query"}"#,
        ),
        ("{ __typename __typename ... on Query { __typename } }", r#"{"__typename":"Query"}"#),
        (
            "{ currentUser { apiToken { name } } currentUser { name apiToken { status name } } }",
            r#"{"currentUser":{"apiToken":{"name":"administrator","status":"ACTIVE"},"name":"administrator"}}"#,
        ),
        (
            "query A { ...F } query B { currentUser { name } } fragment F on Query { a: __typename }",
            r#"{"a":"Query"}"#,
        ),
    ] {
        let body = json!({ "query": document, "operationName": document.contains("query A").then_some("A") });
        let request = app.post().bearer_auth(&app.admin).body(body.to_string());
        let answer = Answer::of(request.send().await.unwrap()).await;
        assert_eq!(answer.text, format!("{{\"data\":{expected}}}"), "{document}");
    }
}

/// Selections at the root of a query, and the response keys of the answer.
const CONDITIONS: [(&str, &str); 15] = [
    // Neither a fragment nor a duplicate.
    ("a: __typename @include(if: $on) b: __typename @skip(if: $on)", "a"),
    ("a: __typename @include(if: $off) b: __typename @skip(if: $off)", "b"),
    ("a: __typename @include(if: $x) b: __typename @skip(if: $x)", "a"),
    // Spreads.
    ("...A @include(if: $on) ...B @skip(if: $on)", "a"),
    ("...A @include(if: $off) ...B @skip(if: $off)", "b"),
    ("...A @include(if: $x) ...B @skip(if: $x)", "a"),
    ("...A @skip(if: $x) ...B ...A", "b a"),
    ("...A @include(if: true) ...B @include(if: false)", "a"),
    ("...A @include(if: $on) @skip(if: $x) ...B", "b"),
    ("...A ...B ...C", "a b"),
    // Inline fragments.
    ("... @include(if: $on) { a: __typename } ... @skip(if: $on) { ...B }", "a"),
    ("... on Query @include(if: $off) { ...A } ...B", "b"),
    // Duplicates.
    ("a: __typename @skip(if: $on) b: __typename a: __typename", "b a"),
    ("a: __typename @skip(if: $x) b: __typename a: __typename @include(if: $off)", "b"),
    ("a: __typename @include(if: $x) b: __typename a: __typename @include(if: $off)", "a b"),
];

const FRAGMENTS: [(&str, &str); 3] = [
    ("...A", "fragment A on Query { a: __typename }"),
    ("...B", "fragment B on Query { b: __typename }"),
    ("...C", "fragment C on Query { c: __typename @skip(if: $x) }"),
];

#[tokio::test(flavor = "multi_thread")]
async fn conditions_decide_what_is_collected() {
    let app = TestApp::start().await;
    // A document must use all its variables and fragments.
    let uses = "permissions @skip(if: true) {
        code @include(if: $on) action @include(if: $off) resource @include(if: $x) }";
    for (selections, keys) in CONDITIONS {
        let used = FRAGMENTS.iter().filter(|(name, _)| selections.contains(name));
        let fragments: String = used.map(|(_, text)| *text).collect();
        let document = format!(
            "query ($on: Boolean! = true, $off: Boolean = false, $x: Boolean!) {{
                {selections} {uses} }} {fragments}"
        );
        let variables = json!({ "x": true });
        let answer = app.graphql(&app.admin, &document, variables).await;
        let fields = keys.split(' ').map(|key| format!("\"{key}\":\"Query\""));
        let fields: Vec<String> = fields.collect();
        let expected = format!("{{\"data\":{{{}}}}}", fields.join(","));
        assert_eq!(answer.text, expected, "{document}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_default_gives_way_to_a_value() {
    let app = TestApp::start().await;
    let document = "query ($on: Boolean = true) { ...A @include(if: $on) b: __typename }
                    fragment A on Query { a: __typename }";
    for (variables, expected) in [
        (json!({}), json!({ "a": "Query", "b": "Query" })),
        (json!({ "on": true }), json!({ "a": "Query", "b": "Query" })),
        (json!({ "on": false }), json!({ "b": "Query" })),
    ] {
        let answer = app.graphql(&app.admin, document, variables).await;
        assert_eq!(*answer.data(), expected);
    }
    let variables = json!({ "on": null });
    let null = app.graphql(&app.admin, document, variables).await;
    assert_eq!(null.errors(), ["BAD_USER_INPUT if validation"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_of_a_mutation_whose_fields_are_all_skipped() {
    let app = TestApp::start().await;
    let before = number_of_tokens(&app);
    let selections =
        "{ ...A @skip(if: true) createApiToken(input: $i) @include(if: false) { token } }
                      fragment A on Mutation { createApiToken(input: $i) { token } }";
    let answer = create(&app, "none", selections).await;
    assert_eq!(answer.text, r#"{"data":{}}"#);
    assert_eq!(number_of_tokens(&app), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_that_contradict_each_other_are_refused() {
    let app = TestApp::start().await;
    for document in [
        "{ a: currentUser { id } a: currentApiToken { id } }",
        "{ node(id: \"a\") { id } node(id: \"b\") { id } }",
        "{ a: currentUser { id } ... on Query { a: currentApiToken { id } } }",
        "{ node(id: \"a\") { id } ... { node(id: \"b\") { id } } }",
        "{ ...A ... on Query { node(id: \"b\") { id } } } fragment A on Query { node(id: \"a\") { id } }",
        "{ ...A ...B } fragment A on Query { node(id: \"a\") { id } } fragment B on Query { node(id: \"b\") { id } }",
        "{ ...A node(id: \"b\") { id } } fragment A on Query { node(id: \"a\") { id } }",
        "{ currentUser { a: id } currentUser { a: name } }",
    ] {
        let answer = app.query(&app.admin, document).await;
        assert!(answer.json.get("data").is_none(), "{document}");
        assert_eq!(answer.errors().first().unwrap(), "BAD_USER_INPUT validation", "{document}");
        assert!(answer.message().contains("conflict"), "{}", answer.message());
    }
    let before = number_of_tokens(&app);
    let selections = "{ createApiToken(input: $i) { token } ... { createApiToken(input: {
        name: \"b\", expiry: \"2100-01-01T00:00:00Z\", permissions: [] }) { token } } }";
    let answer = create(&app, "a", selections).await;
    assert_eq!(answer.errors(), ["BAD_USER_INPUT validation"]);
    assert_eq!(number_of_tokens(&app), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_is_validated_as_it_was_sent() {
    let app = TestApp::start().await;
    for document in [
        "{ ...A } fragment A on Query { nothing }",
        "{ ...A } fragment A on User { id }",
        "{ ...A ... @skip(if: true) { nothing } } fragment A on Query { __typename }",
        "{ ...A @skip(if: true) } fragment A on Query { nothing }",
        "{ ...A } fragment A on Query { __typename } fragment B on Query { __typename }",
        "{ ...A ...B } fragment A on Query { __typename }",
        "query ($unused: Int) { ...A } fragment A on Query { __typename }",
        "{ ...A @include(if: $x) } fragment A on Query { __typename }",
        "{ ...A @include } fragment A on Query { __typename }",
        "{ currentUser { id } currentUser { nothing } }",
        "{ currentUser { id } currentUser }",
    ] {
        let answer = app.query(&app.admin, document).await;
        assert!(answer.json.get("data").is_none(), "{document}");
        assert_eq!(answer.errors(), ["BAD_USER_INPUT validation"], "{document}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_a_collected_document_is_refused_all_the_same() {
    let app = TestApp::start().await;
    let document = "{ ...A ...A __typename } fragment A on Query { currentUser { id } }";
    let body = json!({ "query": document }).to_string();
    let answer = Answer::of(app.post().body(body).send().await.unwrap()).await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.errors(), ["UNAUTHENTICATED token_missing"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mutation_has_at_most_fifty_root_fields() {
    let app = TestApp::start().await;
    let before = number_of_tokens(&app);
    let fields = |number| "createApiToken(input: $i) { token } ".repeat(number);
    let (fifty, more) = (fields(50), fields(51));
    let most = create(&app, "fifty", &format!("{{ {fifty} }}")).await;
    assert!(most.data()["createApiToken"]["token"].is_string());
    for selections in [
        format!("{{ {more} }}"),
        format!("{{ ... {{ {more} }} }}"),
        format!("{{ ...A __typename }} fragment A on Mutation {{ {fifty} }}"),
        format!("{{ ...A ...A }} fragment A on Mutation {{ {} }}", fields(26)),
    ] {
        let answer = create(&app, "more", &selections).await;
        assert_eq!(answer.errors(), ["BAD_USER_INPUT root_field_limit"]);
        assert!(answer.message().contains("at most 50 root fields"));
        assert!(answer.json.get("data").is_none());
    }
    assert_eq!(number_of_tokens(&app), before + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn at_most_a_hundred_errors_of_fields_are_told() {
    let app = TestApp::start().await;
    let field = |n: usize| format!("a{n}: createApiToken(input: $i) {{ token }}");
    let fields: Vec<String> = (0..30).map(field).collect();
    let document = |number: usize| {
        let fields = fields[..number].join(" ");
        format!("mutation ($i: CreateApiTokenInput!) {{ {fields} }}")
    };
    let input = json!({
        "name": "", "expiry": "soon", "permissions": [],
        "allowedAddresses": vec!["x"; 50],
    });
    let variables = json!({ "i": input });
    let sent = async |number| {
        let document = document(number);
        app.graphql(&app.admin, &document, variables.clone()).await
    };
    let one = sent(1).await.errors().len();
    assert!((10..100).contains(&one), "{one}");
    assert!(30 * one > 100);
    let all = sent(30).await;
    assert_eq!(all.errors().len(), 100);
    assert_eq!(all.json["data"].as_object().unwrap().len(), 30);
}
