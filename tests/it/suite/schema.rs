//! The served schema equals `schema.graphql`, and everything in it has a description.

use std::sync::Arc;

use serde_json::{Value, json};
use similar::TextDiff;
use tokenwright::domain::catalogue::Catalogue;
use tokenwright::graphql::sdl;

use crate::support::TestApp;

/// The permissions as they were agreed on, in their order.
const PERMISSIONS: &str = include_str!("permissions.txt");

/// Everything of a schema that can be described.
const DESCRIPTIONS: &str = "{ __schema { types {
    name kind description specifiedByURL
    fields(includeDeprecated: true) { name description args { name description } }
    inputFields { name description }
    enumValues(includeDeprecated: true) { name description }
} } }";

async fn types(app: &TestApp) -> Vec<Value> {
    let answer = app.query(&app.admin, DESCRIPTIONS).await;
    let types = answer.data()["__schema"]["types"].as_array().unwrap();
    let built_in = ["Boolean", "Float", "ID", "Int", "String"];
    let ours = |ty: &&Value| {
        let name = ty["name"].as_str().unwrap();
        !name.starts_with("__") && !built_in.contains(&name)
    };
    types.iter().filter(ours).cloned().collect()
}

/// Collects what has a name and no description, with what it is part of.
fn undescribed(part_of: &str, value: &Value, found: &mut Vec<String>) {
    let name = format!("{part_of}.{}", value["name"].as_str().unwrap());
    if value["description"].as_str().unwrap_or("").trim().is_empty() {
        found.push(name.clone());
    }
    for list in ["fields", "inputFields", "enumValues", "args"] {
        for inner in value[list].as_array().into_iter().flatten() {
            undescribed(&name, inner, found);
        }
    }
}

#[test]
fn the_committed_schema_is_the_one_that_is_served() {
    let served = sdl(&Arc::new(Catalogue::built_in().unwrap()));
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schema.graphql");
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    let diff = TextDiff::from_lines(&committed, &served);
    assert!(
        committed == served,
        "schema.graphql is stale; run `cargo run -- schema > schema.graphql`\n{}",
        diff.unified_diff().header("schema.graphql", "as served")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_permissions_are_the_catalogue_in_its_order() {
    let app = TestApp::start().await;
    let all = "{ __type(name: \"Permission\") { kind enumValues { name } } permissions { code permission } }";
    let answer = app.query(&app.admin, all).await;
    let data = answer.data();
    let mut codes: Vec<&str> = PERMISSIONS.lines().collect();
    assert_eq!(codes.len(), 64);
    // What Tokenwright itself asks for comes after what the catalogue lists.
    codes.push("api.policy.write");
    let names: Vec<String> =
        codes.iter().map(|code| code.to_uppercase().replace(['.', '-'], "_")).collect();
    let values: Vec<Value> = names.iter().map(|name| json!({ "name": name })).collect();
    assert_eq!(data["__type"]["enumValues"], json!(values));
    let listed: Vec<Value> = codes
        .iter()
        .zip(&names)
        .map(|(code, name)| json!({ "code": code, "permission": name }))
        .collect();
    assert_eq!(data["permissions"], json!(listed));
}

#[tokio::test(flavor = "multi_thread")]
async fn scalars_of_our_own_say_where_they_are_specified() {
    let app = TestApp::start().await;
    let mut scalars: Vec<(String, String)> = types(&app)
        .await
        .iter()
        .filter(|ty| ty["specifiedByURL"].is_string())
        .map(|ty| ["name", "specifiedByURL"].map(|key| ty[key].as_str().unwrap().to_owned()))
        .map(|[name, url]| (name, url))
        .collect();
    scalars.sort();
    let rfc = |number| format!("https://datatracker.ietf.org/doc/html/rfc{number}");
    assert_eq!(scalars, [("DateTime".to_owned(), rfc(3339)), ("IpNetwork".to_owned(), rfc(4632))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_has_a_description() {
    let app = TestApp::start().await;
    let types = types(&app).await;
    let mut found = Vec::new();
    for ty in &types {
        undescribed("", ty, &mut found);
    }
    assert_eq!(found, [""; 0]);
    let token = types.iter().find(|ty| ty["name"] == "ApiToken").unwrap();
    assert!(token["fields"].as_array().unwrap().len() > 10, "the fields are looked at");
}

#[tokio::test(flavor = "multi_thread")]
async fn root_fields_can_be_null_one_by_one() {
    let app = TestApp::start().await;
    let query = "{ __schema { queryType { fields { name type { kind } } }
        mutationType { fields { name type { kind } } } } }";
    let answer = app.query(&app.admin, query).await;
    let schema = &answer.data()["__schema"];
    for root in ["queryType", "mutationType"] {
        let fields = schema[root]["fields"].as_array().unwrap();
        assert!(!fields.is_empty());
        for field in fields {
            assert_ne!(field["type"]["kind"], "NON_NULL", "{field}");
        }
    }
}
