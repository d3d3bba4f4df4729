//! What somebody tries who wants to get past a gateway. Client libraries would set right what is
//! sent here, so it is written byte by byte.

use serde_json::json;

use crate::support::{Options, TestApp, exchange, made};

const READ: &str = "api.users.read";

/// The status of the answer to a head with these lines, and the rest of what is sent.
async fn answered(app: &TestApp, target: &str, lines: &[String], rest: &str) -> u16 {
    let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    let request =
        format!("GET {target} HTTP/1.1\r\nHost: x\r\n{lines}Connection: close\r\n\r\n{rest}");
    let address = app.address;
    let exchanging = tokio::task::spawn_blocking(move || exchange(address, &[request.as_bytes()]));
    let answer = exchanging.await.unwrap();
    let status = answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3));
    status.unwrap_or_else(|| panic!("{answer:?}")).parse().unwrap()
}

async fn reader(app: &TestApp, more: serde_json::Value) -> String {
    let mut grant = json!({ "permissions": ["API_USERS_READ", "API_ORGANIZATIONS_READ"] });
    grant.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    made(app, &format!("reader {more}"), grant).await.secret
}

#[tokio::test(flavor = "multi_thread")]
async fn only_one_authorization_header_counts_however_it_is_spelled() {
    let app = TestApp::start().await;
    let good = reader(&app, json!({})).await;
    let target = format!("/authorize?permission={READ}");
    let line = |name: &str| format!("{name}: Bearer {good}");
    for name in ["authorization", "AUTHORIZATION", "aUtHoRiZaTiOn"] {
        assert_eq!(answered(&app, &target, &[line(name)], "").await, 200, "{name}");
        for other in ["Authorization: Bearer x", "authorization:", &line("Authorization")] {
            for lines in [[line(name), other.to_owned()], [other.to_owned(), line(name)]] {
                assert_eq!(answered(&app, &target, &lines, "").await, 400, "{lines:?}");
            }
        }
    }
    for name in [
        "Authorization_",
        "X-Authorization",
        "Proxy-Authorization",
        "HTTP_AUTHORIZATION",
        "X-Forwarded-Authorization",
        "X-Access-Token",
        "X-Api-Key",
    ] {
        assert_eq!(answered(&app, &target, &[line(name)], "").await, 401, "{name}");
    }
    // No name, white space before the colon, and a line that goes on.
    for malformed in [
        format!("Authorization : Bearer {good}"),
        format!(" Authorization: Bearer {good}"),
        format!("Authorization: Bearer\r\n {good}"),
        format!("Authorization\r\n: Bearer {good}"),
    ] {
        let status = answered(&app, &target, std::slice::from_ref(&malformed), "").await;
        assert!((400..500).contains(&status), "{status} {malformed:?}");
    }
    for value in [
        format!("Bearer {good},{good}"),
        format!("Bearer {good}, Bearer {good}"),
        format!("Bearer {good} "),
        format!("Bearer\t{good}"),
        format!("Bearer={good}"),
        format!("Bearer \"{good}\""),
        format!("Bearer token={good}"),
        format!("Bearer {}", good.to_lowercase()),
        format!("Bearer {good}\u{e9}"),
        format!("Bearer {}", good.replace('_', "%5F")),
        good.clone(),
    ] {
        let lines = [format!("Authorization: {value}")];
        let status = answered(&app, &target, &lines, "").await;
        // White space around a value is none of it (RFC 9110, section 5.5).
        let expected: &[u16] = if value.ends_with(' ') { &[200] } else { &[400, 401] };
        assert!(expected.contains(&status), "{status} {value:?}");
    }
}

