//! What a page costs: queries, and its share of what one document may ask for.

use serde_json::json;

use crate::support::{Answer, Log, TestApp, TokenRow, Walk};

/// The queries of lists that a request led to, in their order.
fn queries(log: &Log, answer: &Answer) -> Vec<String> {
    let lines = log.lines_with(&[answer.header("x-request-id"), "repository::"]);
    let of = |line: String| {
        let told = line.split("repository::").nth(1).unwrap().to_owned();
        ["list scan", "list count", "users_by_id", "api_tokens_by_user", "api_tokens_by_id"]
            .into_iter()
            .find(|what| told.contains(what))
            .map(|what| match told.contains("limit=1 ") || told.ends_with("limit=1") {
                true => format!("{what} of one"),
                false => what.to_owned(),
            })
    };
    lines.into_iter().filter_map(of).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_selected_is_read() {
    let log = Log::start();
    let app = TestApp::start().await;
    TokenRow::numbered(&app.database, 10);
    let first = Walk::over(&app, "apiTokens").page(json!({ "first": 5 })).await;
    let ask = async |document: &str| {
        let document = document.replace("CURSOR", &format!("\"{}\"", first.cursors[4]));
        let answer = app.query(&app.admin, &document).await;
        answer.data();
        queries(log, &answer)
    };
    let (page, peek, count) = ("list scan", "list scan of one", "list count");
    for (document, expected) in [
        ("{ apiTokens { nodes { id } } }", &[page][..]),
        ("{ apiTokens { edges { cursor } nodes { id } pageInfo { endCursor } } }", &[page]),
        ("{ apiTokens { __typename } }", &[]),
        ("{ apiTokens { totalCount } }", &[count]),
        ("{ apiTokens { total: totalCount again: totalCount } }", &[count]),
        ("{ apiTokens { ... { totalCount } } }", &[count]),
        ("{ apiTokens { ...T } } fragment T on ApiTokenConnection { totalCount }", &[count]),
        ("{ apiTokens { nodes { id } totalCount } }", &[page, count]),
        ("{ apiTokens { nodes { id } totalCount @include(if: false) } }", &[page]),
        ("{ apiTokens { nodes { id } ... @skip(if: true) { totalCount } } }", &[page]),
        ("{ apiTokens { pageInfo { hasNextPage hasPreviousPage } } }", &[page]),
        ("{ apiTokens(after: CURSOR) { pageInfo { hasNextPage } } }", &[page]),
        ("{ apiTokens(after: CURSOR) { pageInfo { hasPreviousPage } } }", &[page, peek]),
        ("{ apiTokens(last: 2, before: CURSOR) { pageInfo { hasPreviousPage } } }", &[page]),
        ("{ apiTokens(last: 2, before: CURSOR) { pageInfo { hasNextPage } } }", &[page, peek]),
    ] {
        assert_eq!(ask(document).await, expected, "{document}");
    }
    for (field, list) in [("users", "user_list"), ("auditEvents", "audit_event_list")] {
        let of = async |selected: &str| {
            let answer = app.query(&app.admin, &format!("{{ {field} {{ {selected} }} }}")).await;
            answer.data();
            let lines = |what| {
                let query = format!("{list} {what}");
                log.lines_with(&[answer.header("x-request-id"), &query]).len()
            };
            (lines("scan"), lines("count"))
        };
        assert_eq!(of("nodes { id }").await, (1, 0));
        assert_eq!(of("totalCount").await, (0, 1));
        assert_eq!(of("nodes { id } totalCount").await, (1, 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_nested_on_a_page_is_read_by_one_query_each() {
    let log = Log::start();
    let app = TestApp::start().await;
    let rows = TokenRow::numbered(&app.database, 100);
    let old = uuid::Uuid::from_u128(rows[0].number);
    app.database.execute(&format!(
        "UPDATE api_tokens SET created_user_id = '{old}' WHERE name > 'token 050'; \
         UPDATE api_tokens SET renewed_from_id = '{old}' WHERE name LIKE 'token 09%'"
    ));
    let user = "user { id name apiToken { id } }";
    let query = format!(
        "{{ apiTokens(first: 100, orderBy: {{ field: NAME, direction: DESC }}) {{ edges {{ node {{
            {user} createdUserInfo {{ {user} }} lastModifiedUserInfo {{ {user} }}
            renewedFrom {{ name }} }} }} }} }}"
    );
    let answer = app.query(&app.admin, &query).await;
    let edges = answer.data()["apiTokens"]["edges"].as_array().unwrap();
    assert_eq!(edges.len(), 100);
    for (edge, row) in edges.iter().zip(rows.iter().rev()) {
        let node = &edge["node"];
        assert_eq!(node["user"]["name"], row.name);
        assert_eq!(node["user"]["apiToken"]["id"], row.id());
        let maker = if row.name.as_str() > "token 050" { "token 001" } else { &row.name };
        assert_eq!(node["createdUserInfo"]["user"]["name"], maker);
        let renewed = row.name.starts_with("token 09").then(|| json!({ "name": "token 001" }));
        assert_eq!(node["renewedFrom"], json!(renewed));
    }
    let mut read = queries(log, &answer);
    read.sort();
    assert_eq!(read, ["api_tokens_by_id", "api_tokens_by_user", "list scan", "users_by_id"]);
}

