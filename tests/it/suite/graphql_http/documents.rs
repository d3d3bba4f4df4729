//! What is wrong with a document or its variables is reported before anything runs.

use serde_json::{Value, json};

use super::{anonymous, assert_refused, body, strict};
use crate::support::{Answer, Log, TestApp};

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_a_document_are_told_before_anything_runs() {
    let app = TestApp::start().await;
    for (document, expected) in [
        ("", "BAD_USER_INPUT syntax"),
        ("# nothing", "BAD_USER_INPUT syntax"),
        ("{", "BAD_USER_INPUT syntax"),
        ("{ a: }", "BAD_USER_INPUT syntax"),
        ("{ node(id: \"x) { id } }", "BAD_USER_INPUT syntax"),
        ("type Query { a: Int }", "BAD_USER_INPUT syntax"),
        ("{ __typename } { __typename }", "BAD_USER_INPUT syntax"),
        ("fragment F on Query { __typename }", "BAD_USER_INPUT syntax"),
        ("query A { __typename } query A { __typename }", "BAD_USER_INPUT syntax"),
        ("query A { __typename } query B { __typename }", "BAD_USER_INPUT operation_name_missing"),
        ("subscription { __typename }", "BAD_USER_INPUT subscription"),
        ("query ($id: ID!) { node(id: $id) { id } }", "BAD_USER_INPUT id variable_missing"),
        ("{ nothing }", "BAD_USER_INPUT validation"),
        ("{ currentUser }", "BAD_USER_INPUT validation"),
        ("{ node { id } }", "BAD_USER_INPUT validation"),
        ("{ node(id: true) { id } }", "BAD_USER_INPUT id validation"),
        ("{ ...Nowhere }", "BAD_USER_INPUT validation"),
        ("{ node(id: $id) { id } }", "BAD_USER_INPUT validation"),
        ("{ currentUser @nothing { id } }", "BAD_USER_INPUT validation"),
    ] {
        assert_refused(&app, document, &[expected]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_is_chosen_by_its_name() {
    let app = TestApp::start().await;
    let two = "query A { a: __typename } query B { b: __typename }";
    let named = async |document: &str, name: &str| {
        let request = json!({ "query": document, "operationName": name });
        body(&app, request.to_string()).await
    };
    assert_eq!(named(two, "A").await.data(), &json!({ "a": "Query" }));
    assert_eq!(named(two, "B").await.data(), &json!({ "b": "Query" }));
    for document in [two, "{ __typename }", "query A { __typename }"] {
        let answer = named(document, "C").await;
        assert_eq!(answer.errors(), ["BAD_USER_INPUT operation_unknown"]);
        assert!(answer.json.get("data").is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_are_held_to_their_types() {
    let app = TestApp::start().await;
    let query = "query ($id: ID!) { node(id: $id) { id } }";
    for variables in [json!({}), json!({ "id": null })] {
        let answer = app.graphql(&app.admin, query, variables).await;
        assert_eq!(answer.errors(), ["BAD_USER_INPUT id variable_missing"]);
    }
    for id in [json!(true), json!([]), json!({}), json!(1.5)] {
        let answer = app.graphql(&app.admin, query, json!({ "id": id })).await;
        assert_eq!(answer.errors().len(), 1, "{}", answer.text);
        assert!(answer.errors()[0].starts_with("BAD_USER_INPUT"), "{}", answer.text);
        assert!(answer.json.get("data").is_none(), "{}", answer.text);
    }
    let with_default = "query ($id: ID! = \"usr_00000000000000000000zz\") { node(id: $id) { id } }";
    app.query(&app.admin, with_default).await.data();
}

/// Documents and variables whose values have not the shape that their types ask for. The value that
/// does not fit is `misplaced`, where it is a text.
fn misshapen() -> Vec<(&'static str, Value)> {
    let create = "mutation ($i: CreateApiTokenInput!) { createApiToken(input: $i) { token } }";
    let input = |name: Value, permissions: Value| json!({ "i": { "name": name, "expiry": "2027-01-01T00:00:00Z", "permissions": permissions } });
    let nullable = "mutation ($n: String) { createApiToken(input: { name: $n,
        expiry: \"2027-01-01T00:00:00Z\", permissions: [API_USERS_READ] }) { token } }";
    vec![
        (create, json!({ "i": "misplaced" })),
        (create, json!({ "i": 7 })),
        (create, json!({ "i": true })),
        (create, json!({ "i": [] })),
        (create, json!({ "i": [{ "name": "misplaced" }] })),
        (create, json!({ "i": {} })),
        (create, input(json!(["misplaced"]), json!([]))),
        (create, input(json!({ "a": "misplaced" }), json!([]))),
        (create, input(json!(null), json!([]))),
        (create, input(json!("x"), json!([7]))),
        (create, input(json!("x"), json!([null]))),
        (create, input(json!("x"), json!([["misplaced"]]))),
        (create, input(json!("x"), json!({ "misplaced": 1 }))),
        ("mutation { createApiToken(input: \"misplaced\") { token } }", json!({})),
        ("mutation { createApiToken(input: [{}]) { token } }", json!({})),
        (nullable, json!({})),
        ("query ($id: ID) { node(id: $id) { id } }", json!({})),
        ("query ($id: [ID!]!) { node(id: $id) { id } }", json!({ "id": ["misplaced"] })),
        ("query ($name: String) { __type(name: $name) { name } }", json!({})),
        ("query ($x: Boolean!) { currentUser @skip(if: $x) { id } }", json!({ "x": "misplaced" })),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_of_the_wrong_shape_is_bad_input() {
    let app = TestApp::start().await;
    let mut otherwise = Vec::new();
    for (document, variables) in misshapen() {
        let answer = app.graphql(&app.admin, document, variables.clone()).await;
        let told = answer.errors();
        if told.is_empty() || !told.iter().all(|told| told.starts_with("BAD_USER_INPUT")) {
            otherwise.push(format!("{document} {variables}: {}", answer.text));
        }
    }
    assert!(otherwise.is_empty(), "{otherwise:#?}");
    assert_eq!(app.database.count("api_tokens"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_of_the_wrong_shape_is_not_logged() {
    let log = Log::start();
    let app = TestApp::start().await;
    for (document, variables) in misshapen() {
        let variables = variables.to_string().replace("misplaced", &app.admin);
        let document = document.replace("misplaced", &app.admin);
        let variables = serde_json::from_str(&variables).unwrap();
        app.graphql(&app.admin, &document, variables).await;
    }
    let lines = log.lines_with(&[&app.admin]);
    assert!(lines.is_empty(), "{lines:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn at_most_five_faults_are_told() {
    let app = TestApp::start().await;
    let fields: Vec<String> = (0..25).map(|n| format!("nothing{n}")).collect();
    let document = format!("{{ {} }}", fields.join(" "));
    assert_refused(&app, &document, &["BAD_USER_INPUT validation"; 5]).await;
    let two = "{ nothing nowhere }";
    assert_refused(&app, two, &["BAD_USER_INPUT validation"; 2]).await;
    let variables: Vec<String> = (0..25).map(|n| format!("$v{n}: ID!")).collect();
    let uses: Vec<String> = (0..25).map(|n| format!("a{n}: node(id: $v{n}) {{ id }}")).collect();
    let document = format!("query ({}) {{ {} }}", variables.join(" "), uses.join(" "));
    let answer = app.query(&app.admin, &document).await;
    assert_eq!(answer.errors().len(), 5, "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_syntax_error_does_not_echo_the_document() {
    let app = TestApp::start().await;
    let secret = app.admin.as_str();
    for document in [
        secret.to_owned(),
        format!("{{ {secret}"),
        format!("{{ node(id: \"{secret}\") {{ id }}"),
        format!("{{ node(id: \"{secret}) {{ id }} }}"),
        format!("{{ node(id: {secret}\") {{ id }} }}"),
        format!("query {secret} {{ {secret}: }}"),
        format!("query {secret} {{ __typename }} query {secret} {{ __typename }}"),
        format!("fragment {secret} on Query {{ __typename }}"),
        format!("{{ ...{secret} }} fragment {secret} on Query {{ ...{secret} }}"),
        format!("{{ __typename }} fragment {secret} on A {{ a }} fragment {secret} on A {{ a }}"),
        format!("{{ __typename }} # {secret}\n }}"),
        format!("subscription {secret} {{ __typename }}"),
    ] {
        for answer in [
            app.query(secret, &document).await,
            strict(&app, &document).await,
            anonymous(&app, &document).await,
        ] {
            assert!(!answer.errors().is_empty(), "{document}");
            assert!(!answer.text.contains(secret), "{}", answer.text);
            assert!(!answer.text.contains(&secret[4..30]), "{}", answer.text);
        }
    }
    let place = app.query(secret, "{\n  a: }").await;
    let locations = &place.json["errors"][0]["locations"];
    assert_eq!(locations[0]["line"], 2, "the place is enough");
    assert!(place.message().contains("line 2"), "{}", place.message());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_null_has_no_say_in_a_fragment_of_another_operation() {
    let app = TestApp::start().await;
    let query = "query A ($x: String) { apiTokens(after: $x, first: 1) { nodes { name } } }
                 query B ($b: Boolean!) { ...F }
                 fragment F on Query { currentUser { id @skip(if: $b) } }";
    let body = json!({ "query": query, "operationName": "A", "variables": { "x": null } });
    let request = app.post().bearer_auth(&app.admin).body(body.to_string());
    let answer = Answer::of(request.send().await.unwrap()).await;
    assert_eq!(answer.data()["apiTokens"]["nodes"][0]["name"], "administrator");
}

#[tokio::test(flavor = "multi_thread")]
async fn long_names_are_cut_in_errors() {
    let app = TestApp::start().await;
    let long = "a".repeat(60_000);
    let input =
        |field: &str| format!("mutation {{ createApiToken(input: {{ {field} }}) {{ token }} }}");
    for document in [
        format!("{{ {long} }}"),
        format!("{{ ...{long} }}"),
        format!("{{ ...F ...F }} fragment F on {long} {{ id }}"),
        format!("query (${long}: Int) {{ __typename }}"),
        format!("{{ currentUser @{long} {{ id }} }}"),
        format!("{{ currentUser({long}: 1) {{ id }} }}"),
        format!("{{ {long}: currentUser {{ id }} {long}: currentApiToken {{ id }} }}")
            .replace(&long, &"a".repeat(30_000)),
        input(&format!("{long}: 1")),
        input(&format!("permissions: {long}")),
    ] {
        let answer = app.query(&app.admin, &document).await;
        assert!(answer.errors()[0].starts_with("BAD_USER_INPUT"), "{}", answer.errors()[0]);
        assert!(answer.text.len() < 3_000, "{} bytes", answer.text.len());
        assert!(answer.text.contains("aaaa") && answer.text.contains('…'), "{}", answer.text);
    }
    let query =
        "mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) { token } }";
    for key in [long, "a ".repeat(30_000)] {
        let answer = app.graphql(&app.admin, query, json!({ "input": { key: 1 } })).await;
        assert!(answer.errors()[0].starts_with("BAD_USER_INPUT"), "{}", answer.errors()[0]);
        assert!(answer.text.len() < 3_000, "{} bytes", answer.text.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn valid_documents_run_however_they_are_written() {
    let app = TestApp::start().await;
    for document in [
        "query ($s: [ ApiTokenStatus! ]) { apiTokens(filter: { status: $s }) { totalCount } }",
        "query ($s: [ApiTokenStatus!  ]) { apiTokens(filter: { status: $s }) { totalCount } }",
        r#"{ apiTokens(filter: { nameContains: "\uD83D\uDE00" }) { totalCount } }"#,
        r#"{ apiTokens(filter: { nameContains: "\u{1F600}" }) { totalCount } }"#,
        "{ ... on # the root\n Query { __typename } }",
        "{ ...F } fragment F on\nQuery { __typename }",
        "\"What it is for.\" query Q { ...F } \"What it holds.\" fragment F on Query { __typename }",
        "{ a, : __typename ..., on Query { b: __typename } }",
    ] {
        app.query(&app.admin, document).await.data();
    }
    // The last of two keys counts, as it does to JSON.parse.
    let twice = r#"{ "query": "{ nothing }", "query": "{ __typename }" }"#;
    assert_eq!(body(&app, twice.to_owned()).await.data(), &json!({ "__typename": "Query" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_escaped_character_is_that_character() {
    let app = TestApp::start().await;
    let create = r#"mutation { createApiToken(input: { name: "\uD83D\uDE00 \u{1F601}",
        expiry: "2027-06-01T00:00:00Z", permissions: [API_API_TOKENS_READ] }) { apiToken { name } } }"#;
    let answer = app.query(&app.admin, create).await;
    if let Some(name) = answer.json["data"]["createApiToken"]["apiToken"]["name"].as_str() {
        assert_eq!(name, "😀 😁");
    } else {
        panic!("{}", answer.text);
    }
}
