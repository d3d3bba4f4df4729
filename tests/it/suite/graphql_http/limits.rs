//! The limits on a document.

use std::fmt::Write;

use super::{anonymous, assert_refused};
use crate::support::TestApp;

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_brackets_bring_nothing_down() {
    let app = TestApp::start().await;
    let deep = |open: &str, close: &str| open.repeat(3000) + &close.repeat(3000);
    let (lists, objects) = (deep("[", "]"), deep("{a:", "}").replace(":}", ":1}"));
    for document in [
        format!("{{ node(id: {lists}) {{ id }} }}"),
        format!("{{ node(id: {objects}) {{ id }} }}"),
        format!("{{ node(id: {}) {{ id }} }}", deep("(", ")")),
        format!("query ($id: {}) {{ node(id: $id) {{ id }} }}", lists.replace("[]", "[ID]")),
        format!("query ($id: ID = {lists}) {{ node(id: $id) {{ id }} }}"),
        format!("{{ __typename @skip(if: {lists}) }}"),
        deep("{", "}"),
        deep("{ a ", "}"),
        deep("{ ... ", "}"),
        deep("{ ... on Query ", "}"),
        deep("[", "]"),
        deep("(", ")"),
        "{ a ".repeat(3000),
        "{ a(b: ".to_owned() + &"[".repeat(3000),
        "{ a(b: ".to_owned() + &"{a:".repeat(3000),
    ] {
        assert_refused(&app, &document, &["BAD_USER_INPUT nesting_limit"]).await;
    }
    let in_strings = format!("{{ node(id: \"{lists}\") {{ id }} }}");
    let answer = app.query(&app.admin, &in_strings).await;
    assert_eq!(answer.errors(), ["BAD_USER_INPUT id id_syntax"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn fragments_that_spread_each_other_are_refused() {
    let app = TestApp::start().await;
    for document in [
        "{ ...A } fragment A on Query { ...A }",
        "{ ...A } fragment A on Query { ...B } fragment B on Query { ... { ...A } }",
        "{ __typename } fragment A on Query { ...B } fragment B on Query { ...A }",
    ] {
        assert_refused(&app, document, &["BAD_USER_INPUT fragment_cycle"]).await;
    }
    let mut doubling = "{ ...F0 } fragment F30 on Query { __typename }".to_owned();
    for level in 0..30 {
        let next = level + 1;
        write!(doubling, " fragment F{level} on Query {{ ...F{next} ...F{next} }}").unwrap();
    }
    assert_refused(&app, &doubling, &["BAD_USER_INPUT expansion_limit"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_has_bounds() {
    let app = TestApp::start().await;
    let aliases = |count: usize| -> String {
        let fields: Vec<String> = (0..count).map(|n| format!("a{n}: __typename")).collect();
        format!("{{ {} }}", fields.join(" "))
    };
    app.query(&app.admin, &aliases(30)).await.data();
    assert_refused(&app, &aliases(31), &["BAD_USER_INPUT query_limit"]).await;
    assert_refused(&app, &aliases(200), &["BAD_USER_INPUT query_limit"]).await;

    let users = |depth: usize| {
        let levels = "user { apiToken { ".repeat(depth / 2) + "id" + &"} }".repeat(depth / 2);
        format!("{{ currentApiToken {{ {levels} }} }}")
    };
    app.query(&app.admin, &users(12)).await.data();
    assert_refused(&app, &users(20), &["BAD_USER_INPUT query_limit"]).await;
    assert_refused(&app, &users(50), &["BAD_USER_INPUT nesting_limit"]).await;

    let directives = "{ __typename ".to_owned() + &"@skip(if: false) ".repeat(101) + "}";
    assert_refused(&app, &directives, &["BAD_USER_INPUT directive_limit"]).await;
    let tokens = format!("{{ {} }}", "a ".repeat(5_000));
    assert_refused(&app, &tokens, &["BAD_USER_INPUT token_limit"]).await;
    let variables: String = (0..101).map(|n| format!("$a{n}: ID ")).collect();
    for entries in [
        format!("query ({variables}) {{ __typename }}"),
        format!("{{ node({}) {{ id }} }}", "id: 1 ".repeat(101)),
        format!("{{ users(filter: {{ {} }}) {{ totalCount }} }}", "enabled: true ".repeat(101)),
    ] {
        assert_refused(&app, &entries, &["BAD_USER_INPUT entry_limit"]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn introspection_has_bounds() {
    let app = TestApp::start().await;
    let deep = "{__schema{types{fields{type{fields{type{fields{type{fields{name}}}}}}}}}}";
    let fragments = "{ __schema { types { ...A } } }
        fragment A on __Type { fields { type { ...B } } }
        fragment B on __Type { fields { type { ...C } } }
        fragment C on __Type { fields { type { name } } }";
    let by_type = "{__type(name:\"Query\"){fields{type{fields{type{fields{name}}}}}}}";
    let often = "{ a: __schema { types { name } } b: __schema { types { name } }
                   c: __schema { types { name } } }";
    let types: String =
        (0..11).map(|n| format!("a{n}: __type(name: \"ID\") {{ name }} ")).collect();
    let types = format!("{{ {types} }}");
    for document in [deep, fragments, by_type, often, &types] {
        assert_refused(&app, document, &["BAD_USER_INPUT introspection_limit"]).await;
        let answer = anonymous(&app, document).await;
        assert_eq!(answer.errors(), ["BAD_USER_INPUT introspection_limit"]);
    }
}
