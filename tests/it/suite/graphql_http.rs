//! GraphQL over HTTP: what is accepted, and the clear answer to everything that is not.

use std::fmt::Write;
use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokenwright::graphql::Introspection;

use crate::support::{Answer, Log, Options, TestApp, exchange};

/// The query that graphql-js makes by default, as most tools send it.
const INTROSPECTION: &str = "
    query IntrospectionQuery {
      __schema {
        queryType { name kind }
        mutationType { name kind }
        subscriptionType { name kind }
        types {
          ...FullType
        }
        directives {
          name
          description
          locations
          args {
            ...InputValue
          }
        }
      }
    }

    fragment FullType on __Type {
      kind
      name
      description
      fields(includeDeprecated: true) {
        name
        description
        args {
          ...InputValue
        }
        type {
          ...TypeRef
        }
        isDeprecated
        deprecationReason
      }
      inputFields {
        ...InputValue
      }
      interfaces {
        ...TypeRef
      }
      enumValues(includeDeprecated: true) {
        name
        description
        isDeprecated
        deprecationReason
      }
      possibleTypes {
        ...TypeRef
      }
    }

    fragment InputValue on __InputValue {
      name
      description
      type { ...TypeRef }
      defaultValue
    }

    fragment TypeRef on __Type {
      kind
      name
      ofType {
        kind
        name
        ofType {
          kind
          name
          ofType {
            kind
            name
            ofType {
              kind
              name
              ofType {
                kind
                name
                ofType {
                  kind
                  name
                  ofType {
                    kind
                    name
                    ofType {
                      kind
                      name
                      ofType {
                        kind
                        name
                      }
                    }
                  }
                }
              }
            }
          }
        }
      }
    }
";
const GRAPHQL_RESPONSE: &str = "application/graphql-response+json";
const CHALLENGE: &str = r#"Bearer realm="tokenwright""#;
const WHO: &str = r#"{"query":"{ currentUser { name } }"}"#;

async fn sent(request: RequestBuilder) -> Answer {
    Answer::of(request.send().await.unwrap()).await
}

/// Sends a body with the administrator's token.
async fn body(app: &TestApp, body: impl Into<String>) -> Answer {
    sent(app.post().bearer_auth(&app.admin).body(body.into())).await
}

/// Sends a document without credentials.
async fn anonymous(app: &TestApp, document: &str) -> Answer {
    sent(app.post().body(json!({ "query": document }).to_string())).await
}

/// Sends a document under the media type of GraphQL over HTTP.
async fn strict(app: &TestApp, document: &str) -> Answer {
    let request = app.post().header("accept", GRAPHQL_RESPONSE);
    let body = json!({ "query": document }).to_string();
    sent(request.bearer_auth(&app.admin).body(body)).await
}

async fn with_introspection(introspection: Introspection) -> TestApp {
    TestApp::with(Options { introspection, ..Options::default() }).await
}

async fn assert_alive(app: &TestApp) {
    let answer = body(app, WHO).await;
    assert_eq!(answer.data()["currentUser"]["name"], "administrator");
}

