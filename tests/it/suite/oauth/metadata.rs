//! RFC 8414.

use serde_json::json;

use crate::support::{Answer, Options, TestApp};

async fn metadata(app: &TestApp, behind: &str) -> Answer {
    let url = format!("http://{}/.well-known/oauth-authorization-server{behind}", app.address);
    Answer::of(app.http.get(url).send().await.unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metadata_name_the_endpoints_under_the_public_url() {
    for (given, endpoints, path) in [
        ("https://tokens.example", "https://tokens.example", ""),
        ("https://tokens.example/", "https://tokens.example", ""),
        ("https://Tokens.example/a/b/", "https://Tokens.example/a/b", "/a/b"),
    ] {
        let app = TestApp::with(Options { public_url: Some(given), ..Options::default() }).await;
        for behind in ["", path] {
            let answer = metadata(&app, behind).await;
            assert_eq!(answer.status, 200, "{given} {behind}");
            assert_eq!(
                answer.json,
                json!({
                    "issuer": given,
                    "introspection_endpoint": format!("{endpoints}/oauth2/introspect"),
                    "introspection_endpoint_auth_methods_supported":
                        ["client_secret_basic", "Bearer"],
                    "revocation_endpoint": format!("{endpoints}/oauth2/revoke"),
                    "revocation_endpoint_auth_methods_supported": ["none"],
                    "response_types_supported": [],
                    "grant_types_supported": [],
                })
            );
        }
        assert_eq!(metadata(&app, "/other").await.status, 404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_public_url_there_are_none() {
    let app = TestApp::start().await;
    assert_eq!(metadata(&app, "").await.status, 404);
}
