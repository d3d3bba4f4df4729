//! Who can learn the schema from the program, by asking for it and by asking wrongly.

use std::collections::HashSet;
use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use tokenwright::domain::catalogue::Catalogue;
use tokenwright::graphql::sdl;

use crate::support::{Answer, Binary, Server, administrator, migrated};

const SCHEMA: &str = "{ __schema { types { name } } }";
const WHO: &str = "{ currentUser { name } }";

/// Sends a document, with a token or without.
async fn ask(server: &Server, token: Option<&str>, document: &str, variables: Value) -> Answer {
    let body = json!({ "query": document, "variables": variables }).to_string();
    let request =
        server.request(Method::POST, "/graphql").header("content-type", "application/json");
    let request = request.header("accept", "application/graphql-response+json").body(body);
    let request = token.into_iter().fold(request, |request, token| request.bearer_auth(token));
    Answer::of(request.send().await.unwrap()).await
}

async fn plainly(server: &Server, token: Option<&str>, document: &str) -> Answer {
    ask(server, token, document, json!({})).await
}

fn shows_schema(answer: &Answer) -> bool {
    let types = answer.json["data"]["__schema"]["types"].as_array();
    types.is_some_and(|types| types.iter().any(|ty| ty["name"] == "ApiToken"))
}

#[tokio::test(flavor = "multi_thread")]
async fn where_it_is_public_everybody_may_introspect_and_nothing_else() {
    let database = migrated();
    let admin = administrator(&database, "administrator");
    for command in [
        &["dev"][..],
        &["dev", "--introspection", "public"],
        &["serve", "--introspection", "public"],
    ] {
        let server = Binary::on(&database, command).serve();
        assert!(shows_schema(&plainly(&server, None, SCHEMA).await), "{command:?}");
        assert!(shows_schema(&plainly(&server, Some(&admin), SCHEMA).await), "{command:?}");
        assert_eq!(plainly(&server, None, WHO).await.status, 401, "{command:?}");
        assert_eq!(plainly(&server, Some("nonsense"), SCHEMA).await.status, 401, "{command:?}");
        let wrong = plainly(&server, None, "{ nothing }").await;
        assert_eq!(wrong.errors(), ["BAD_USER_INPUT validation"], "{command:?}");
        for (document, meant) in [
            ("{ curentUser { name } }", "Did you mean \"currentUser\"?"),
            ("{ node(id: \"x\") { idd } }", "Did you mean \"id\"?"),
            ("{ users(filter: { enabld: true }) { totalCount } }", "Did you mean \"enabled\"?"),
            (
                "{ apiTokens(filter: { status: [ACTIV] }) { totalCount } }",
                "Did you mean \"ACTIVE\"?",
            ),
            ("query ($x: Usr) { node(id: $x) { id } }", "Did you mean \"User\""),
        ] {
            let wrong = plainly(&server, Some(&admin), document).await;
            let message = wrong.json["errors"][0]["message"].as_str().unwrap();
            assert!(message.contains(meant), "{document}: {message}");
        }
        assert_eq!(server.stop().code, Some(0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_it_is_for_the_authenticated_a_token_may_introspect() {
    let database = migrated();
    let admin = administrator(&database, "administrator");
    for command in [
        &["serve"][..],
        &["serve", "--introspection", "authenticated"],
        &["dev", "--introspection", "authenticated"],
    ] {
        let server = Binary::on(&database, command).serve();
        assert!(shows_schema(&plainly(&server, Some(&admin), SCHEMA).await), "{command:?}");
        for document in [SCHEMA, WHO, "{ __typename }", "{ nothing }", "{"] {
            let answer = plainly(&server, None, document).await;
            assert_eq!(answer.status, 401, "{command:?}");
            assert_eq!(answer.errors(), ["UNAUTHENTICATED token_missing"], "{command:?}");
        }
        assert_eq!(server.stop().code, Some(0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_it_is_off_nobody_may_introspect() {
    let database = migrated();
    let admin = administrator(&database, "administrator");
    for command in ["serve", "dev"] {
        let server = Binary::on(&database, &[command, "--introspection", "off"]).serve();
        let answer = plainly(&server, Some(&admin), SCHEMA).await;
        assert_eq!(answer.errors(), ["FORBIDDEN introspection_off"], "{command}");
        assert_eq!(answer.json["data"], json!({ "__schema": null }), "{command}");
        let answer =
            plainly(&server, Some(&admin), "{ __type(name: \"ApiToken\") { name } }").await;
        assert_eq!(answer.errors(), ["FORBIDDEN introspection_off"], "{command}");
        let answer = plainly(&server, Some(&admin), WHO).await;
        assert_eq!(answer.data()["currentUser"]["name"], "administrator");
        for document in [SCHEMA, WHO, "{ __typename }", "{ nothing }", "{"] {
            let answer = plainly(&server, None, document).await;
            assert_eq!(answer.errors(), ["UNAUTHENTICATED token_missing"], "{command}");
        }
        assert_eq!(server.stop().code, Some(0));
    }
}

/// The words of a text that could be names.
fn words(text: &str) -> HashSet<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
        .collect()
}

/// The names that only the schema has: those in it with a capital, which no English sentence has.
fn names_of_schema(sdl: &str) -> HashSet<&str> {
    let built_in = ["String", "Int", "Float", "Boolean", "ID"];
    // Descriptions are prose.
    let code = sdl.split("\"\"\"").step_by(2);
    let capital = |word: &&str| word.chars().skip(1).any(|c| c.is_ascii_uppercase());
    code.flat_map(words).filter(capital).filter(|word| !built_in.contains(word)).collect()
}

/// Documents and variables with something wrong, each near something that there is.
fn wrong() -> Vec<(&'static str, Value)> {
    let create = "mutation ($i: CreateApiTokenInput!) { createApiToken(input: $i) { token } }";
    let plain = [
        "{ currentUsr { id } }",
        "{ nothing }",
        "{ currentUser }",
        "{ currentUser { nam } }",
        "{ currentUser { name { x } } }",
        "{ currentUser { ... on ApiTok { id } } }",
        "{ currentUser { ... on ApiToken { id } } }",
        "{ apiTokens }",
        "{ apiTokens(frst: 1) { nodes { id } } }",
        "{ apiTokens(first: \"1\") { nodes { id } } }",
        "{ apiTokens(filter: { nameContain: \"x\" }) { nodes { id } } }",
        "{ apiTokens(filter: { status: [ACTIV] }) { nodes { id } } }",
        "{ apiTokens(filter: { status: [7] }) { nodes { id } } }",
        "{ apiTokens(orderBy: {}) { nodes { id } } }",
        "{ apiTokens(orderBy: { field: NAM, direction: ASC }) { nodes { id } } }",
        "{ apiToken { id } }",
        "{ node(id: true) { id } }",
        "{ node(id: \"x\") { name } }",
        "{ currentUser @inclde(if: true) { id } }",
        "{ currentUser @include { id } }",
        "query @include(if: true) { currentUser { id } }",
        "{ ...F } fragment F on Usr { id }",
        "{ ...F } fragment F on User { id }",
        "{ ...F } fragment F on DateTime { id }",
        "{ a: currentUser { id } a: currentApiToken { id } }",
        "query ($x: Usr) { currentUser { id } }",
        "query ($x: User) { currentUser { id } }",
        "query ($x: Int) { node(id: $x) { id } }",
        "query ($x: ID) { node(id: $x) { id } }",
        "mutation { createApiTokn { token } }",
        "mutation { createApiToken { token } }",
        "mutation { createApiToken(input: {}) { token } }",
        "mutation { createApiToken(input: { permissions: [API_USERS] }) { token } }",
        "mutation { createApiToken(input: { expiry: 7 }) { token } }",
        "mutation { createApiToken(input: 7) { token } }",
        "mutation { updateApiToken(input: { nam: \"x\" }) { apiToken { id } } }",
    ];
    let variables = [
        json!({ "i": {} }),
        json!({ "i": 7 }),
        json!({ "i": { "nam": "x" } }),
        json!({ "i": { "name": 7, "expiry": 7, "permissions": [7], "allowedAddresses": 7 } }),
        json!({ "i": { "name": "x", "expiry": "x", "permissions": ["API_USERS"] } }),
    ];
    let plain = plain.into_iter().map(|document| (document, json!({})));
    plain.chain(variables.into_iter().map(|variables| (create, variables))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn where_it_is_off_no_error_names_what_was_not_sent() {
    let database = migrated();
    let admin = administrator(&database, "administrator");
    let sdl = sdl(&Arc::new(Catalogue::built_in().unwrap()));
    let schema = names_of_schema(&sdl);
    for name in ["ApiToken", "createApiToken", "nameContains", "API_USERS_READ", "ASC"] {
        assert!(schema.contains(name), "{name}");
    }
    // `FORBIDDEN` and the like are words of the answer, not of the schema.
    let told_beside = |answer: &Answer, sent: &str| {
        let sent = words(sent);
        let told = words(&answer.text).into_iter().filter(|word| !sent.contains(word));
        told.filter(|word| schema.contains(word)).map(str::to_owned).collect::<Vec<_>>()
    };
    let off = Binary::on(&database, &["serve", "--introspection", "off"]).serve();
    let mut found = Vec::new();
    for (document, variables) in wrong() {
        let answer = ask(&off, Some(&admin), document, variables.clone()).await;
        assert!(!answer.errors().is_empty(), "{document}: {}", answer.text);
        let beside = told_beside(&answer, &format!("{document} {variables}"));
        if !beside.is_empty() || answer.text.to_lowercase().contains("did you mean") {
            found.push(format!("{document} {variables}: {}", answer.text));
        }
    }
    assert!(found.is_empty(), "{found:#?}");
    let answer = plainly(&off, Some(&admin), "{\n  nothing }").await;
    assert_eq!(answer.json["errors"][0]["locations"][0]["line"], 2, "the place is told");
    assert_eq!(off.stop().code, Some(0));

    // Where it is not off, the same errors help.
    let on = Binary::on(&database, &["serve"]).serve();
    let document = "{ currentApiToken { nam } }";
    let answer = plainly(&on, Some(&admin), document).await;
    assert_eq!(told_beside(&answer, document), ["ApiToken"], "{}", answer.text);
    assert_eq!(on.stop().code, Some(0));
}
