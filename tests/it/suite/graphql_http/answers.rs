//! The answer: its media type, its headers, and what one failed field leaves of it.

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::{GRAPHQL_RESPONSE, WHO, body, by_get, sent, strict};
use crate::support::TestApp;

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_has_the_type_that_is_asked_for() {
    let app = TestApp::start().await;
    let older = "application/json; charset=utf-8";
    let newer = "application/graphql-response+json; charset=utf-8";
    for (accept, expected) in [
        ("", older),
        ("*/*", older),
        ("application/*", older),
        ("application/json", older),
        (GRAPHQL_RESPONSE, newer),
        ("application/json;q=0.5, application/graphql-response+json", newer),
        ("application/graphql-response+json;q=0.5, application/json", older),
        ("application/graphql-response+json, application/json;q=0.9", newer),
        ("text/html, application/graphql-response+json;q=0.1", newer),
        ("application/json;q=0, */*", newer),
        ("text/html,application/xhtml+xml,*/*;q=0.8", older),
    ] {
        let request = app.post().header("accept", accept).body(WHO);
        let answer = sent(request.bearer_auth(&app.admin)).await;
        assert_eq!(answer.status, 200, "{accept}");
        assert_eq!(answer.header("content-type"), expected, "{accept}");
        assert_eq!(answer.header("vary").to_lowercase(), "accept");
        assert_eq!(answer.data()["currentUser"]["name"], "administrator");
    }
    for accept in ["text/html", "application/xml, text/*", "application/json;q=0", "*/*;q=0"] {
        let request = app.post().header("accept", accept).body(WHO);
        let answer = sent(request.bearer_auth(&app.admin)).await;
        assert_eq!(answer.status, 406, "{accept}");
        assert_eq!(answer.errors(), ["BAD_USER_INPUT not_acceptable"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_accept_headers_are_one_list() {
    let app = TestApp::start().await;
    for (lines, expected) in [
        (&["text/html", "application/graphql-response+json"][..], GRAPHQL_RESPONSE),
        (&["application/json;q=0", "*/*"], GRAPHQL_RESPONSE),
        (&["application/json;q=0.1", "application/graphql-response+json;q=0"], "application/json"),
        (&["", "application/graphql-response+json"], GRAPHQL_RESPONSE),
        (&["nonsense;;;=", "*/*"], "application/json"),
    ] {
        let accept = |request: RequestBuilder, line: &&str| request.header("accept", *line);
        let request = lines.iter().fold(app.post().bearer_auth(&app.admin).body(WHO), accept);
        let answer = sent(request).await;
        assert_eq!(answer.status, 200, "{lines:?}");
        let ty = answer.header("content-type");
        assert_eq!(ty.split(';').next(), Some(expected), "{lines:?}");
    }
    for lines in [["application/json;q=0", "application/*;q=0"], ["text/html", "nonsense"]] {
        let [first, second] = lines;
        let request = app.post().header("accept", first).header("accept", second).body(WHO);
        assert_eq!(sent(request.bearer_auth(&app.admin)).await.status, 406, "{lines:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_refused() {
    let app = TestApp::start().await;
    let subscription = r#"{"query":"subscription { __typename }"}"#;
    let streams = [
        "text/event-stream",
        "multipart/mixed",
        "multipart/mixed; deferSpec=20220824",
        "multipart/mixed; subscriptionSpec=\"1.0\"",
        "text/event-stream, multipart/mixed",
    ];
    for (text, accept) in streams.iter().flat_map(|accept| [(WHO, accept), (subscription, accept)])
    {
        let request = app.post().header("accept", *accept).body(text);
        let answer = sent(request.bearer_auth(&app.admin)).await;
        assert_eq!(answer.status, 406, "{accept}");
        assert_eq!(answer.errors(), ["BAD_USER_INPUT not_acceptable"]);
        assert!(answer.message().contains("no streams"), "{}", answer.message());
    }
    // Clients that know streams offer them in addition to what they always know.
    let accept = "multipart/mixed;deferSpec=20220824, application/graphql-response+json, \
                  application/json, text/event-stream";
    let request = || app.post().header("accept", accept).bearer_auth(&app.admin);
    sent(request().body(WHO)).await.data();
    let answer = sent(request().body(subscription)).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.errors(), ["BAD_USER_INPUT subscription"]);
    let answer = by_get(&app, &[("query", "subscription { __typename }")]).await;
    assert_eq!(answer.errors(), ["BAD_USER_INPUT subscription"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_kept_nowhere_and_has_an_id() {
    let app = TestApp::start().await;
    let at = |path: &str| app.http.get(format!("http://{}{path}", app.address));
    let admin = |request: RequestBuilder| request.bearer_auth(&app.admin);
    let mut ids = std::collections::HashSet::new();
    for (request, status) in [
        (admin(app.post().body(WHO)), 200),
        (admin(app.post().body(r#"{"query":"{"}"#)), 200),
        (admin(app.post().body("")), 400),
        (app.post().body(WHO), 401),
        (app.post().bearer_auth("nonsense").body(WHO), 401),
        (at("/nowhere"), 404),
        (app.http.put(app.url()), 405),
        (admin(app.post().header("accept", "text/html").body(WHO)), 406),
        (admin(app.post().body(" ".repeat(100_000))), 413),
        (admin(app.http.post(app.url()).body(WHO)), 415),
        (at("/"), 200),
        (at("/livez"), 200),
        (at("/readyz"), 200),
    ] {
        let answer = sent(request).await;
        assert_eq!(answer.status, status, "{}", answer.text);
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert!(ids.insert(answer.header("x-request-id").to_owned()));
    }
    assert!(!ids.contains(""));
}

#[tokio::test(flavor = "multi_thread")]
async fn persisted_queries_are_not_supported() {
    let app = TestApp::start().await;
    let extensions = json!({ "persistedQuery": { "version": 1, "sha256Hash": "00" } });
    let hash_alone = json!({ "extensions": extensions }).to_string();
    for answer in [
        body(&app, hash_alone.clone()).await,
        by_get(&app, &[("extensions", &extensions.to_string())]).await,
        sent(app.post().body(hash_alone)).await,
    ] {
        assert_eq!(answer.message(), "PersistedQueryNotSupported");
        assert_eq!(answer.errors(), ["PERSISTED_QUERY_NOT_SUPPORTED persisted_query"]);
        assert_eq!(answer.status, 200, "some clients read the error of a 200 only");
    }
    let newer = app.post().header("accept", GRAPHQL_RESPONSE).bearer_auth(&app.admin);
    let answer = sent(newer.body(json!({ "extensions": extensions }).to_string())).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.message(), "PersistedQueryNotSupported");
    let with_text = json!({ "query": "{ __typename }", "extensions": extensions });
    body(&app, with_text.to_string()).await.data();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_fails_leaves_the_others_alone() {
    let app = TestApp::start().await;
    let document = "{ a: apiToken(id: \"tok_00000000000000000000zz\") { id } currentUser { name }
                      b: user(id: \"nonsense\") { id } c: __typename }";
    for answer in [app.query(&app.admin, document).await, strict(&app, document).await] {
        assert_eq!(answer.status, 200);
        let data = json!({
            "a": null, "currentUser": { "name": "administrator" }, "b": null, "c": "Query",
        });
        assert_eq!(answer.json["data"], data);
        let mut errors: Vec<(Value, Value)> = answer.json["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|error| (error["path"].clone(), error["extensions"]["code"].clone()))
            .collect();
        errors.sort_by_key(|(path, _)| path.to_string());
        let expected =
            [(json!(["a"]), json!("NOT_FOUND")), (json!(["b"]), json!("BAD_USER_INPUT"))];
        assert_eq!(errors, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_fails_below_leaves_the_others_alone() {
    let app = TestApp::start().await;
    // Who may not read users may not read who made a token either.
    let permissions = json!({ "permissions": ["API_API_TOKENS_READ"] });
    let secret = app.secret(&app.admin, app.input("reader", permissions)).await;
    let document =
        "{ currentApiToken { name createdUserInfo { userName user { id } } } c: __typename
                      apiTokens(first: 1) { nodes { name createdUserInfo { user { id } } } } }";
    let answer = app.query(&secret, document).await;
    assert_eq!(answer.status, 200);
    let info = json!({ "userName": "administrator", "user": null });
    let data = &answer.json["data"];
    assert_eq!(data["currentApiToken"], json!({ "name": "reader", "createdUserInfo": info }));
    assert_eq!(data["c"], "Query");
    assert_eq!(data["apiTokens"]["nodes"][0]["name"], "reader");
    let errors = answer.json["errors"].as_array().unwrap();
    let path = json!(["currentApiToken", "createdUserInfo", "user"]);
    let failed = errors.iter().find(|error| error["path"] == path).unwrap();
    assert_eq!(failed["extensions"]["code"], "FORBIDDEN");
}
