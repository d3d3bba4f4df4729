//! Reading: the caller, tokens, users, permissions and nodes, each with its guard.

use serde_json::{Value, json};
use tokenwright::domain::catalogue::Catalogue;

use crate::support::{Answer, Log, TestApp};

const UNKNOWN_TOKEN: &str = "tok_00000000000000000000zz";
const UNKNOWN_USER: &str = "usr_00000000000000000000zz";

/// A token and what it is known by.
struct Made {
    secret: String,
    id: String,
    user_id: String,
}

async fn made(app: &TestApp, name: &str, permissions: &[&str]) -> Made {
    let input = app.input(name, json!({ "permissions": permissions }));
    let answer = app.create(&app.admin, input).await;
    let payload = &answer.data()["createApiToken"];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    Made {
        secret: text(&payload["token"]),
        id: text(&payload["apiToken"]["id"]),
        user_id: text(&payload["apiToken"]["userId"]),
    }
}

/// A token that may do nothing here.
async fn nobody(app: &TestApp) -> Made {
    made(app, "nobody", &["API_ORGANIZATIONS_READ"]).await
}

/// Asks for one thing by its id.
async fn by_id(app: &TestApp, token: &str, field: &str, id: &str) -> Answer {
    let query = format!("query ($id: ID!) {{ {field}(id: $id) {{ __typename id }} }}");
    app.graphql(token, &query, json!({ "id": id })).await
}

