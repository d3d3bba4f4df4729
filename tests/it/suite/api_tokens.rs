//! `apiTokens`: what a page shows, in which order, and to whom.

use serde_json::json;

use crate::support::{TestApp, TestDatabase, TokenRow, Walk};

/// Names, as they are listed by `NAME ASC`: by what they are compared by, character by character.
const NAMES: [&str; 12] =
    ["10", "9", "[x]", "_x", "A", "administrator", "aß", "İ", "Z", "É", "я", "🦀"];

async fn names(app: &TestApp, arguments: &str) -> Vec<String> {
    let query = format!("{{ apiTokens{arguments} {{ nodes {{ name }} }} }}");
    let answer = app.query(&app.admin, &query).await;
    let nodes = answer.data()["apiTokens"]["nodes"].as_array().unwrap();
    nodes.iter().map(|node| node["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_twenty_come_first_and_the_deleted_never() {
    let app = TestApp::start().await;
    TokenRow::numbered(&app.database, 25);
    app.database
        .execute("UPDATE api_tokens SET deleted_date = creation_date WHERE name = 'token 024'");
    let mut expected: Vec<String> = (6..=25).rev().map(|n| format!("token {n:03}")).collect();
    expected.retain(|name| name != "token 024");
    expected.insert(0, "administrator".to_owned());
    assert_eq!(names(&app, "").await, expected);
    for arguments in ["(orderBy: null)", "(first: null, after: null, filter: null)", "(filter: {})"]
    {
        assert_eq!(names(&app, arguments).await, expected, "{arguments}");
    }
    let total = app.query(&app.admin, "{ apiTokens { totalCount } }").await;
    assert_eq!(total.data(), &json!({ "apiTokens": { "totalCount": 25 } }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listed_token_is_the_one_that_is_read_by_its_id() {
    let app = TestApp::start().await;
    let input = app.input("ci", json!({ "allowedAddresses": ["127.0.0.1", "10.0.0.0/8"] }));
    let answer = app.create(&app.admin, input).await;
    let id = &answer.data()["createApiToken"]["apiToken"]["id"];
    let fields = "id version creationDate lastModifiedDate userId name partialToken expiry status \
                  allowedAddresses permissions lastUsedDate lastUsedAddress user { id name } \
                  createdUserInfo { userId userName } lastModifiedUserInfo { userId userName }";
    let query = format!(
        "query ($id: ID!) {{ apiToken(id: $id) {{ {fields} }}
        apiTokens(first: 1) {{ nodes {{ {fields} }} edges {{ node {{ {fields} }} }} }} }}"
    );
    let answer = app.graphql(&app.admin, &query, json!({ "id": id })).await;
    let read = &answer.data()["apiToken"];
    assert_eq!(read["name"], "ci");
    assert_eq!(answer.data()["apiTokens"]["nodes"], json!([read]));
    assert_eq!(answer.data()["apiTokens"]["edges"], json!([{ "node": read }]));
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_sorted_by_what_they_are_compared_by() {
    let app = TestApp::start().await;
    let others = NAMES.iter().filter(|name| **name != "administrator").enumerate();
    let rows: Vec<TokenRow> =
        others.map(|(n, name)| TokenRow::new(100 - n as u128, *name)).collect();
    TokenRow::insert(&rows, &app.database);
    assert_eq!(names(&app, "(orderBy: { field: NAME, direction: ASC })").await, NAMES);
    let mut down = NAMES;
    down.reverse();
    assert_eq!(names(&app, "(orderBy: { field: NAME, direction: DESC })").await, down);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_never_used_comes_before_what_was() {
    let app = TestApp::start().await;
    let used = |n: u128, last_used: i64| TokenRow { last_used, ..TokenRow::new(n, format!("{n}")) };
    let year = 31_536_000_000_000;
    let rows = [used(3, 0), used(2, 50 * year), used(1, 0), used(4, 40 * year)];
    TokenRow::insert(&rows, &app.database);
    let order = "(filter: { expiresAfter: \"2090-01-01T00:00:00Z\" }, \
                 orderBy: { field: LAST_USED_DATE, direction: ASC })";
    assert_eq!(names(&app, order).await, ["1", "3", "4", "2"]);
    assert_eq!(names(&app, &order.replace("ASC", "DESC")).await, ["2", "4", "3", "1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_has_up_to_a_hundred_tokens() {
    let app = TestApp::start().await;
    TokenRow::numbered(&app.database, 120);
    let walk = Walk::by(&app, "CREATION_DATE ASC");
    let first = walk.page(json!({ "first": 100 })).await;
    assert_eq!((first.ids.len(), first.has_next, first.has_previous), (100, true, false));
    let last = walk.page(json!({ "last": 100 })).await;
    assert_eq!((last.ids.len(), last.has_next, last.has_previous), (100, false, true));
    assert_eq!(last.ids[..79], first.ids[21..]);
    assert_eq!((first.total, last.total), (121, 121));
    let exactly = walk.page(json!({ "first": 21, "after": first.cursors.last() })).await;
    assert_eq!((exactly.ids.len(), exactly.has_next, exactly.has_previous), (21, false, true));
    let beyond = walk.page(json!({ "first": 5, "after": exactly.cursors.last() })).await;
    assert!(beyond.ids.is_empty() && beyond.has_previous && !beyond.has_next);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_part_of_a_page_asks_for_its_own_permission() {
    let app = TestApp::start().await;
    let secret = async |permission: &str| {
        let input = app.input(permission, json!({ "permissions": [permission] }));
        app.secret(&app.admin, input).await
    };
    let reader = secret("API_API_TOKENS_READ").await;
    let other = secret("API_USERS_READ").await;
    let walk = Walk::over(&app, "apiTokens");
    for paging in [json!({}), json!({ "first": 0, "after": "x" })] {
        let answer = walk.ask_as(&other, paging).await;
        assert_eq!(answer.errors(), ["FORBIDDEN permission_missing"]);
        assert_eq!(answer.json["errors"][0]["extensions"]["permission"], "api.api-tokens.read");
        assert_eq!(answer.json["data"], json!({ "apiTokens": null }));
    }
    let query = "{ apiTokens { totalCount nodes { name user { name } } } }";
    let answer = app.query(&reader, query).await;
    let nodes = json!([
        { "name": "API_USERS_READ", "user": null },
        { "name": "API_API_TOKENS_READ", "user": { "name": "API_API_TOKENS_READ" } },
        { "name": "administrator", "user": null },
    ]);
    assert_eq!(answer.json["data"], json!({ "apiTokens": { "totalCount": 3, "nodes": nodes } }));
    assert_eq!(answer.errors(), ["FORBIDDEN permission_missing"; 2]);
    assert_eq!(answer.json["errors"][0]["path"].as_array().unwrap().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_cannot_be_read_fails_its_page_and_shows_no_internals() {
    let app = TestApp::start().await;
    TokenRow::numbered(&app.database, 3);
    let unreadable = TestDatabase::UNREADABLE[0];
    app.database.execute(&format!("UPDATE api_tokens SET {unreadable} WHERE name = 'token 001'"));
    let answer = app.query(&app.admin, "{ apiTokens { nodes { id } } users { totalCount } }").await;
    assert_eq!(answer.errors(), ["INTERNAL"]);
    let users = json!({ "totalCount": 5 });
    assert_eq!(answer.json["data"], json!({ "apiTokens": null, "users": users }));
    assert!(!answer.text.contains("allowed"), "{}", answer.text);
    let page = app.query(&app.admin, "{ apiTokens(first: 2) { totalCount nodes { id } } }").await;
    assert_eq!(page.data()["apiTokens"]["totalCount"], 4);
}
