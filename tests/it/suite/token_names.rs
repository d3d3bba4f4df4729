//! Whose name a token may not have: that of another live token, or of a built-in user.

use serde_json::json;

use crate::support::{Options, TestApp, TestDatabase, TokenRow, made, migrated};

const RENAME: &str = "mutation ($input: UpdateApiTokenInput!) { \
                      updateApiToken(input: $input) { apiToken { name } } }";

#[tokio::test(flavor = "multi_thread")]
async fn invisible_doubles_and_imitations_are_refused() {
    let app = TestApp::start().await;
    let mine = made(&app, "mine", json!({})).await;
    let invisible = "\u{ad}\u{34f}\u{115f}\u{180b}\u{200b}\u{200d}\u{2060}\u{2800}\u{3164}\u{fe0f}\u{feff}\u{fffa}\u{e0041}";
    let doubles = invisible.chars().map(|c| (format!("admini{c}strator"), "name_taken"));
    let others = [
        ("\u{430}dministrator", "name_mixed_scripts"),
        ("System", "name_reserved"),
        ("sys\u{200b}tem", "name_reserved"),
    ];
    let others = others.map(|(name, reason)| (name.to_owned(), reason));
    for (name, reason) in doubles.chain(others) {
        let created = app.create(&app.admin, app.input(&name, json!({}))).await;
        let input = json!({ "id": mine.id, "version": 1, "name": name });
        let renamed = app.graphql(&app.admin, RENAME, json!({ "input": input })).await;
        for answer in [created, renamed] {
            let errors = answer.errors();
            assert_eq!(errors.len(), 1, "{name:?}: {errors:?}");
            assert!(errors[0].ends_with(&format!("name {reason}")), "{name:?}: {errors:?}");
        }
    }
    assert_eq!(app.database.count("api_tokens"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_in_many_scripts_are_taken_as_they_are() {
    let app = TestApp::start().await;
    for name in
        ["日本語 CI", "CI для отдела", "עברית bot", "हिन्दी build", "👩\u{200d}💻 build", "ไทย"]
    {
        let answer = app.create(&app.admin, app.input(name, json!({}))).await;
        assert_eq!(answer.data()["createApiToken"]["apiToken"]["name"], name);
    }
}

/// Rows as an earlier version left them: their keys hold what is invisible.
fn of_old(database: &TestDatabase) {
    let names = ["Deploy\u{200b}", "build", "bu\u{ad}ild", "x\u{ad}", "\u{ad}x"];
    for (n, name) in (1..).zip(names) {
        TokenRow::insert(&[TokenRow::new(n, format!("row {n}"))], database);
        for table in ["api_tokens", "users"] {
            database.execute(&format!(
                "UPDATE {table} SET name = '{name}', name_key = lower('{name}') WHERE name = 'row {n}'"
            ));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_compares_the_names_of_old_as_well() {
    let database = migrated();
    of_old(&database);
    let app = TestApp::over(database, Options::default()).await;
    let keys = "SELECT name_key AS text FROM api_tokens ORDER BY id";
    let after_start = app.database.texts(keys);
    let whole = |n: usize| !after_start[n].contains('\u{fffe}');
    assert_eq!(after_start[0], "deploy");
    assert_eq!([1, 2, 3, 4].map(whole), [true, false, true, false], "{after_start:?}");
    let users = "SELECT name_key AS text FROM users WHERE service_account ORDER BY id";
    assert_eq!(app.database.texts(users)[..5], ["deploy", "build", "build", "x", "x"]);
    for name in ["deploy", "Build", "x"] {
        let errors = app.create(&app.admin, app.input(name, json!({}))).await.errors();
        assert_eq!(errors, ["CONFLICT name name_taken"], "{name}");
    }

    // A double works as before, is found by its name, and gets another one.
    let found = app
        .query(&app.admin, r#"{ apiTokens(filter: { nameContains: "build" }) { nodes { id } } }"#)
        .await;
    assert_eq!(found.data()["apiTokens"]["nodes"].as_array().unwrap().len(), 2);
    let id = TokenRow::new(3, "double").id();
    let input = json!({ "id": id, "version": 1, "name": "builder" });
    let renamed = app.graphql(&app.admin, RENAME, json!({ "input": input })).await;
    assert_eq!(renamed.data()["updateApiToken"]["apiToken"]["name"], "builder");
    let version = "SELECT CAST(version AS TEXT) AS text FROM name_keys";
    assert_eq!(app.database.texts(version), ["1"]);
}
