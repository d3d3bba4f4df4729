//! `users`: those of live and of deleted tokens, the oldest first.

use serde_json::{Value, json};

use crate::support::{Random, TestApp, TokenRow, Walk};

async fn names(app: &TestApp, filter: Value) -> Vec<String> {
    let query = "query ($filter: UserFilter) { users(filter: $filter, first: 100) {
        totalCount nodes { name } } }";
    let answer = app.graphql(&app.admin, query, json!({ "filter": filter })).await;
    let page = &answer.data()["users"];
    let nodes = page["nodes"].as_array().unwrap();
    assert_eq!(page["totalCount"], nodes.len());
    nodes.iter().map(|node| node["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_oldest_come_first_and_the_users_of_deleted_tokens_stay() {
    let app = TestApp::start().await;
    for name in ["b", "a", "c"] {
        // Ids sort by their millisecond.
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        app.create(&app.admin, app.input(name, json!({}))).await.data();
    }
    let query = "{ apiTokens(filter: { nameContains: \"a\" }, first: 1,
        orderBy: { field: NAME, direction: ASC }) { nodes { id name } } }";
    let answer = app.query(&app.admin, query).await;
    let token = &answer.data()["apiTokens"]["nodes"][0];
    assert_eq!(token["name"], "a");
    let delete = "mutation ($id: ID!) { deleteApiToken(input: { id: $id }) { deletedApiTokenId } }";
    app.graphql(&app.admin, delete, json!({ "id": token["id"] })).await.data();
    let query = "{ users { totalCount nodes { name enabled serviceAccount apiToken { name } } } }";
    let answer = app.query(&app.admin, query).await;
    let user = |name: &str, token: Option<&str>| {
        json!({
            "name": name, "enabled": name != "a", "serviceAccount": true,
            "apiToken": token.map(|name| json!({ "name": name })),
        })
    };
    let expected = json!([
        user("system", None),
        user("administrator", Some("administrator")),
        user("b", Some("b")),
        user("a", None),
        user("c", Some("c")),
    ]);
    assert_eq!(answer.data()["users"], json!({ "totalCount": 5, "nodes": expected }));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_condition_restricts_and_all_of_them_together() {
    let app = TestApp::start().await;
    let rows = ["50%", "500", "Straße", "a_b", "aXb", "c\\d"].into_iter().enumerate();
    let rows: Vec<TokenRow> = rows.map(|(n, name)| TokenRow::new(n as u128 + 1, name)).collect();
    TokenRow::insert(&rows, &app.database);
    app.database.execute(
        "UPDATE users SET service_account = FALSE WHERE name IN ('500', 'a_b'); \
         UPDATE users SET enabled = FALSE WHERE name IN ('500', 'aXb')",
    );
    for (filter, expected) in [
        (json!({ "nameContains": "0%" }), &["50%"][..]),
        (json!({ "nameContains": "50" }), &["50%", "500"]),
        (json!({ "nameContains": "STRASSE" }), &["Straße"]),
        (json!({ "nameContains": "A_" }), &["a_b"]),
        (json!({ "nameContains": "\\" }), &["c\\d"]),
        (json!({ "nameContains": "SYS" }), &["system"]),
        (json!({ "serviceAccount": false }), &["500", "a_b"]),
        (json!({ "enabled": false }), &["500", "aXb"]),
        (json!({ "enabled": false, "serviceAccount": false }), &["500"]),
        (json!({ "enabled": true, "serviceAccount": false }), &["a_b"]),
        (json!({ "nameContains": "b", "enabled": true, "serviceAccount": true }), &[]),
        (json!({ "nameContains": "5", "enabled": true, "serviceAccount": true }), &["50%"]),
    ] {
        assert_eq!(names(&app, filter.clone()).await, expected, "{filter}");
    }
    let any = json!({ "nameContains": "", "enabled": null, "serviceAccount": null });
    for filter in [json!(null), json!({}), any] {
        assert_eq!(names(&app, filter).await.len(), 8);
    }
    let refused = Walk::over(&app, "users").with(json!({ "nameContains": "ä".repeat(201) }));
    let answer = refused.ask(json!({ "last": 0 })).await;
    let mut errors = answer.errors();
    errors.sort();
    let expected =
        ["BAD_USER_INPUT filter.nameContains name_too_long", "BAD_USER_INPUT last page_size"];
    assert_eq!(errors, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_walk_shows_each_user_once_in_order() {
    let app = TestApp::start().await;
    let mut random = Random::new(11);
    let row = |number: u128, name: &str, deleted| TokenRow {
        deleted,
        ..TokenRow::new(number, format!("{name} {number}"))
    };
    let names = ["x%", "X_", "z"];
    let mut rows: Vec<TokenRow> = Vec::new();
    for n in 0..70_u128 {
        let number = (random.below(1_000_000) as u128) << 90 | n;
        let name = *random.one_of(&names);
        rows.push(row(number, name, random.once_in(4)));
    }
    TokenRow::insert(&rows, &app.database);
    rows.sort_by_key(|row| row.number);
    for round in 0..24 {
        let (part, enabled) = (random.one_of(&names), random.once_in(2));
        let filter = match round % 2 {
            0 => json!({ "nameContains": part }),
            _ => json!({ "nameContains": part, "enabled": enabled }),
        };
        let meets = |row: &&TokenRow| {
            row.name.to_lowercase().contains(&part.to_lowercase())
                && (round % 2 == 0 || row.deleted != enabled)
        };
        let expected: Vec<String> = rows.iter().filter(meets).map(TokenRow::user_id).collect();
        let walk = Walk::over(&app, "users").with(filter.clone());
        assert_eq!(walk.forward(&mut random).await, expected, "{filter}");
        assert_eq!(walk.backward(&mut random).await, expected, "{filter}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_its_permission() {
    let app = TestApp::start().await;
    let input = app.input("reader", json!({ "permissions": ["API_API_TOKENS_READ"] }));
    let reader = app.secret(&app.admin, input).await;
    let answer = Walk::over(&app, "users").ask_as(&reader, json!({ "first": 0 })).await;
    assert_eq!(answer.errors(), ["FORBIDDEN permission_missing"]);
    assert_eq!(answer.json["errors"][0]["extensions"]["permission"], "api.users.read");
    assert_eq!(answer.json["data"], json!({ "users": null }));
}