/// Everything that can be asked of a user, but for its token.
const USER: &str = "id version creationDate lastModifiedDate name serviceAccount enabled";
/// Everything that can be asked of a page of tokens, without going in circles.
fn everything() -> String {
    let token = "id version creationDate lastModifiedDate userId name partialToken expiry \
                 allowedAddresses permissions status lastUsedDate lastUsedAddress description \
                 labels { key value }";
    let info = format!("userId userName user {{ {USER} }}");
    let node = format!(
        "{token} user {{ {USER} }} createdUserInfo {{ {info} }} lastModifiedUserInfo {{ {info} }} \
         renewedFrom {{ {token} }}"
    );
    format!(
        "edges {{ cursor node {{ {node} }} }} totalCount \
         pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }}"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn the_largest_page_with_everything_is_answered_and_many_of_them_are_not() {
    let app = TestApp::start().await;
    TokenRow::numbered(&app.database, 100);
    let (page, few) = (everything(), "nodes { id name user { name } }");
    let ask = async |document: String| app.query(&app.admin, &document).await;
    let answer = ask(format!("{{ apiTokens(first: 100) {{ {page} }} }}")).await;
    assert_eq!(answer.data()["apiTokens"]["edges"].as_array().unwrap().len(), 100);
    ask(format!("{{ a: apiTokens(last: 100) {{ {few} }} b: apiTokens(first: 100) {{ {few} }} }}"))
        .await
        .data();
    let aliased: String =
        (0..2).map(|n| format!("a{n}: apiTokens(first: 100) {{ {page} }} ")).collect();
    let in_fragment = format!("{{ ...Pages }} fragment Pages on Query {{ {aliased} }}");
    for document in [format!("{{ {aliased} }}"), in_fragment] {
        let answer = ask(document).await;
        assert_eq!(answer.errors(), ["BAD_USER_INPUT query_limit"]);
        assert_eq!(answer.message(), "Query is too complex.");
        assert!(answer.json.get("data").is_none());
    }
    // As a variable, the size counts as much, and left out it is the usual one.
    let query = format!(
        "query ($n: Int) {{ a: apiTokens(first: $n) {{ {page} }} b: apiTokens(last: 9) {{ {page} }}
                            c: apiTokens(first: $n) {{ {page} }} }}"
    );
    for (variables, is_refused) in [
        (json!({}), false),
        (json!({ "n": null }), false),
        (json!({ "n": 20 }), false),
        (json!({ "n": 100 }), true),
    ] {
        let answer = app.graphql(&app.admin, &query, variables.clone()).await;
        assert_eq!(!answer.json["errors"].is_null(), is_refused, "{variables} {}", answer.text);
    }
    // A value out of range is reported as such.
    for size in ["2147483647", "-2147483648", "101"] {
        let answer = ask(format!("{{ apiTokens(first: {size}) {{ {page} }} }}")).await;
        assert_eq!(answer.errors(), ["BAD_USER_INPUT first page_size"]);
    }
}