#[track_caller]
fn assert_permission_missing(answer: &Answer, permission: &str) {
    assert_eq!(answer.status, 200);
    assert_eq!(answer.errors(), ["FORBIDDEN permission_missing"]);
    let extensions = &answer.json["errors"][0]["extensions"];
    assert_eq!(extensions["permission"], permission);
    assert!(answer.message().contains(permission), "{}", answer.message());
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_may_see_themselves() {
    let app = TestApp::start().await;
    let own = nobody(&app).await;
    let query = "{
        currentApiToken { id userId name status permissions user { id name serviceAccount enabled } }
        currentUser { id name }
    }";
    let answer = app.query(&own.secret, query).await;
    let (token, user) = (&answer.data()["currentApiToken"], &answer.data()["currentUser"]);
    assert_eq!(token["id"], own.id);
    assert_eq!(token["userId"], own.user_id);
    assert_eq!(token["name"], "nobody");
    assert_eq!(token["status"], "ACTIVE");
    assert_eq!(token["permissions"], json!(["API_ORGANIZATIONS_READ"]));
    assert_eq!(token["user"]["id"], own.user_id);
    assert_eq!(token["user"]["serviceAccount"], true);
    assert_eq!(user["id"], own.user_id);
    assert_eq!(user["name"], "nobody");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_field_asks_for_its_permission() {
    let app = TestApp::start().await;
    let own = nobody(&app).await;
    let reads_users = made(&app, "reads users", &["API_USERS_READ"]).await;
    let reads_tokens = made(&app, "reads tokens", &["API_API_TOKENS_READ"]).await;
    for (field, token_id, user_id) in [
        ("own", &own.id, &own.user_id),
        ("of another", &reads_users.id, &reads_users.user_id),
        ("unknown", &UNKNOWN_TOKEN.to_owned(), &UNKNOWN_USER.to_owned()),
    ] {
        for caller in [&own, &reads_users] {
            for asked in ["apiToken", "node"] {
                let answer = by_id(&app, &caller.secret, asked, token_id).await;
                assert_permission_missing(&answer, "api.api-tokens.read");
                assert_eq!(answer.json["data"], json!({ asked: null }), "{field}");
            }
        }
        for caller in [&own, &reads_tokens] {
            for asked in ["user", "node"] {
                let answer = by_id(&app, &caller.secret, asked, user_id).await;
                assert_permission_missing(&answer, "api.users.read");
                assert_eq!(answer.json["data"], json!({ asked: null }), "{field}");
            }
        }
    }
    let token = by_id(&app, &reads_tokens.secret, "apiToken", &own.id).await;
    assert_eq!(token.data()["apiToken"]["id"], own.id);
    let user = by_id(&app, &reads_users.secret, "user", &own.user_id).await;
    assert_eq!(user.data()["user"]["id"], own.user_id);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_is_a_token_or_a_user() {
    let app = TestApp::start().await;
    let own = nobody(&app).await;
    for (id, ty) in [(&own.id, "ApiToken"), (&own.user_id, "User")] {
        let answer = by_id(&app, &app.admin, "node", id).await;
        assert_eq!(answer.data()["node"], json!({ "__typename": ty, "id": id }));
    }
    let query = "query ($id: ID!) { node(id: $id) { ... on ApiToken { name userId } } }";
    let answer = app.graphql(&app.admin, query, json!({ "id": own.id })).await;
    assert_eq!(answer.data()["node"]["userId"], own.user_id);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_not_found() {
    let app = TestApp::start().await;
    for (field, id) in [("apiToken", UNKNOWN_TOKEN), ("user", UNKNOWN_USER)] {
        let answer = by_id(&app, &app.admin, field, id).await;
        assert_eq!(answer.errors(), ["NOT_FOUND"]);
        assert_eq!(answer.json["data"], json!({ field: null }));
        assert_eq!(answer.json["errors"][0]["path"], json!([field]));
    }
    for id in [UNKNOWN_TOKEN, UNKNOWN_USER] {
        let answer = by_id(&app, &app.admin, "node", id).await;
        assert_eq!(answer.data(), &json!({ "node": null }));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_token_is_as_one_that_never_was() {
    let app = TestApp::start().await;
    let gone = nobody(&app).await;
    app.database
        .execute("UPDATE api_tokens SET deleted_date = creation_date WHERE name = 'nobody'");
    let deleted = by_id(&app, &app.admin, "apiToken", &gone.id).await;
    let unknown = by_id(&app, &app.admin, "apiToken", UNKNOWN_TOKEN).await;
    assert_eq!(deleted.text, unknown.text);
    assert_eq!(deleted.errors(), ["NOT_FOUND"]);
    let node = by_id(&app, &app.admin, "node", &gone.id).await;
    assert_eq!(node.data(), &json!({ "node": null }));

    let query = "query ($id: ID!) { user(id: $id) { name apiToken { id } } }";
    let user = app.graphql(&app.admin, query, json!({ "id": gone.user_id })).await;
    let expected = json!({ "user": { "name": "nobody", "apiToken": null } });
    assert_eq!(user.data(), &expected, "the past stays attributed");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_is_none_is_bad_input() {
    let app = TestApp::start().await;
    let own = nobody(&app).await;
    let upper = own.id.to_uppercase();
    let longer = format!("{}0", own.id);
    let beyond = format!("tok_{}", "z".repeat(22));
    for (field, ids) in [
        ("apiToken", &["", "x", "tok_", &own.user_id, &own.secret, &upper, &longer, &beyond][..]),
        ("user", &["", "x", "usr_", &own.id, "usr_short"]),
        ("node", &["", "x", "tok_", "usr_", "evt_x", &longer, "tok_' OR 1=1 --"]),
    ] {
        for id in ids {
            let answer = by_id(&app, &app.admin, field, id).await;
            assert_eq!(answer.errors(), ["BAD_USER_INPUT id id_syntax"], "{field}: {id}");
            assert_eq!(answer.json["data"], json!({ field: null }));
            assert!(!answer.text.contains(&own.secret), "{}", answer.text);
        }
    }
    let number = app.query(&app.admin, "{ apiToken(id: 7) { id } }").await;
    assert_eq!(number.errors(), ["BAD_USER_INPUT id id_syntax"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_cannot_be_used_can_be_read() {
    let app = TestApp::start().await;
    let own = nobody(&app).await;
    let query = "query ($id: ID!) { apiToken(id: $id) { status } }";
    let status = async || {
        let answer = app.graphql(&app.admin, query, json!({ "id": own.id })).await;
        answer.data()["apiToken"]["status"].clone()
    };
    assert_eq!(status().await, "ACTIVE");
    app.database.execute("UPDATE api_tokens SET enabled = FALSE WHERE name = 'nobody'");
    assert_eq!(status().await, "DISABLED");
    app.database.execute(
        "UPDATE api_tokens SET enabled = TRUE, expiry = creation_date WHERE name = 'nobody'",
    );
    assert_eq!(status().await, "EXPIRED");
}

#[tokio::test(flavor = "multi_thread")]
async fn nested_users_are_hidden_from_those_who_may_not_read_users() {
    let app = TestApp::start().await;
    let other = nobody(&app).await;
    let reader = made(&app, "reader", &["API_API_TOKENS_READ"]).await;
    let query = "query ($own: ID!, $other: ID!) {
        own: apiToken(id: $own) { name user { name } createdUserInfo { userName user { name } } }
        other: apiToken(id: $other) { name user { name } }
    }";
    let variables = json!({ "own": reader.id, "other": other.id });
    let answer = app.graphql(&reader.secret, query, variables.clone()).await;
    let expected = json!({
        "own": {
            "name": "reader", "user": { "name": "reader" },
            "createdUserInfo": { "userName": "administrator", "user": null },
        },
        "other": { "name": "nobody", "user": null },
    });
    assert_eq!(answer.json["data"], expected);
    assert_eq!(answer.errors(), ["FORBIDDEN permission_missing"; 2]);
    let mut paths: Vec<String> = answer.json["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["path"].to_string())
        .collect();
    paths.sort();
    let expected = [r#"["other","user"]"#, r#"["own","createdUserInfo","user"]"#];
    assert_eq!(paths, expected);
    let answer = app.graphql(&app.admin, query, variables).await;
    assert_eq!(answer.data()["other"]["user"]["name"], "nobody");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_of_a_user_asks_for_its_permission() {
    let app = TestApp::start().await;
    let own = nobody(&app).await;
    let query = "{ currentUser { name apiToken { id } } }";
    let answer = app.query(&own.secret, query).await;
    assert_permission_missing(&answer, "api.api-tokens.read");
    let expected = json!({ "currentUser": { "name": "nobody", "apiToken": null } });
    assert_eq!(answer.json["data"], expected);

    let reader = made(&app, "reader", &["API_API_TOKENS_READ"]).await;
    let answer = app.query(&reader.secret, query).await;
    assert_eq!(answer.data()["currentUser"]["apiToken"]["id"], reader.id);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_permissions_are_those_of_the_catalogue_in_its_order() {
    let app = TestApp::start().await;
    let own = nobody(&app).await;
    let query = "{ permissions { permission code resource action description } }";
    let answer = app.query(&own.secret, query).await;
    let listed = answer.data()["permissions"].as_array().unwrap();
    assert_eq!(listed.len(), 65);
    let first = json!({
        "permission": "API_ORGANIZATIONS_READ", "code": "api.organizations.read",
        "resource": "organizations", "action": "read",
        "description": "Read organizations and their settings.",
    });
    assert_eq!(listed[0], first);
    assert_eq!(listed[63]["code"], "scim.user.schema");
    let catalogue = Catalogue::built_in().unwrap();
    for (listed, entry) in listed.iter().zip(catalogue.entries()) {
        let code = entry.code.to_string();
        let parts: Vec<&str> = code.split('.').collect();
        let expected = json!({
            "permission": code.to_uppercase().replace(['.', '-'], "_"), "code": code,
            "resource": parts[1], "action": parts[2], "description": entry.description,
        });
        assert_eq!(listed, &expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_system_user_made_the_first_token() {
    let app = TestApp::start().await;
    let query = "{ currentApiToken { createdUserInfo {
        userId userName user { id name serviceAccount enabled apiToken { id } }
    } } }";
    let answer = app.query(&app.admin, query).await;
    let info = &answer.data()["currentApiToken"]["createdUserInfo"];
    assert_eq!(info["userName"], "system");
    let expected = json!({
        "id": info["userId"], "name": "system", "serviceAccount": true, "enabled": true,
        "apiToken": null,
    });
    assert_eq!(info["user"], expected);
}

/// The three people of a token.
const PEOPLE: &str = "
    fragment Three on ApiToken {
        user { ...Seen } createdUserInfo { user { ...Seen } } lastModifiedUserInfo { user { ...Seen } }
    }
    fragment Seen on User { id apiToken { userId createdUserInfo { user { name } }
        user { name } lastModifiedUserInfo { user { name } } } }";

#[tokio::test(flavor = "multi_thread")]
async fn nested_users_and_tokens_are_read_by_one_query_each() {
    let log = Log::start();
    let app = TestApp::start().await;
    let mut first = None;
    for n in 0..7 {
        let one = made(&app, &format!("token {n}"), &["API_USERS_READ"]).await;
        first.get_or_insert(one.id);
    }
    // Token 0 is of user 0 and was made by users 1 and 2, token 1 by users 3 and 4, token 2 by 5
    // and 6.
    let user = |n: u8| format!("(SELECT user_id FROM api_tokens WHERE name = 'token {n}')");
    for n in 0..3 {
        app.database.execute(&format!(
            "UPDATE api_tokens SET created_user_id = {}, last_modified_user_id = {} \
             WHERE name = 'token {n}'",
            user(2 * n + 1),
            user(2 * n + 2),
        ));
    }
    let query = format!("query ($id: ID!) {{ apiToken(id: $id) {{ ...Three }} }} {PEOPLE}");
    let answer = app.graphql(&app.admin, &query, json!({ "id": first })).await;
    let token = &answer.data()["apiToken"];
    for (seen, people) in [
        (&token["user"], [0, 1, 2]),
        (&token["createdUserInfo"]["user"], [1, 3, 4]),
        (&token["lastModifiedUserInfo"]["user"], [2, 5, 6]),
    ] {
        let nested = &seen["apiToken"];
        assert_eq!(nested["userId"], seen["id"]);
        let names = [
            &nested["user"]["name"],
            &nested["createdUserInfo"]["user"]["name"],
            &nested["lastModifiedUserInfo"]["user"]["name"],
        ];
        assert_eq!(names, people.map(|n| format!("token {n}")).each_ref());
    }
    // No other test asks for seven users at once.
    let batches = log.lines_with(&["tokenwright::repository::user::", "users_by_id", "count=7"]);
    assert_eq!(batches.len(), 1, "{batches:?}");
}