/// It is refused before anything runs, for this reason, in both media types.
async fn assert_refused(app: &TestApp, document: &str, expected: &[&str]) {
    let start: String = document.chars().take(60).collect();
    let older = app.query(&app.admin, document).await;
    assert_eq!(older.status, 200, "{start}");
    let newer = strict(app, document).await;
    assert_eq!(newer.status, 400, "{start}");
    for answer in [older, newer] {
        assert_eq!(answer.errors(), expected, "{start}: {}", answer.text);
        assert!(answer.json.get("data").is_none(), "{start}");
    }
    assert_alive(app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_no_request_are_refused() {
    let app = TestApp::start().await;
    let many_brackets = format!(
        r#"{{"query":"{{ __typename }}","variables":{{"a":{}{}}}}}"#,
        "[".repeat(3000),
        "]".repeat(3000)
    );
    for (text, hint) in [
        ("", "JSON"),
        ("{ __typename }", "JSON"),
        (r#"{"query":"#, "JSON"),
        (r#"{"query":"{ __typename }"} trailing"#, "JSON"),
        (many_brackets.as_str(), "JSON"),
        (r#"[{"query":"{ __typename }"}]"#, "Batches"),
        ("[]", "Batches"),
        (r#""{ __typename }""#, "JSON object"),
        ("null", "JSON object"),
        ("7", "JSON object"),
        ("{}", "`query`"),
        (r#"{"query":null}"#, "`query`"),
        (r#"{"query":7}"#, "`query`"),
        (r#"{"query":{"a":1}}"#, "`query`"),
        (r#"{"query":["{ __typename }"]}"#, "`query`"),
        (r#"{"query":"{ __typename }","variables":[]}"#, "`variables`"),
        (r#"{"query":"{ __typename }","variables":"{}"}"#, "`variables`"),
        (r#"{"query":"{ __typename }","operationName":7}"#, "`operationName`"),
        (r#"{"query":"{ __typename }","extensions":[]}"#, "`extensions`"),
    ] {
        let answer = body(&app, text).await;
        assert_eq!(answer.status, 400, "{text}");
        assert_eq!(answer.errors(), ["BAD_USER_INPUT invalid_parameters"]);
        assert!(answer.message().contains(hint), "{}", answer.message());
        assert!(answer.json.get("data").is_none());
    }
    let not_utf8 = app.post().bearer_auth(&app.admin).body(vec![b'"', 0xff, b'"']);
    assert_eq!(sent(not_utf8).await.status, 400);
    assert_alive(&app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_that_are_null_are_left_out() {
    let app = TestApp::start().await;
    let text = r#"{"query":"{ __typename }","variables":null,"operationName":null,
                   "extensions":null,"unknown":1}"#;
    assert_eq!(body(&app, text).await.data()["__typename"], "Query");
}

const TEN_MEGABYTES: usize = 10 * 1024 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_announces_too_much_is_refused() {
    let app = TestApp::start().await;
    for length in [64 * 1024 + 1, TEN_MEGABYTES] {
        let answer = body(&app, " ".repeat(length)).await;
        assert_eq!(answer.status, 413);
        assert_eq!(answer.errors(), ["BAD_USER_INPUT body_too_large"]);
    }
    let fitting = format!("{WHO}{}", " ".repeat(64 * 1024 - WHO.len()));
    assert_eq!(body(&app, fitting).await.status, 200);
}

/// The head of a request whose body comes in chunks.
fn chunked_head(app: &TestApp) -> String {
    format!(
        "POST /graphql HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n",
        app.admin
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_in_chunks_is_refused_once_it_is_too_large() {
    let app = TestApp::start().await;
    let head = chunked_head(&app);
    let whole = format!("{:x}\r\n{WHO}\r\n0\r\n\r\n", WHO.len());
    let answer = exchange(app.address, &[head.as_bytes(), whole.as_bytes()]);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("administrator"), "{answer}");

    let chunk = format!("1000\r\n{}\r\n", " ".repeat(0x1000));
    let mut parts = vec![head.as_bytes()];
    parts.resize(1 + TEN_MEGABYTES / 0x1000, chunk.as_bytes());
    parts.push(b"0\r\n\r\n");
    let answer = exchange(app.address, &parts);
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(answer.contains("body_too_large"), "{answer}");
    assert_alive(&app).await;
}

/// The start of a request whose body does not end, with a token or without one.
fn without_an_end(framing: &str, token: &str) -> String {
    format!(
        "POST /graphql HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\n{framing}\r\n\r\n5\r\n{{\"que\r\n"
    )
}

/// Waits long enough to authenticate on a busy machine.
async fn impatient() -> TestApp {
    TestApp::with(Options { request_timeout: Duration::from_secs(2), ..Options::default() }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_arrive_is_not_waited_for() {
    let app = impatient().await;
    let length = "content-length: 60000";
    let answer = exchange(app.address, &[without_an_end(length, &app.admin).as_bytes()]);
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("body_too_slow"), "{answer}");
    let answer = exchange(app.address, &[without_an_end(length, "x").as_bytes()]);
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_in_chunks_that_does_not_end_is_not_waited_for() {
    let app = impatient().await;
    let chunked = "transfer-encoding: chunked";
    let answer = exchange(app.address, &[without_an_end(chunked, &app.admin).as_bytes()]);
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    let answer = exchange(app.address, &[without_an_end(chunked, "x").as_bytes()]);
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_body_is_json_in_utf_8_and_says_so() {
    let app = TestApp::start().await;
    let post = |types: &[&str]| {
        let request = app.http.post(app.url()).bearer_auth(&app.admin).body(WHO);
        let add = |request: RequestBuilder, ty: &&str| request.header("content-type", *ty);
        types.iter().fold(request, add)
    };
    for types in [
        &[][..],
        &[""],
        &["text/plain"],
        &["text/plain;charset=UTF-8"],
        &["application/x-www-form-urlencoded"],
        &["multipart/form-data; boundary=x"],
        &["application/graphql"],
        &[GRAPHQL_RESPONSE],
        &["application/json; charset=utf-16"],
        &["application/json; charset"],
        &["application/json; charset=utf-8; charset=utf-8"],
        &["application/json; profile=x"],
        &["application/json, application/json"],
        &["application/json,text/plain"],
        &["text/plain; application/json"],
        &["text/plain; x=\"application/json\""],
        &["text/plain, application/json"],
        &["application/json", "application/json"],
        &["application/json", "text/plain"],
        &["text/plain", "application/json"],
        &["application/jsonx"],
        &["application/json\u{e9}"],
    ] {
        let answer = sent(post(types)).await;
        assert_eq!(answer.status, 415, "{types:?}");
        assert_eq!(answer.errors(), ["BAD_USER_INPUT unsupported_media_type"]);
    }
    for ty in [
        "application/json",
        "Application/JSON; Charset=\"UTF-8\"",
        "application/json;charset=utf-8",
    ] {
        assert_eq!(sent(post(&[ty])).await.status, 200, "{ty}");
    }
}

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
    // Clients that know streams offer them beside what they always know.
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
async fn an_upload_is_refused_before_it_is_read() {
    let app = TestApp::start().await;
    let tokens = app.database.count("api_tokens");
    let part = |name: &str, text: &str| {
        format!("--x\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n")
    };
    let mutation = format!(
        r#"{{"query":"mutation {{ createApiToken(input: {{ name: \"up\", expiry: \"{}\", permissions: [API_USERS_READ] }}) {{ token }} }}"}}"#,
        app.in_time(chrono::TimeDelta::days(1))
    );
    let form =
        part("operations", &mutation) + &part("map", "{}") + &part("0", "text") + "--x--\r\n";
    for ty in
        ["multipart/form-data; boundary=x", "multipart/mixed; boundary=x", "multipart/form-data"]
    {
        let request = app.http.post(app.url()).header("content-type", ty).body(form.clone());
        let answer = sent(request.bearer_auth(&app.admin)).await;
        assert_eq!(answer.status, 415, "{ty}");
        assert_eq!(answer.errors(), ["BAD_USER_INPUT unsupported_media_type"]);
        assert!(answer.message().contains("no uploads"), "{}", answer.message());
    }
    assert_eq!(app.database.count("api_tokens"), tokens);
    assert_alive(&app).await;
}

/// Sends a query string with the administrator's token.
async fn by_get(app: &TestApp, parameters: &[(&str, &str)]) -> Answer {
    let encode = |text: &str| -> String {
        text.bytes().fold(String::new(), |mut encoded, byte| {
            write!(encoded, "%{byte:02x}").unwrap();
            encoded
        })
    };
    let pairs: Vec<String> =
        parameters.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    let url = format!("{}?{}", app.url(), pairs.join("&"));
    sent(app.http.get(url).bearer_auth(&app.admin)).await
}

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

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_a_document_are_told_before_anything_runs() {
    let app = TestApp::start().await;
    for (document, expected) in [
        ("", "BAD_USER_INPUT syntax"),
        ("# nothing", "BAD_USER_INPUT syntax"),
        ("{", "BAD_USER_INPUT syntax"),
        ("{ a: }", "BAD_USER_INPUT syntax"),
        ("{ node(id: \"x) { id } }", "BAD_USER_INPUT syntax"),
        ("type Query { a: Int }", "BAD_USER_INPUT syntax"),
        ("{ __typename } { __typename }", "BAD_USER_INPUT syntax"),
        ("fragment F on Query { __typename }", "BAD_USER_INPUT syntax"),
        ("query A { __typename } query A { __typename }", "BAD_USER_INPUT syntax"),
        ("query A { __typename } query B { __typename }", "BAD_USER_INPUT operation_name_missing"),
        ("subscription { __typename }", "BAD_USER_INPUT subscription"),
        ("query ($id: ID!) { node(id: $id) { id } }", "BAD_USER_INPUT id variable_missing"),
        ("{ nothing }", "BAD_USER_INPUT validation"),
        ("{ currentUser }", "BAD_USER_INPUT validation"),
        ("{ node { id } }", "BAD_USER_INPUT validation"),
        ("{ node(id: true) { id } }", "BAD_USER_INPUT id validation"),
        ("{ ...Nowhere }", "BAD_USER_INPUT validation"),
        ("{ node(id: $id) { id } }", "BAD_USER_INPUT validation"),
        ("{ currentUser @nothing { id } }", "BAD_USER_INPUT validation"),
    ] {
        assert_refused(&app, document, &[expected]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_is_chosen_by_its_name() {
    let app = TestApp::start().await;
    let two = "query A { a: __typename } query B { b: __typename }";
    let named = async |document: &str, name: &str| {
        let request = json!({ "query": document, "operationName": name });
        body(&app, request.to_string()).await
    };
    assert_eq!(named(two, "A").await.data(), &json!({ "a": "Query" }));
    assert_eq!(named(two, "B").await.data(), &json!({ "b": "Query" }));
    for document in [two, "{ __typename }", "query A { __typename }"] {
        let answer = named(document, "C").await;
        assert_eq!(answer.errors(), ["BAD_USER_INPUT operation_unknown"]);
        assert!(answer.json.get("data").is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_are_held_to_their_types() {
    let app = TestApp::start().await;
    let query = "query ($id: ID!) { node(id: $id) { id } }";
    for variables in [json!({}), json!({ "id": null })] {
        let answer = app.graphql(&app.admin, query, variables).await;
        assert_eq!(answer.errors(), ["BAD_USER_INPUT id variable_missing"]);
    }
    for id in [json!(true), json!([]), json!({}), json!(1.5)] {
        let answer = app.graphql(&app.admin, query, json!({ "id": id })).await;
        assert_eq!(answer.errors().len(), 1, "{}", answer.text);
        assert!(answer.errors()[0].starts_with("BAD_USER_INPUT"), "{}", answer.text);
        assert!(answer.json.get("data").is_none(), "{}", answer.text);
    }
    let with_default = "query ($id: ID! = \"usr_00000000000000000000zz\") { node(id: $id) { id } }";
    app.query(&app.admin, with_default).await.data();
}

/// Documents and variables whose values have not the shape that their types ask for. The value that
/// does not fit is `misplaced`, where it is a text.
fn misshapen() -> Vec<(&'static str, Value)> {
    let create = "mutation ($i: CreateApiTokenInput!) { createApiToken(input: $i) { token } }";
    let input = |name: Value, permissions: Value| json!({ "i": { "name": name, "expiry": "2027-01-01T00:00:00Z", "permissions": permissions } });
    let nullable = "mutation ($n: String) { createApiToken(input: { name: $n,
        expiry: \"2027-01-01T00:00:00Z\", permissions: [API_USERS_READ] }) { token } }";
    vec![
        (create, json!({ "i": "misplaced" })),
        (create, json!({ "i": 7 })),
        (create, json!({ "i": true })),
        (create, json!({ "i": [] })),
        (create, json!({ "i": [{ "name": "misplaced" }] })),
        (create, json!({ "i": {} })),
        (create, input(json!(["misplaced"]), json!([]))),
        (create, input(json!({ "a": "misplaced" }), json!([]))),
        (create, input(json!(null), json!([]))),
        (create, input(json!("x"), json!([7]))),
        (create, input(json!("x"), json!([null]))),
        (create, input(json!("x"), json!([["misplaced"]]))),
        (create, input(json!("x"), json!({ "misplaced": 1 }))),
        ("mutation { createApiToken(input: \"misplaced\") { token } }", json!({})),
        ("mutation { createApiToken(input: [{}]) { token } }", json!({})),
        (nullable, json!({})),
        ("query ($id: ID) { node(id: $id) { id } }", json!({})),
        ("query ($id: [ID!]!) { node(id: $id) { id } }", json!({ "id": ["misplaced"] })),
        ("query ($name: String) { __type(name: $name) { name } }", json!({})),
        ("query ($x: Boolean!) { currentUser @skip(if: $x) { id } }", json!({ "x": "misplaced" })),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_of_the_wrong_shape_is_bad_input() {
    let app = TestApp::start().await;
    let mut otherwise = Vec::new();
    for (document, variables) in misshapen() {
        let answer = app.graphql(&app.admin, document, variables.clone()).await;
        let told = answer.errors();
        if told.is_empty() || !told.iter().all(|told| told.starts_with("BAD_USER_INPUT")) {
            otherwise.push(format!("{document} {variables}: {}", answer.text));
        }
    }
    assert!(otherwise.is_empty(), "{otherwise:#?}");
    assert_eq!(app.database.count("api_tokens"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_of_the_wrong_shape_is_not_logged() {
    let log = Log::start();
    let app = TestApp::start().await;
    for (document, variables) in misshapen() {
        let variables = variables.to_string().replace("misplaced", &app.admin);
        let document = document.replace("misplaced", &app.admin);
        let variables = serde_json::from_str(&variables).unwrap();
        app.graphql(&app.admin, &document, variables).await;
    }
    let lines = log.lines_with(&[&app.admin]);
    assert!(lines.is_empty(), "{lines:#?}");
}

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

#[tokio::test(flavor = "multi_thread")]
async fn at_most_five_faults_are_told() {
    let app = TestApp::start().await;
    let fields: Vec<String> = (0..25).map(|n| format!("nothing{n}")).collect();
    let document = format!("{{ {} }}", fields.join(" "));
    assert_refused(&app, &document, &["BAD_USER_INPUT validation"; 5]).await;
    let two = "{ nothing nowhere }";
    assert_refused(&app, two, &["BAD_USER_INPUT validation"; 2]).await;
    let variables: Vec<String> = (0..25).map(|n| format!("$v{n}: ID!")).collect();
    let uses: Vec<String> = (0..25).map(|n| format!("a{n}: node(id: $v{n}) {{ id }}")).collect();
    let document = format!("query ({}) {{ {} }}", variables.join(" "), uses.join(" "));
    let answer = app.query(&app.admin, &document).await;
    assert_eq!(answer.errors().len(), 5, "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_syntax_error_does_not_echo_the_document() {
    let app = TestApp::start().await;
    let secret = app.admin.as_str();
    for document in [
        secret.to_owned(),
        format!("{{ {secret}"),
        format!("{{ node(id: \"{secret}\") {{ id }}"),
        format!("{{ node(id: \"{secret}) {{ id }} }}"),
        format!("{{ node(id: {secret}\") {{ id }} }}"),
        format!("query {secret} {{ {secret}: }}"),
        format!("query {secret} {{ __typename }} query {secret} {{ __typename }}"),
        format!("fragment {secret} on Query {{ __typename }}"),
        format!("{{ ...{secret} }} fragment {secret} on Query {{ ...{secret} }}"),
        format!("{{ __typename }} fragment {secret} on A {{ a }} fragment {secret} on A {{ a }}"),
        format!("{{ __typename }} # {secret}\n }}"),
        format!("subscription {secret} {{ __typename }}"),
    ] {
        for answer in [
            app.query(secret, &document).await,
            strict(&app, &document).await,
            anonymous(&app, &document).await,
        ] {
            assert!(!answer.errors().is_empty(), "{document}");
            assert!(!answer.text.contains(secret), "{}", answer.text);
            assert!(!answer.text.contains(&secret[4..30]), "{}", answer.text);
        }
    }
    let place = app.query(secret, "{\n  a: }").await;
    let locations = &place.json["errors"][0]["locations"];
    assert_eq!(locations[0]["line"], 2, "the place is enough");
    assert!(place.message().contains("line 2"), "{}", place.message());
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_may_introspect_where_it_is_public() {
    let app = with_introspection(Introspection::Public).await;
    assert_eq!(anonymous(&app, "{ __typename }").await.data()["__typename"], "Query");
    let answer = anonymous(&app, INTROSPECTION).await;
    assert_eq!(answer.status, 200);
    let schema = &answer.data()["__schema"];
    assert_eq!(schema["queryType"]["name"], "Query");
    let types = schema["types"].as_array().unwrap();
    let permission = types.iter().find(|ty| ty["name"] == "Permission").unwrap();
    assert_eq!(permission["enumValues"].as_array().unwrap().len(), 64);
    let answer = anonymous(&app, "{ __type(name: \"ApiToken\") { fields { name } } }").await;
    assert!(!answer.data()["__type"]["fields"].as_array().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_else_needs_a_token_where_introspection_is_public() {
    let app = with_introspection(Introspection::Public).await;
    let tokens = app.database.count("api_tokens");
    let mutation = format!(
        "mutation {{ createApiToken(input: {{ name: \"x\", expiry: \"{}\", \
         permissions: [API_USERS_READ] }}) {{ token }} }}",
        app.in_time(chrono::TimeDelta::days(1))
    );
    for document in [
        "{ currentUser { id } }",
        "{ currentApiToken { id } }",
        "{ permissions { code } }",
        "{ node(id: \"nonsense\") { id } }",
        "{ user(id: \"nonsense\") { id } }",
        "{ apiToken(id: \"nonsense\") { id } }",
        "{ __typename currentUser { id } }",
        "{ ...F } fragment F on Query { a: permissions { code } }",
        mutation.as_str(),
    ] {
        for accept in ["application/json", GRAPHQL_RESPONSE] {
            let request = app.post().header("accept", accept);
            let answer = sent(request.body(json!({ "query": document }).to_string())).await;
            assert_eq!(answer.status, 401, "{document}");
            assert_eq!(answer.header("www-authenticate"), CHALLENGE);
            assert_eq!(answer.errors(), ["UNAUTHENTICATED token_missing"]);
            assert!(answer.json.get("data").is_none());
        }
    }
    assert_eq!(app.database.count("api_tokens"), tokens);
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_are_told_to_everybody_where_introspection_is_public() {
    let app = with_introspection(Introspection::Public).await;
    for (document, reason) in [
        ("{", "syntax"),
        ("{ nothing }", "validation"),
        ("subscription { __typename }", "subscription"),
    ] {
        let answer = anonymous(&app, document).await;
        assert_eq!(answer.status, 200, "{document}");
        assert_eq!(answer.errors(), [format!("BAD_USER_INPUT {reason}")]);
        let request = app.post().header("accept", GRAPHQL_RESPONSE);
        let answer = sent(request.body(json!({ "query": document }).to_string())).await;
        assert_eq!(answer.status, 400, "{document}");
        assert_eq!(answer.header("www-authenticate"), "");
    }
    assert_eq!(sent(app.post().body("nonsense")).await.status, 400);
    let plain = app.http.post(app.url()).body(WHO);
    assert_eq!(sent(plain).await.status, 415);
    let html = app.post().header("accept", "text/html").body(WHO);
    assert_eq!(sent(html).await.status, 406);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_nothing_is_parsed_where_introspection_is_not_public() {
    for introspection in [Introspection::Authenticated, Introspection::Off] {
        let app = with_introspection(introspection).await;
        for request in [
            app.post().body(WHO),
            app.post().body(r#"{"query":"{ __typename }"}"#),
            app.post().body(json!({ "query": INTROSPECTION }).to_string()),
            app.post().body(r#"{"query":"{"}"#),
            app.post().body("nonsense"),
            app.post().body(""),
            app.post().header("accept", "text/html").body(WHO),
            app.http.post(app.url()).body(WHO),
            app.http.get(app.url()),
            app.http.get(format!("{}?query={{__typename}}", app.url())),
            app.http.get(format!("{}?query=mutation{{x}}", app.url())),
        ] {
            let answer = sent(request).await;
            assert_eq!(answer.status, 401, "{introspection:?}");
            assert_eq!(answer.errors(), ["UNAUTHENTICATED token_missing"]);
            assert_eq!(answer.header("www-authenticate"), CHALLENGE);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_may_introspect_unless_it_is_off() {
    let app = with_introspection(Introspection::Authenticated).await;
    let answer = app.query(&app.admin, INTROSPECTION).await;
    assert!(answer.data()["__schema"]["types"].is_array());

    let app = with_introspection(Introspection::Off).await;
    for document in [
        "{ __schema { queryType { name } } }",
        "{ __type(name: \"Query\") { name } }",
        INTROSPECTION,
    ] {
        let answer = app.query(&app.admin, document).await;
        assert_eq!(answer.errors(), ["FORBIDDEN introspection_off"]);
        assert!(!answer.text.contains("\"Query\""), "{}", answer.text);
    }
    let rest = "{ __typename a: __schema { queryType { name } } currentUser { __typename } }";
    let answer = app.query(&app.admin, rest).await;
    let expected =
        json!({ "__typename": "Query", "a": null, "currentUser": { "__typename": "User" } });
    assert_eq!(answer.json["data"], expected);
    let answer = app.query(&app.admin, "{ currentUsr { id } }").await;
    assert!(!answer.text.contains("currentUser"), "{}", answer.text);
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

#[tokio::test(flavor = "multi_thread")]
async fn a_null_has_no_say_in_a_fragment_of_another_operation() {
    let app = TestApp::start().await;
    let query = "query A ($x: String) { apiTokens(after: $x, first: 1) { nodes { name } } }
                 query B ($b: Boolean!) { ...F }
                 fragment F on Query { currentUser { id @skip(if: $b) } }";
    let body = json!({ "query": query, "operationName": "A", "variables": { "x": null } });
    let request = app.post().bearer_auth(&app.admin).body(body.to_string());
    let answer = Answer::of(request.send().await.unwrap()).await;
    assert_eq!(answer.data()["apiTokens"]["nodes"][0]["name"], "administrator");
}