/// What comes behind the body, or in it, is no header.
#[tokio::test(flavor = "multi_thread")]
async fn credentials_in_trailers_and_bodies_do_not_count() {
    let app = TestApp::start().await;
    let good = reader(&app, json!({})).await;
    let target = format!("/authorize?permission={READ}");
    let credentials = format!("Authorization: Bearer {good}");
    let trailer = format!("0\r\n{credentials}\r\n\r\n");
    let chunked = ["Transfer-Encoding: chunked".to_owned(), "Trailer: Authorization".to_owned()];
    assert_eq!(answered(&app, &target, &chunked, &trailer).await, 401);
    for body in [credentials.clone(), format!("access_token={good}")] {
        let form = "Content-Type: application/x-www-form-urlencoded".to_owned();
        let lines = [form, format!("Content-Length: {}", body.len())];
        assert_eq!(answered(&app, &target, &lines, &body).await, 401);
    }
    for more in ["access_token", "token", "authorization"] {
        let target = format!("{target}&{more}={good}");
        assert_eq!(answered(&app, &target, &[], "").await, 401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_only_looks_like_a_forwarding_header_says_no_address() {
    let trusted_proxies = vec!["127.0.0.1/32"];
    let app = TestApp::with(Options { trusted_proxies, ..Options::default() }).await;
    let bound = reader(&app, json!({ "allowedAddresses": ["192.0.2.1"] })).await;
    let target = format!("/authorize?permission={READ}");
    let asked = |lines: &[&str]| {
        let mut lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
        lines.push(format!("Authorization: Bearer {bound}"));
        lines
    };
    for name in ["X-Forwarded-For", "x-forwarded-for", "X-FORWARDED-FOR"] {
        let lines = asked(&[&format!("{name}: 192.0.2.1")]);
        assert_eq!(answered(&app, &target, &lines, "").await, 200, "{name}");
        // The proxy's own line comes last, in whatever case it writes it.
        let lines = asked(&[&format!("{name}: 192.0.2.1"), "X-Forwarded-For: 203.0.113.9"]);
        assert_eq!(answered(&app, &target, &lines, "").await, 403, "{name}");
    }
    for name in [
        "X_Forwarded_For",
        "X-Forwarded_For",
        "HTTP_X_FORWARDED_FOR",
        "X-Forwarded-For_",
        "XForwardedFor",
        "X-Forwarded",
        "Forwarded-For",
        "X-Real-IP",
        "Client-IP",
        "X-Forwarded-Host",
        "Via",
    ] {
        let lines = asked(&["X-Forwarded-For: 203.0.113.9", &format!("{name}: 192.0.2.1")]);
        assert_eq!(answered(&app, &target, &lines, "").await, 403, "{name}");
    }
    for rest in ["0\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n"] {
        let lines = asked(&["X-Forwarded-For: 203.0.113.9", "Transfer-Encoding: chunked"]);
        assert_eq!(answered(&app, &target, &lines, rest).await, 403, "{rest:?}");
    }
}

/// The token has one of the two permissions. No spelling of a path asks for it in place of the
/// other one.
#[tokio::test(flavor = "multi_thread")]
async fn no_path_asks_for_less_than_its_gateway_means() {
    let app = TestApp::start().await;
    let good = reader(&app, json!({})).await;
    let credentials = [format!("Authorization: Bearer {good}")];
    for (target, expected) in [
        // A prefix that needs more, and what a client puts behind it.
        ("/authorize/permissions/api.users.write/../api.users.read", 403),
        ("/authorize/permissions/api.users.write/%2e%2e/api.users.read", 403),
        ("/authorize/permissions/api.users.write/..%2fapi.users.read", 403),
        ("/authorize/permissions/api.users.write/..\\api.users.read", 403),
        (
            "/authorize/permissions/api.users.write/../../../authorize?permission=api.users.read",
            403,
        ),
        ("/authorize/permissions/api.users.write/?permission=api.users.read", 403),
        ("/authorize/permissions/api.users.write?permission=api.users.read", 403),
        // A prefix without its slash: what a client appends is no code.
        ("/authorize/permissions/api.users.write%2F..%2Fapi.users.read", 400),
        ("/authorize/permissions/api.users.write;api.users.read", 400),
        ("/authorize/permissions/api.users.read%00", 400),
        ("/authorize/permissions/api.users.read%00api.users.write", 400),
        ("/authorize/permissions/api.users%252Eread", 400),
        ("/authorize/permissions/api.users%c0%aeread", 400),
        ("/authorize/permissions/api.users.read%20", 400),
        ("/authorize/permissions/api.users.read%0d%0a", 400),
        ("/authorize/permissions/api.users.write+api.users.read", 403),
        ("/authorize/permissions/api.users.read%2Bapi.users.write", 403),
        ("/authorize/permissions/api.users.read%252Bapi.users.write", 400),
        ("/authorize/permissions/api.users.*", 400),
        ("/authorize/permissions/*", 400),
        // Other spellings of the endpoint are none.
        ("/AUTHORIZE?permission=api.users.read", 404),
        ("/Authorize/permissions/api.users.read", 404),
        ("//authorize?permission=api.users.read", 404),
        ("/./authorize?permission=api.users.read", 404),
        ("/x/../authorize?permission=api.users.read", 404),
        ("/authorize;x?permission=api.users.read", 404),
        ("/authorize//permissions/api.users.read", 404),
        ("/authorize/./permissions/api.users.read", 404),
        ("/authorize/x/../permissions/api.users.read", 404),
        ("/authorize/PERMISSIONS/api.users.read", 404),
        ("/authorize/permissions%2Fapi.users.read", 404),
        ("/authorize%2Fpermissions/api.users.read", 404),
        ("/authorize/%70ermissions/api.users.read", 404),
        ("/authorize/permissions", 404),
        // The query string counts as a whole.
        ("/authorize?permission=api.users.read&permission=api.users.write", 403),
        ("/authorize?permission=api.users.read;permission=api.users.write", 400),
        ("/authorize?permission=api.users.read%26permission=api.users.write", 400),
        ("/authorize?permission=api.users.read?permission=api.users.write", 400),
        ("/authorize?permission[]=api.users.read", 400),
        ("/authorize?permission=api.users.read&", 200),
        ("/authorize?&&permission=api.users.read", 200),
        ("/authorize?%70ermission=api.users.read", 200),
        ("/authorize?permission=api.users.read%00", 400),
        ("/authorize?permission=%ff", 400),
        ("http://other.example/authorize?permission=api.users.read", 200),
    ] {
        assert_eq!(answered(&app, target, &credentials, "").await, expected, "{target}");
        assert_ne!(answered(&app, target, &[], "").await, 200, "{target}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn as_many_permissions_as_fit_into_a_head_are_all_needed() {
    let app = TestApp::start().await;
    let good = reader(&app, json!({})).await;
    let credentials = [format!("Authorization: Bearer {good}")];
    for (last, expected) in [(READ, 200), ("api.users.write", 403), ("api.users.reed", 400)] {
        let path = format!("/authorize/permissions/{}+{last}/", [READ; 500].join("+"));
        assert_eq!(answered(&app, &path, &credentials, "").await, expected, "{last}");
        let query = format!("permission={READ}&").repeat(300);
        let query = format!("/authorize?{query}permission={last}");
        assert_eq!(answered(&app, &query, &credentials, "").await, expected, "{last}");
    }
    let endless = format!("/authorize/permissions/{}", [READ; 100_000].join("+"));
    let status = answered(&app, &endless, &credentials, "").await;
    assert!((400..500).contains(&status), "{status}");
}
