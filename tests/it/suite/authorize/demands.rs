//! What a gateway asks for, and how.

use serde_json::json;

use super::{asking, sent, status};
use crate::support::{Options, TestApp, made};

/// What the token of these tests has.
const READS: [&str; 2] = ["API_USERS_READ", "API_ORGANIZATIONS_READ"];

async fn reader(app: &TestApp) -> String {
    made(app, "reader", json!({ "permissions": READS })).await.secret
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_is_asked_for_is_needed() {
    let app = TestApp::start().await;
    let token = reader(&app).await;
    for (target, expected) in [
        ("?permission=api.users.read", 200),
        ("?permission=api.users.read&permission=api.organizations.read", 200),
        ("?permission=api.users.read&permission=api.users.read", 200),
        ("?permission=api.users%2Eread", 200),
        ("?permission=api.users.write", 403),
        ("?permission=api.users.read&permission=api.users.write", 403),
        ("?permission=api.users.write&permission=api.users.read", 403),
        ("?permission=api.users.reed", 400),
        ("?permission=api.users.read&permission=api.users.reed", 400),
        ("?permission=api.users.write&permission=api.users.reed", 400),
        ("?permission=API_USERS_READ", 400),
        ("?permission=api.users.read,api.organizations.read", 400),
        ("?permission=api.users.read+api.organizations.read", 400),
        ("?permission=", 400),
        ("?permission", 400),
        ("?permission=api.users.read&permission=", 400),
        ("", 400),
        ("?", 400),
        // A typing error must not ask for less than was meant.
        ("?permissions=api.users.read", 400),
        ("?permission=api.users.read&permision=api.users.write", 400),
        ("?Permission=api.users.read", 400),
        ("/permissions/api.users.read", 200),
        ("/permissions/api.users.read+api.organizations.read", 200),
        ("/permissions/api.users.read%2Bapi.organizations.read", 200),
        ("/permissions/api.users.read+api.users.write", 403),
        ("/permissions/api.users.write/api.users.read", 403),
        ("/permissions/api.users.read+", 400),
        ("/permissions/api.users.reed", 400),
        ("/permissions/", 400),
        ("/permissions//api.users.read", 400),
        ("/permissions", 404),
        ("/api.users.read", 404),
        ("/", 404),
    ] {
        let target = format!("/authorize{target}");
        assert_eq!(status(&app, &token, &target).await, expected, "{target}");
    }
}

/// A gateway that can only put a prefix before the client's own path lets the client choose the
/// rest.
#[tokio::test(flavor = "multi_thread")]
async fn what_follows_the_permissions_in_the_path_is_ignored() {
    let app = TestApp::start().await;
    let token = reader(&app).await;
    for appended in [
        "/",
        "/orders/7",
        "//",
        "/../../../authorize/permissions/api.users.read",
        "/%2e%2e/%2e%2e/x",
        "/authorize/permissions/api.users.write",
        "?permission=api.users.write",
        "/orders?permission=api.users.reed&x",
        "/orders?",
        "/%00%ff",
        "/a+b",
        "/orders;v=1",
    ] {
        let passes = format!("/authorize/permissions/api.users.read{appended}");
        let url = format!("http://{}{passes}", app.address);
        // A client library would take the dots out of the path.
        let raw = |permission: &str| {
            format!(
                "GET /authorize/permissions/{permission}{appended} HTTP/1.1\r\nHost: x\r\n\
                 Authorization: Bearer {token}\r\nConnection: close\r\n\r\n"
            )
        };
        for (permission, expected) in [("api.users.read", 200), ("api.users.write", 403)] {
            let (address, head) = (app.address, raw(permission));
            let exchanged = tokio::task::spawn_blocking(move || {
                crate::support::exchange(address, &[head.as_bytes()])
            });
            let answer = exchanged.await.unwrap();
            assert!(answer.starts_with(&format!("HTTP/1.1 {expected} ")), "{url}: {answer}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_operator_says_so_nothing_need_be_asked_for() {
    let options = Options { authorize_needs_permission: false, ..Options::default() };
    let app = TestApp::with(options).await;
    let token = reader(&app).await;
    for (target, expected) in [
        ("", 200),
        ("?", 200),
        ("?permission=api.users.write", 403),
        ("?permissions=api.users.read", 400),
        ("?permission=", 400),
        // An empty value in a gateway's template is no wish for any token.
        ("/permissions/", 400),
        ("/permissions//x", 400),
    ] {
        let target = format!("/authorize{target}");
        assert_eq!(status(&app, &token, &target).await, expected, "{target}");
    }
    assert_eq!(sent(asking(&app, "/authorize")).await.status, 401);
}

/// The catalogue is shown to holders of a token only.
#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_learns_no_permission() {
    let app = TestApp::start().await;
    for target in ["?permission=api.users.read", "?permission=api.users.reed", "", "?x=y"] {
        let target = format!("/authorize{target}");
        assert_eq!(sent(asking(&app, &target)).await.status, 401, "{target}");
        assert_eq!(status(&app, "nonsense", &target).await, 401, "{target}");
    }
}
