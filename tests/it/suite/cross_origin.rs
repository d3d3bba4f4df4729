//! What pages of other origins may do with GraphQL: nothing, unless the operator names them.

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use crate::support::{
    Answer, Binary, Options, TestApp, administrator, assert_ended, exchange, migrated,
};

const APP: &str = "https://app.example";
const LOCAL: &str = "http://localhost:3000";
const WHO: &str = r#"{"query":"{ currentUser { name } }"}"#;

async fn with_origins(allowed_origins: &[&'static str]) -> TestApp {
    let allowed_origins = allowed_origins.to_vec();
    TestApp::with(Options { allowed_origins, ..Options::default() }).await
}

async fn sent(request: RequestBuilder) -> Answer {
    Answer::of(request.send().await.unwrap()).await
}

/// What a browser asks before a page of this origin may send its POST.
async fn preflight(app: &TestApp, origin: &str) -> Answer {
    let request = app.http.request(Method::OPTIONS, app.url()).header("origin", origin);
    let request = request.header("access-control-request-method", "POST");
    sent(request.header("access-control-request-headers", "authorization,content-type")).await
}

/// A POST with a token, as a page of this origin sends it.
async fn post(app: &TestApp, origin: &str) -> Answer {
    sent(app.post().bearer_auth(&app.admin).header("origin", origin).body(WHO)).await
}

/// Everything that an answer says to browsers about other origins, sorted.
fn told(headers: &HeaderMap) -> Vec<String> {
    let lines = headers.iter().filter(|(name, _)| name.as_str().starts_with("access-control-"));
    let mut lines: Vec<String> =
        lines.map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    lines.sort();
    lines
}

fn varies_by_origin(answer: &Answer) -> bool {
    let mut lines = answer.headers.get_all("vary").iter();
    lines.any(|line| line.to_str().unwrap().to_lowercase().contains("origin"))
}

/// The headers of every answer to a page of an allowed origin.
fn with_answer(origin: &str) -> Vec<String> {
    vec![
        format!("access-control-allow-origin: {origin}"),
        "access-control-expose-headers: www-authenticate, retry-after, x-request-id".to_owned(),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn no_origin_is_allowed_unless_it_is_named() {
    let app = TestApp::start().await;
    for origin in [APP, LOCAL, "null"] {
        let asked = preflight(&app, origin).await;
        assert_eq!(asked.status, 403, "{origin}");
        assert_eq!(asked.errors(), ["FORBIDDEN origin_not_allowed"]);
        assert!(asked.message().contains("`allowed-origins`"), "{}", asked.message());
        let answer = post(&app, origin).await;
        answer.data();
        for answer in [asked, answer] {
            assert_eq!(told(&answer.headers), [""; 0], "{origin}");
            assert!(!varies_by_origin(&answer), "{origin}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_an_allowed_origin_is_told_what_it_may_send() {
    let app = with_origins(&[APP, LOCAL]).await;
    for origin in [APP, LOCAL] {
        let asked = preflight(&app, origin).await;
        assert_eq!((asked.status.as_u16(), asked.text.as_str()), (204, ""));
        let expected = [
            "access-control-allow-headers: authorization, content-type, accept, *".to_owned(),
            "access-control-allow-methods: GET, POST".to_owned(),
            format!("access-control-allow-origin: {origin}"),
            "access-control-max-age: 7200".to_owned(),
        ];
        assert_eq!(told(&asked.headers), expected);
        assert!(varies_by_origin(&asked));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_an_allowed_origin_can_read_every_answer() {
    let app = with_origins(&[LOCAL, APP]).await;
    let limited = json!({ "allowedAddresses": ["192.0.2.7"] });
    let elsewhere = app.secret(&app.admin, app.input("elsewhere", limited)).await;
    let admin = || app.post().bearer_auth(&app.admin);
    let get = |query: &str| app.http.get(format!("{}?query={query}", app.url()));
    for (request, status) in [
        (admin().body(WHO), 200),
        (admin().body(r#"{"query":"{"}"#), 200),
        (admin().header("accept", "application/graphql-response+json").body("{}"), 400),
        (get("{__typename}").bearer_auth(&app.admin), 200),
        (get("mutation{__typename}").bearer_auth(&app.admin), 405),
        (admin().body("nonsense"), 400),
        (app.post().header("authorization", "Bearer").body(WHO), 400),
        (app.post().body(WHO), 401),
        (app.post().bearer_auth("nonsense").body(WHO), 401),
        (app.post().bearer_auth(&elsewhere).body(WHO), 403),
        (app.http.put(app.url()), 405),
        (app.http.request(Method::OPTIONS, app.url()), 405),
        (admin().header("accept", "text/html").body(WHO), 406),
        (admin().body(" ".repeat(100_000)), 413),
        (app.http.post(app.url()).bearer_auth(&app.admin).body(WHO), 415),
    ] {
        let answer = sent(request.header("origin", APP)).await;
        assert_eq!(answer.status, status, "{}", answer.text);
        assert_eq!(told(&answer.headers), with_answer(APP), "{status}");
        assert!(varies_by_origin(&answer), "{status}");
    }
    app.database.execute("ALTER TABLE api_tokens RENAME TO gone");
    let answer = post(&app, APP).await;
    assert_eq!(answer.status, 503);
    assert_ne!(answer.header("retry-after"), "");
    assert_eq!(told(&answer.headers), with_answer(APP));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_origin_that_looks_like_an_allowed_one_is_told_nothing() {
    let app = with_origins(&[APP, LOCAL]).await;
    for origin in [
        "https://app.example.evil",
        "https://evil.app.example",
        "https://evil-app.example",
        "https://app.example@evil.example",
        "https://evil.example#https://app.example",
        "https://app.example/",
        "https://app.example:443",
        "https://app.example:8443",
        "https://app.example.",
        "https://App.Example",
        "HTTPS://app.example",
        "http://app.example",
        "https://app.exampl",
        "https://app_example",
        "https://app.example https://app.example",
        "https://app.example, https://app.example",
        "http://localhost",
        "http://localhost:30000",
        "http://127.0.0.1:3000",
        "null",
        "*",
        "",
    ] {
        let asked = preflight(&app, origin).await;
        assert_eq!(asked.status, 403, "{origin}");
        assert_eq!(asked.errors(), ["FORBIDDEN origin_not_allowed"], "{origin}");
        // Whether a page may read it is for the browser to judge; a program may send what it likes.
        let answer = post(&app, origin).await;
        assert_eq!(answer.data()["currentUser"]["name"], "administrator");
        for answer in [asked, answer] {
            assert_eq!(told(&answer.headers), [""; 0], "{origin}");
            assert!(varies_by_origin(&answer), "{origin}");
        }
    }
    // What a cache keeps for a program is not for a page.
    assert!(varies_by_origin(&sent(app.post().bearer_auth(&app.admin).body(WHO)).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_origins_none_counts() {
    let app = with_origins(&[APP]).await;
    for lines in [[APP, "https://evil.example"], ["https://evil.example", APP], [APP, APP]] {
        let [first, second] = lines;
        let origins = format!("origin: {first}\r\norigin: {second}\r\n");
        let admin = format!("authorization: Bearer {}\r\n", app.admin);
        let ask = format!(
            "OPTIONS /graphql HTTP/1.1\r\nhost: x\r\n{origins}access-control-request-method: POST\r\n\
             connection: close\r\n\r\n"
        );
        let answer = exchange(app.address, &[ask.as_bytes()]);
        assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
        assert!(!answer.to_lowercase().contains("access-control-"), "{answer}");
        let cross_site = "sec-fetch-site: cross-site\r\n";
        let get = format!(
            "GET /graphql?query=%7B__typename%7D HTTP/1.1\r\nhost: x\r\n{origins}{admin}{cross_site}\
             connection: close\r\n\r\n"
        );
        let answer = exchange(app.address, &[get.as_bytes()]);
        assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
        assert!(!answer.to_lowercase().contains("access-control-"), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_get_of_another_site_needs_an_allowed_origin() {
    let app = with_origins(&[APP]).await;
    let get = || {
        let request = app.http.get(format!("{}?query={{__typename}}", app.url()));
        request.bearer_auth(&app.admin).header("sec-fetch-site", "cross-site")
    };
    sent(get().header("origin", APP)).await.data();
    for request in [get(), get().header("origin", LOCAL), get().header("origin", "null")] {
        let answer = sent(request).await;
        assert_eq!(answer.status, 403);
        assert_eq!(answer.errors(), ["FORBIDDEN cross_site"]);
        assert_eq!(told(&answer.headers), [""; 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_preflight_is_one() {
    let app = with_origins(&[APP]).await;
    let options = || app.http.request(Method::OPTIONS, app.url());
    let asked = "access-control-request-method";
    for request in [options(), options().header("origin", APP), options().header(asked, "POST")] {
        let answer = sent(request).await;
        assert_eq!(answer.status, 405);
        assert_eq!(answer.header("allow"), "GET, POST");
    }
    // A token in a preflight is not looked at, and nothing runs.
    let tokens = app.database.count("api_tokens");
    let body =
        r#"{"query":"mutation { deleteApiToken(input: { id: \"x\" }) { deletedApiTokenId } }"}"#;
    let request = options().header("origin", APP).header(asked, "DELETE").bearer_auth(&app.admin);
    let answer = sent(request.body(body)).await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (204, ""));
    assert!(told(&answer.headers).contains(&"access-control-allow-methods: GET, POST".to_owned()));
    assert_eq!(app.database.count("api_tokens"), tokens);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_graphql_is_for_other_origins() {
    let app = with_origins(&[APP]).await;
    for path in ["/", "/livez", "/readyz", "/nowhere", "/graphql/"] {
        let url = format!("http://{}{path}", app.address);
        let get = sent(app.http.get(&url).header("origin", APP)).await;
        let ask = app.http.request(Method::OPTIONS, &url).header("origin", APP);
        let asked = sent(ask.header("access-control-request-method", "GET")).await;
        assert!(asked.status.is_client_error(), "{path}");
        for answer in [get, asked] {
            assert_eq!(told(&answer.headers), [""; 0], "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn origins_are_allowed_by_a_flag_a_variable_or_a_file() {
    let database = migrated();
    let admin = administrator(&database, "administrator");
    let file = format!("allowed-origins = [\"{APP}\", \"{LOCAL}\"]");
    std::fs::write(database.folder().join("s.toml"), file).unwrap();
    let serve = || Binary::on(&database, &["serve"]);
    let both = format!("{APP}, {LOCAL}");
    for command in [
        serve().args(&["--allowed-origins", &both]),
        serve().args(&["--allowed-origins", APP, "--allowed-origins", LOCAL]),
        serve().env("TOKENWRIGHT_ALLOWED_ORIGINS", &both),
        serve().args(&["--config", "s.toml"]),
    ] {
        let server = command.serve();
        for origin in [APP, LOCAL] {
            let request = server.request(Method::POST, "/graphql").header("origin", origin);
            let request = request.header("content-type", "application/json").body(WHO);
            let answer = sent(request.bearer_auth(&admin)).await;
            answer.data();
            assert_eq!(told(&answer.headers), with_answer(origin));
        }
        assert_eq!(server.stop().code, Some(0));
    }
    for command in [serve(), serve().env("TOKENWRIGHT_ALLOWED_ORIGINS", "")] {
        let server = command.serve();
        let request = server.request(Method::POST, "/graphql").header("origin", APP);
        assert_eq!(told(&sent(request).await.headers), [""; 0]);
        assert_eq!(server.stop().code, Some(0));
    }
}

#[test]
fn what_cannot_be_allowed_is_refused_at_the_start() {
    let database = migrated();
    for (value, told) in [
        ("*", "`*` would allow every page"),
        ("https://*.app.example", "`https://*.app.example` would allow every page"),
        ("null", "`null` is sent by any sandboxed page"),
        (
            "https://app.example/",
            "`https://app.example/` is not written as browsers send it; write `https://app.example`",
        ),
        ("https://app.example/page", "write `https://app.example`"),
        ("https://App.example", "write `https://app.example`"),
        ("https://app.example:443", "write `https://app.example`"),
        ("app.example", "`app.example` is not an origin"),
        ("https://app.example,,", "there is nothing between two commas"),
        ("https://app.example;http://localhost", "is not an origin"),
        ("https://app.example http://localhost", "is not an origin"),
        ("file:///page.html", "must begin with `https://` or `http://`"),
    ] {
        for serve in [
            Binary::on(&database, &["serve", "--allowed-origins", value]),
            Binary::on(&database, &["serve"]).env("TOKENWRIGHT_ALLOWED_ORIGINS", value),
        ] {
            let ended = serve.run();
            assert_ended(&ended, 2, told);
            assert_ended(&ended, 2, "--allowed-origins");
        }
    }
}
