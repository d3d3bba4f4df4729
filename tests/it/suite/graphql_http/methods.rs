//! GET, and the methods that are refused.

use reqwest::Method;
use serde_json::json;

use super::{WHO, by_get, sent};
use crate::support::TestApp;

#[tokio::test(flavor = "multi_thread")]
async fn queries_may_be_sent_by_get() {
    let app = TestApp::start().await;
    let answer = by_get(&app, &[("query", "{ currentUser { name } }")]).await;
    assert_eq!(answer.data()["currentUser"]["name"], "administrator");

    let two = "query A { a: __typename } query B($id: ID!) { b: node(id: $id) { id } }";
    let id = "usr_00000000000000000000zz";
    let variables = json!({ "id": id }).to_string();
    let parameters = [
        ("query", two),
        ("operationName", "B"),
        ("variables", variables.as_str()),
        ("extensions", "{}"),
    ];
    let answer = by_get(&app, &parameters).await;
    assert_eq!(answer.data(), &json!({ "b": null }));
}

#[tokio::test(flavor = "multi_thread")]
async fn query_strings_that_are_no_request_are_refused() {
    let app = TestApp::start().await;
    let query = ("query", "{ __typename }");
    for parameters in [
        &[][..],
        &[("document", "{ __typename }")],
        &[query, query],
        &[query, ("variables", "[]")],
        &[query, ("variables", "7")],
        &[query, ("variables", "{")],
        &[query, ("variables", "{}"), ("variables", "{}")],
        &[query, ("extensions", "[]")],
    ] {
        let answer = by_get(&app, parameters).await;
        assert_eq!(answer.status, 400, "{parameters:?}");
        assert_eq!(answer.errors(), ["BAD_USER_INPUT invalid_parameters"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mutation_by_get_is_refused_and_nothing_is_made() {
    let app = TestApp::start().await;
    let (tokens, users) = (app.database.count("api_tokens"), app.database.count("users"));
    let mutation = format!(
        "mutation {{ createApiToken(input: {{ name: \"got\", expiry: \"{}\", \
         permissions: [API_USERS_READ] }}) {{ token }} }}",
        app.in_time(chrono::TimeDelta::days(1))
    );
    let with_query =
        format!("query A {{ __typename }} {}", mutation.replace("mutation", "mutation B"));
    for parameters in
        [&[("query", mutation.as_str())][..], &[("query", &with_query), ("operationName", "B")]]
    {
        let answer = by_get(&app, parameters).await;
        assert_eq!(answer.status, 405);
        assert_eq!(answer.header("allow"), "POST");
        assert_eq!(answer.errors(), ["BAD_USER_INPUT method_not_allowed"]);
    }
    assert_eq!(app.database.count("api_tokens"), tokens);
    assert_eq!(app.database.count("users"), users);
    // The very same document is fine by POST, and its query by GET.
    let parameters = [("query", with_query.as_str()), ("operationName", "A")];
    by_get(&app, &parameters).await.data();
    app.query(&app.admin, &mutation).await.data();
}

#[tokio::test(flavor = "multi_thread")]
async fn other_methods_are_refused() {
    let app = TestApp::start().await;
    for method in [Method::PUT, Method::DELETE, Method::OPTIONS, Method::PATCH] {
        let request = app.http.request(method.clone(), app.url()).body(WHO);
        let answer = sent(request.bearer_auth(&app.admin)).await;
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(answer.header("allow"), "GET, POST");
        assert_eq!(answer.errors(), ["BAD_USER_INPUT method_not_allowed"]);
        assert_eq!(answer.header("access-control-allow-origin"), "");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_site_cannot_send_a_get() {
    let app = TestApp::start().await;
    let url = format!("{}?query={{__typename}}", app.url());
    let from = |site: &str| {
        let request = app.http.get(&url).header("sec-fetch-site", site);
        request.bearer_auth(&app.admin)
    };
    let answer = sent(from("cross-site")).await;
    assert_eq!(answer.status, 403);
    assert_eq!(answer.errors(), ["FORBIDDEN cross_site"]);
    for site in ["same-origin", "none"] {
        assert_eq!(sent(from(site)).await.status, 200);
    }
}
