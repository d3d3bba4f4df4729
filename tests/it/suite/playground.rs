//! The playground at `/`, as it is served. How it works in a browser is tested in
//! `tests/clients/playground`.

use std::collections::HashSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tokenwright::domain::catalogue::Catalogue;

use crate::support::{Answer, DEPRECATED_FIRST, Options, TestApp, exchange};

async fn get(app: &TestApp, path: &str) -> Answer {
    let url = format!("http://{}{path}", app.address);
    Answer::of(app.http.get(url).send().await.unwrap()).await
}

/// The values of `src` and `href`.
fn links(html: &str) -> Vec<&str> {
    let starts = ["src=\"", "href=\"", "src='", "href='", "url("];
    let after = |start| html.split(start).skip(1);
    starts
        .iter()
        .flat_map(after)
        .filter_map(|rest: &str| rest.split(['"', '\'', ')']).next())
        .collect()
}

/// The files that the page names, as paths.
fn files(page: &Answer) -> Vec<String> {
    links(&page.text)
        .into_iter()
        .filter(|link| !link.starts_with("data:"))
        .map(|link| link.strip_prefix('.').unwrap_or(link).to_owned())
        .collect()
}

/// The content of a `<meta>` element.
fn meta<'a>(page: &'a Answer, name: &str) -> &'a str {
    let start = format!("<meta name=\"{name}\" content=\"");
    let (_, rest) = page.text.split_once(&start).unwrap();
    rest.split_once('"').unwrap().0
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_runs_only_what_this_server_serves() {
    let app = TestApp::start().await;
    let page = get(&app, "/").await;
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    assert_eq!(page.header("cross-origin-opener-policy"), "same-origin");
    assert_eq!(page.header("cache-control"), "no-store");
    let nonce = meta(&page, "style-nonce");
    assert_eq!(
        page.header("content-security-policy"),
        format!(
            "default-src 'none'; script-src 'self'; style-src-elem 'self' 'nonce-{nonce}'; \
             style-src-attr 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; \
             connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; \
             frame-ancestors 'none'"
        )
    );
    let files = files(&page);
    assert_eq!(files.len(), 2, "a script and a style sheet: {files:?}");
    assert!(files.iter().all(|file| file.starts_with("/playground/")), "{files:?}");
    for what_the_policy_blocks in ["<style", "<form", "<base", "<iframe", " onload=", "javascript:"]
    {
        assert!(!page.text.contains(what_the_policy_blocks), "{what_the_policy_blocks}");
    }
    assert_eq!(page.text.matches("<script").count(), 1);
    assert!(!page.text.contains("{{"), "{}", page.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_response_has_a_nonce_of_its_own() {
    let app = TestApp::start().await;
    let mut nonces = HashSet::new();
    for _ in 0..20 {
        let page = get(&app, "/").await;
        let nonce = meta(&page, "style-nonce").to_owned();
        assert_eq!(STANDARD.decode(&nonce).unwrap().len(), 16);
        assert!(page.header("content-security-policy").contains(&format!("'nonce-{nonce}'")));
        assert!(nonces.insert(nonce));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_the_request_stands_in_the_page() {
    let app = TestApp::start().await;
    let plain = get(&app, "/").await;
    let url =
        format!("http://{}/?query=%3Cscript%3Ealert(1)%3C/script%3E&headers=marked", app.address);
    let request = app
        .http
        .get(url)
        .header("host", "\"><script>marked")
        .header("referer", "http://marked/")
        .header("x-forwarded-host", "marked")
        .header("x-forwarded-proto", "marked");
    let page = Answer::of(request.send().await.unwrap()).await;
    let nonce = |page: &Answer| meta(page, "style-nonce").to_owned();
    assert_eq!(page.status, 200);
    assert_eq!(
        page.text.replace(&nonce(&page), ""),
        plain.text.replace(&nonce(&plain), ""),
        "but for the nonce the same to everybody"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_is_one_that_works() {
    let app = TestApp::with(Options {
        catalogue: Catalogue::from_toml(DEPRECATED_FIRST).unwrap(),
        ..Options::default()
    })
    .await;
    let page = get(&app, "/").await;
    assert_eq!(meta(&page, "example-permission"), "SHOP_ORDERS_READ");
    let made = app
        .graphql(
            &app.admin,
            "mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) { token } }",
            json!({ "input": {
                "name": "example",
                "expiry": meta(&page, "example-expiry"),
                "permissions": [meta(&page, "example-permission")],
            } }),
        )
        .await;
    assert!(made.data()["createApiToken"]["token"].is_string(), "{}", made.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_kept_as_long_as_they_are_named() {
    let app = TestApp::start().await;
    let page = get(&app, "/").await;
    for (file, content_type) in
        files(&page).iter().zip(["text/javascript; charset=utf-8", "text/css; charset=utf-8"])
    {
        let answer = get(&app, file).await;
        assert_eq!(answer.status, 200, "{file}");
        assert_eq!(answer.header("content-type"), content_type);
        assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("content-security-policy"), "default-src 'none'");

        let url = format!("http://{}{file}", app.address);
        let head = app.http.head(&url).send().await.unwrap();
        assert_eq!(head.status(), 200);
        assert_eq!(head.headers()["content-length"], answer.text.len().to_string());

        let tag = answer.header("etag");
        for (asked, status) in [
            (tag.to_owned(), 304),
            (format!("\"other\", W/{tag}"), 304),
            ("*".to_owned(), 304),
            ("\"other\"".to_owned(), 200),
        ] {
            let request = app.http.get(&url).header("if-none-match", &asked);
            let again = Answer::of(request.send().await.unwrap()).await;
            assert_eq!(again.status, status, "{asked}");
            assert_eq!(again.header("etag"), tag);
            assert_eq!(again.text.is_empty(), status == 304);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_licences_come_along() {
    let app = TestApp::start().await;
    for (file, parts) in [
        ("licenses.md", ["## graphiql - ", "## monaco-editor - ", "## react-dom - "]),
        ("monaco-notices.txt", ["markedjs", "creativecommons.org", "Apache License"]),
    ] {
        let licences = get(&app, &format!("/playground/{file}")).await;
        assert_eq!(licences.status, 200, "{file}");
        assert_eq!(licences.header("content-type"), "text/plain; charset=utf-8");
        assert_eq!(licences.header("cache-control"), "no-cache", "its name stays when it changes");
        for part in parts {
            assert!(licences.text.contains(part), "{file} lacks {part}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_the_files_is_served() {
    let app = TestApp::start().await;
    for path in [
        "/playground",
        "/playground/",
        "/playground/nothing.js",
        "/playground/index.html",
        "/playground/../index.html",
        "/playground/..%2findex.html",
        "/playground/..%2f..%2fpackage.json",
        "/playground/%2e%2e/%2e%2e/Cargo.toml",
        "/playground/%2fetc%2fpasswd",
        "/playground/licenses.md%00.js",
        "/playground/licenses.md/",
        "/playground/LICENSES.MD",
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        let answer = exchange(app.address, &[request.as_bytes()]);
        assert!(answer.starts_with("HTTP/1.1 404 "), "{path}: {answer}");
        assert!(answer.contains("\"not_found\""), "{path}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_no_page_where_it_is_off() {
    let app = TestApp::with(Options { playground: false, ..Options::default() }).await;
    for path in ["/", "/playground/licenses.md"] {
        let answer = get(&app, path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.errors(), ["NOT_FOUND not_found"], "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_only_read_says_so() {
    let app = TestApp::start().await;
    for path in ["/", "/playground/licenses.md"] {
        let url = format!("http://{}{path}", app.address);
        let head = app.http.head(&url).send().await.unwrap();
        assert_eq!((head.status().as_u16(), path), (200, path));
        let post = app.http.post(&url).send().await.unwrap();
        assert_eq!((post.status().as_u16(), path), (405, path));
        assert_eq!(post.headers()["allow"], "GET, HEAD");
    }
}
