//! The page at `/`, and what orchestrators ask.

use tokenwright::domain::catalogue::Catalogue;

use crate::support::{Answer, DEPRECATED_FIRST, Options, TestApp};

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

#[tokio::test(flavor = "multi_thread")]
async fn the_page_loads_nothing_from_elsewhere_and_runs_nothing() {
    let app = TestApp::start().await;
    let page = get(&app, "/").await;
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    let policy = page.header("content-security-policy");
    let directives: Vec<&str> = policy.split(';').map(str::trim).collect();
    for directive in
        ["default-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"]
    {
        assert!(directives.contains(&directive), "{policy}");
    }
    for weak in ["unsafe", "*", "http:", "https:", "data:"] {
        assert!(!policy.contains(weak), "{policy}");
    }
    assert_eq!(links(&page.text), ["/page.css"]);
    for what_the_policy_blocks in ["<script", "<style", "style=", "<form", "<base", "<iframe"] {
        assert!(!page.text.contains(what_the_policy_blocks), "{what_the_policy_blocks}");
    }
    assert!(page.text.contains("/graphql"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_shows_a_permission_that_can_be_granted() {
    let app = TestApp::with(Options {
        catalogue: Catalogue::from_toml(DEPRECATED_FIRST).unwrap(),
        ..Options::default()
    })
    .await;
    let page = get(&app, "/").await.text;
    assert!(page.contains("\"permissions\": [\"SHOP_ORDERS_READ\"]"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_style_of_the_page_is_served() {
    let app = TestApp::start().await;
    let style = get(&app, "/page.css").await;
    assert_eq!(style.status, 200);
    assert_eq!(style.header("content-type"), "text/css; charset=utf-8");
    assert_eq!(links(&style.text), [""; 0]);
    assert!(!style.text.contains("@import"));
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_no_page_where_it_is_off() {
    let app = TestApp::with(Options { playground: false, ..Options::default() }).await;
    for path in ["/", "/page.css"] {
        let answer = get(&app, path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.errors(), ["NOT_FOUND not_found"], "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_with_a_broken_database_is_alive_and_not_ready() {
    let app = TestApp::start().await;
    for path in ["/livez", "/readyz"] {
        assert_eq!(get(&app, path).await.status, 200, "{path}");
    }
    app.database.execute("DROP TABLE audit_events; DROP TABLE api_tokens; DROP TABLE users");
    assert_eq!(get(&app, "/livez").await.status, 200);
    let ready = get(&app, "/readyz").await;
    assert_eq!(ready.status, 503);
    assert_eq!(ready.errors(), ["UNAVAILABLE unavailable"]);
    assert_ne!(ready.header("retry-after"), "");
    assert!(!ready.text.contains("users"), "the cause is for the log: {}", ready.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_judge_a_token_is_not_ready() {
    let app = TestApp::start().await;
    app.database.execute("ALTER TABLE api_tokens RENAME TO gone");
    let judged = app.query(&app.admin, "{ __typename }").await;
    assert_eq!(judged.status, 503);
    assert_eq!(get(&app, "/readyz").await.status, 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_only_read_says_so() {
    let app = TestApp::start().await;
    for path in ["/", "/livez", "/readyz"] {
        let url = format!("http://{}{path}", app.address);
        let head = app.http.head(&url).send().await.unwrap();
        assert_eq!((head.status().as_u16(), path), (200, path));
        let post = app.http.post(&url).send().await.unwrap();
        assert_eq!((post.status().as_u16(), path), (405, path));
        assert_eq!(post.headers()["allow"], "GET, HEAD");
    }
}
