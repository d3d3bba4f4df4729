//! What orchestrators ask.

use crate::support::{Answer, TestApp};

async fn get(app: &TestApp, path: &str) -> Answer {
    let url = format!("http://{}{path}", app.address);
    Answer::of(app.http.get(url).send().await.unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_with_a_broken_database_is_alive_and_not_ready() {
    let app = TestApp::start().await;
    for path in ["/livez", "/readyz"] {
        assert_eq!(get(&app, path).await.status, 200, "{path}");
    }
    app.database.execute(
        "DROP TABLE audit_events; DROP TABLE api_token_labels; DROP TABLE expiry_notices; \
         DROP TABLE api_tokens; DROP TABLE policy; DROP TABLE users",
    );
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
    for path in ["/livez", "/readyz"] {
        let url = format!("http://{}{path}", app.address);
        let head = app.http.head(&url).send().await.unwrap();
        assert_eq!((head.status().as_u16(), path), (200, path));
        let post = app.http.post(&url).send().await.unwrap();
        assert_eq!((post.status().as_u16(), path), (405, path));
        assert_eq!(post.headers()["allow"], "GET, HEAD");
    }
}
