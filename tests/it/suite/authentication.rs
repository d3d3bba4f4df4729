//! Bearer authentication: what lets a request in, and the one answer to everything that does not.

use chrono::TimeDelta;
use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use reqwest::{RequestBuilder, StatusCode};
use serde_json::json;
use tokenwright::domain::clock::Clock;
use tokenwright::domain::id::ApiTokenId;
use tokenwright::domain::random::SystemRandom;
use tokenwright::domain::secret::PlaintextSecret;

use crate::support::{Answer, Log, Options, TestApp, TestDatabase};

const WHO: &str = r#"{"query":"{ currentUser { id } }"}"#;
const CHALLENGE: &str = r#"Bearer realm="tokenwright""#;

async fn sent(request: RequestBuilder) -> Answer {
    Answer::of(request.send().await.unwrap()).await
}

/// Asks who the caller is, with these `Authorization` headers.
async fn who(app: &TestApp, authorization: &[&str]) -> Answer {
    let request = app.post().body(WHO);
    let add = |request: RequestBuilder, line: &&str| request.header("authorization", *line);
    sent(authorization.iter().fold(request, add)).await
}

/// Asks who the caller is, with this token.
async fn status(app: &TestApp, token: &str) -> StatusCode {
    who(app, &[&format!("Bearer {token}")]).await.status
}

/// Makes a token with a name of its own and uses it, so that its proof is remembered.
async fn used(app: &TestApp, name: &str) -> String {
    let secret = app.secret(&app.admin, app.input(name, json!({}))).await;
    assert_eq!(status(app, &secret).await, 200);
    secret
}

/// A well-formed secret that was never given out.
fn unknown(app: &TestApp) -> String {
    let id = ApiTokenId::generate(app.clock.now(), &SystemRandom).unwrap();
    secret_for(id)
}

/// A well-formed secret for the token that this one is of.
fn wrong(secret: &str) -> String {
    secret_for(PlaintextSecret::parse(secret).unwrap().token_id())
}

fn secret_for(id: ApiTokenId) -> String {
    let secret = PlaintextSecret::generate(id, &SystemRandom).unwrap();
    secret.reveal().to_owned()
}

/// The secret with another last character.
fn with_wrong_checksum(secret: &str) -> String {
    let last = if secret.ends_with('0') { '1' } else { '0' };
    format!("{}{last}", &secret[..75])
}

/// All of an answer that a caller could tell it apart by.
fn told(answer: &Answer) -> (StatusCode, Vec<String>, String) {
    let mut headers: Vec<String> = answer
        .headers
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "date" | "x-request-id" | "connection"))
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    headers.sort();
    (answer.status, headers, answer.text.clone())
}

#[track_caller]
fn assert_invalid(answer: &Answer) {
    assert_eq!(answer.status, 401, "{}", answer.text);
    assert_eq!(answer.errors(), ["UNAUTHENTICATED invalid_token"]);
    let challenge = answer.header("www-authenticate");
    assert!(challenge.starts_with(CHALLENGE), "{challenge}");
    assert!(challenge.contains(r#"error="invalid_token""#), "{challenge}");
    assert!(answer.json.get("data").is_none());
}

/// It carries nothing that counts as credentials.
#[track_caller]
fn assert_missing(answer: &Answer) {
    assert_eq!(answer.status, 401, "{}", answer.text);
    assert_eq!(answer.errors(), ["UNAUTHENTICATED token_missing"]);
    assert_eq!(answer.header("www-authenticate"), CHALLENGE);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_scheme_is_read_in_any_case() {
    let app = TestApp::start().await;
    for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
        let answer = who(&app, &[&format!("{scheme} {}", app.admin)]).await;
        assert!(answer.data()["currentUser"]["id"].is_string(), "{scheme}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_cannot_be_read_is_an_invalid_request() {
    let app = TestApp::start().await;
    let valid = format!("Bearer {}", app.admin);
    for lines in [
        &[valid.as_str(), valid.as_str()][..],
        &[&valid, "Basic dXNlcjpwYXNz"],
        &["Basic dXNlcjpwYXNz", &valid],
        &[&valid, ""],
        &["Bearer"],
        &["Bearer "],
        &["bearer"],
        &[""],
        &["Bearer\ttwr_x"],
        &["Bearer é"],
    ] {
        let answer = who(&app, lines).await;
        assert_eq!(answer.status, 400, "{lines:?}");
        assert_eq!(answer.errors(), ["BAD_USER_INPUT invalid_request"]);
        let challenge = answer.header("www-authenticate");
        assert!(challenge.contains(r#"error="invalid_request""#));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_schemes_and_no_credentials_are_told_of_no_error() {
    let app = TestApp::start().await;
    assert_missing(&who(&app, &[]).await);
    for line in ["Basic dXNlcjpwYXNz", "Negotiate", "Token twr_x", "Bearers x"] {
        assert_missing(&who(&app, &[line]).await);
    }
    assert_missing(&who(&app, &[&app.admin]).await);
    assert_missing(&who(&app, &[&format!("Token {}", app.admin)]).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_quite_the_secret_is_refused() {
    let (app, elsewhere) = tokio::join!(TestApp::start(), TestApp::start());
    let secret = app.admin.as_str();
    assert_eq!(secret.len(), 76);
    for attempt in [
        "x".to_owned(),
        secret[..75].to_owned(),
        secret[1..].to_owned(),
        format!("{secret}0"),
        format!(" {secret}"),
        format!("{secret},{secret}"),
        format!("{secret}, Bearer {secret}"),
        format!("\"{secret}\""),
        secret.to_lowercase(),
        secret.to_uppercase(),
        secret.replace("twr_", "twx_"),
        with_wrong_checksum(secret),
        wrong(secret),
        unknown(&app),
        elsewhere.admin.clone(),
    ] {
        assert_invalid(&who(&app, &[&format!("Bearer {attempt}")]).await);
    }
    assert_eq!(status(&app, secret).await, 200);
}

/// Secrets that do not count, for one reason each.
async fn invalid_secrets(app: &TestApp) -> Vec<(&'static str, String)> {
    let disabled = used(app, "disabled").await;
    let deleted = used(app, "deleted").await;
    let orphaned = used(app, "orphaned").await;
    let unused = app.input("unused", json!({}));
    let unused = app.secret(&app.admin, unused).await;
    let expiry = json!({ "expiry": app.in_time(TimeDelta::seconds(60)) });
    let expired = app.secret(&app.admin, app.input("expired", expiry)).await;
    app.clock.advance(TimeDelta::seconds(120));
    app.database.execute(
        "UPDATE api_tokens SET enabled = FALSE WHERE name IN ('disabled', 'unused');
         UPDATE api_tokens SET deleted_date = creation_date WHERE name = 'deleted';
         UPDATE users SET enabled = FALSE WHERE name = 'orphaned';",
    );
    vec![
        ("malformed", "nonsense".to_owned()),
        ("wrong checksum", with_wrong_checksum(&app.admin)),
        ("unknown", unknown(app)),
        ("wrong", wrong(&app.admin)),
        ("expired", expired),
        ("disabled", disabled),
        ("disabled before it was used", unused),
        ("deleted", deleted),
        ("of a disabled user", orphaned),
    ]
}

/// Requests of every kind, good and bad.
fn requests(app: &TestApp) -> Vec<RequestBuilder> {
    let document = |document: &str| app.post().body(json!({ "query": document }).to_string());
    let get = |query: &str| app.http.get(format!("{}{query}", app.url()));
    vec![
        app.post().body(WHO),
        document("{ __typename }"),
        document("{ syntax error"),
        document("{ unknownField }"),
        app.post().body("no JSON"),
        app.post().body(""),
        app.post().body("x".repeat(100_000)),
        app.post().header("accept", "text/html").body(WHO),
        app.http.post(app.url()),
        app.http.post(app.url()).body(WHO),
        app.http.post(app.url()).header("content-type", "text/plain").body(WHO),
        get(""),
        get("?query={__typename}"),
        get("?query=mutation{__typename}"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn all_reasons_are_one_answer_whatever_is_asked() {
    let app = TestApp::start().await;
    let mut answers = Vec::new();
    for (reason, secret) in invalid_secrets(&app).await {
        for request in requests(&app) {
            let answer = sent(request.bearer_auth(&secret)).await;
            assert_invalid(&answer);
            answers.push((reason, told(&answer)));
        }
    }
    let (_, first) = answers[0].clone();
    for (reason, answer) in answers {
        assert_eq!(answer, first, "{reason}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_counts_nowhere_but_in_its_header() {
    let app = TestApp::start().await;
    let token = app.admin.as_str();
    let by_get = format!("{}?query={{currentUser{{id}}}}", app.url());
    for name in ["access_token", "token", "authorization", "bearer_token"] {
        let in_query = app.http.get(format!("{by_get}&{name}={token}"));
        assert_missing(&sent(in_query).await);
        let url = format!("{}?{name}={token}", app.url());
        let in_query = app.http.post(url).header("content-type", "application/json");
        assert_missing(&sent(in_query.body(WHO)).await);
        let cookie = app.post().header("cookie", format!("{name}={token}"));
        assert_missing(&sent(cookie.body(WHO)).await);
        let in_body = json!({
            "query": "{ currentUser { id } }", name: token, "extensions": { name: token },
        });
        assert_missing(&sent(app.post().body(in_body.to_string())).await);
    }
    for name in ["x-api-key", "proxy-authorization", "x-access-token"] {
        let header = app.post().header(name, format!("Bearer {token}"));
        assert_missing(&sent(header.body(WHO)).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_reaches_the_log() {
    let log = Log::start();
    let app = TestApp::start().await;
    let secret = used(&app, "ci").await;
    let bearer = |token: &str| format!("Bearer {token}");
    let wrong = wrong(&secret);
    who(&app, &[&bearer(&wrong)]).await;
    who(&app, &[&bearer(&with_wrong_checksum(&secret))]).await;
    who(&app, &[&bearer(&secret), &bearer(&secret)]).await;
    who(&app, &[&format!("Basic {secret}")]).await;
    let url = format!("{}?access_token={secret}&query={{{secret}}}", app.url());
    sent(app.http.get(url).header("cookie", &secret)).await;
    let nowhere = format!("http://{}/{secret}?{secret}", app.address);
    sent(app.http.get(nowhere).header("user-agent", &secret)).await;
    for document in [
        format!("{{ node(id: \"{secret}\") {{ id }} }}"),
        format!("query {secret} {{ {secret} }}"),
        format!("{{ {secret}"),
    ] {
        let body =
            json!({ "query": document, "operationName": secret, "variables": { "x": secret } });
        sent(app.post().bearer_auth(&secret).body(body.to_string())).await;
        app.query(&secret, &document).await;
    }
    app.database.execute("ALTER TABLE users RENAME TO gone");
    assert_eq!(status(&app, &secret).await, 503);
    assert!(!log.lines_with(&["authentication refused"]).is_empty());
    for random in [&secret[27..], &wrong[27..]] {
        let lines = log.lines_with(&[&random[..43]]);
        assert!(lines.is_empty(), "{lines:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_refused_from_its_expiry_on() {
    let app = TestApp::start().await;
    let expiry = app.clock.now() + TimeDelta::days(1);
    let input = app.input("short", json!({ "expiry": expiry.to_rfc3339() }));
    let secret = app.secret(&app.admin, input).await;
    let micros = TestDatabase::micros("expiry");
    let stored =
        format!("SELECT CAST({micros} AS TEXT) AS text FROM api_tokens WHERE name = 'short'");
    assert_eq!(app.database.texts(&stored), [expiry.timestamp_micros().to_string()]);

    app.clock.stop_at(expiry - TimeDelta::microseconds(1));
    assert_eq!(status(&app, &secret).await, 200);
    app.clock.stop_at(expiry);
    assert_invalid(&who(&app, &[&format!("Bearer {secret}")]).await);
    app.clock.stop_at(expiry + TimeDelta::days(1));
    assert_eq!(status(&app, &secret).await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_away_is_gone_with_the_next_request() {
    let app = TestApp::start().await;
    let secret = used(&app, "ci").await;
    let later = "(SELECT max(expiry) FROM api_tokens)";
    for (gone, back) in [
        ("api_tokens SET enabled = FALSE", "api_tokens SET enabled = TRUE"),
        ("api_tokens SET deleted_date = creation_date", "api_tokens SET deleted_date = NULL"),
        ("users SET enabled = FALSE", "users SET enabled = TRUE"),
        ("api_tokens SET expiry = creation_date", &format!("api_tokens SET expiry = {later}")),
    ] {
        app.database.execute(&format!("UPDATE {gone} WHERE name = 'ci'"));
        assert_eq!(status(&app, &secret).await, 401, "{gone}");
        app.database.execute(&format!("UPDATE {back} WHERE name = 'ci'"));
        assert_eq!(status(&app, &secret).await, 200, "{back}");
    }
    let elsewhere = TestDatabase::list(&["10.0.0.0/8"]);
    app.database.execute(&format!(
        "UPDATE api_tokens SET allowed_addresses = {elsewhere} WHERE name = 'ci'"
    ));
    assert_eq!(status(&app, &secret).await, 403);
    app.database.execute("DELETE FROM api_tokens WHERE name = 'ci'");
    assert_eq!(status(&app, &secret).await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_that_is_taken_away_is_gone_with_the_next_request() {
    let app = TestApp::start().await;
    let input = app.input("ci", json!({ "permissions": ["API_API_TOKENS_WRITE"] }));
    let secret = app.secret(&app.admin, input).await;
    let attempt = async |name: &str| {
        let input = json!({ "permissions": ["API_API_TOKENS_WRITE"] });
        app.create(&secret, app.input(name, input)).await.errors()
    };
    assert!(attempt("before").await.is_empty());
    let fewer = TestDatabase::list(&["api.organizations.read"]);
    app.database.execute(&format!("UPDATE api_tokens SET permissions = {fewer} WHERE name = 'ci'"));
    assert_eq!(attempt("after").await, ["FORBIDDEN permission_missing"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_remembered_proof_is_worth_nothing_for_another_hash() {
    let app = TestApp::start().await;
    let (ci, other) = (used(&app, "ci").await, used(&app, "other").await);
    app.database.execute(
        "CREATE TABLE kept AS SELECT secret_hash FROM api_tokens WHERE name = 'ci';
         UPDATE api_tokens SET secret_hash = (SELECT secret_hash FROM api_tokens WHERE name = 'other')
         WHERE name = 'ci'",
    );
    assert_eq!(status(&app, &ci).await, 401);
    assert_eq!(status(&app, &other).await, 200);
    app.database.execute(
        "UPDATE api_tokens SET secret_hash = (SELECT secret_hash FROM kept) WHERE name = 'ci'",
    );
    assert_eq!(status(&app, &ci).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_corrupted_hash_is_refused_and_never_tried() {
    let app = TestApp::start().await;
    let secret = used(&app, "ci").await;
    let hash = app
        .database
        .texts("SELECT secret_hash AS text FROM api_tokens WHERE name = 'ci'")
        .remove(0);
    for corrupted in [
        String::new(),
        "garbage".to_owned(),
        hash[1..].to_owned(),
        hash[..59].to_owned(),
        format!("{hash} "),
        hash.replace("$2b$", "$2y$"),
        hash.replace("$04$", "$03$"),
        // Either would take longer than anybody waits.
        hash.replace("$04$", "$31$"),
        hash.replace("$04$", "$99$"),
    ] {
        assert_ne!(corrupted, hash);
        app.database.execute(&format!(
            "UPDATE api_tokens SET secret_hash = '{corrupted}' WHERE name = 'ci'"
        ));
        assert_eq!(status(&app, &secret).await, 401, "{corrupted}");
    }
    assert_eq!(status(&app, &app.admin).await, 200);
}

#[track_caller]
fn assert_unavailable(answer: &Answer) {
    assert_eq!(answer.status, 503, "{}", answer.text);
    assert_eq!(answer.errors(), ["UNAVAILABLE unavailable"]);
    assert_eq!(answer.header("retry-after"), "1");
    assert_eq!(answer.json["errors"][0]["extensions"]["retryAfter"], 1);
    assert_eq!(answer.header("www-authenticate"), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_database_nobody_is_let_in() {
    let app = TestApp::start().await;
    let remembered = used(&app, "remembered").await;
    let fresh = app.secret(&app.admin, app.input("fresh", json!({}))).await;
    for table in ["users", "api_tokens"] {
        app.database.execute(&format!("ALTER TABLE {table} RENAME TO gone"));
        for token in [&remembered, &fresh, &unknown(&app)] {
            let answer = who(&app, &[&format!("Bearer {token}")]).await;
            assert_unavailable(&answer);
            assert!(!answer.text.contains(table), "errors show no internals");
        }
        let typename = app.query(&remembered, "{ __typename }").await;
        assert_unavailable(&typename);
        app.database.execute(&format!("ALTER TABLE gone RENAME TO {table}"));
        assert_eq!(status(&app, &remembered).await, 200);
    }
    assert_eq!(status(&app, &fresh).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_cannot_be_read_lets_nobody_in() {
    let app = TestApp::start().await;
    let secret = used(&app, "ci").await;
    for damage in TestDatabase::UNREADABLE {
        app.database.execute(&format!(
            "CREATE TABLE kept AS SELECT * FROM api_tokens WHERE name = 'ci';
             UPDATE api_tokens SET {damage} WHERE name = 'ci'"
        ));
        assert_unavailable(&who(&app, &[&format!("Bearer {secret}")]).await);
        app.database.execute(
            "UPDATE api_tokens SET (allowed_addresses, permissions, expiry) =
             (SELECT allowed_addresses, permissions, expiry FROM kept) WHERE name = 'ci';
             DROP TABLE kept",
        );
        assert_eq!(status(&app, &secret).await, 200, "{damage}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_with_a_new_token_is_let_in_whole() {
    let app = TestApp::start().await;
    let secret = app.secret(&app.admin, app.input("ci", json!({}))).await;
    let burst = (0..40).map(|_| status(&app, &secret));
    let statuses = join_all(burst).await;
    assert_eq!(statuses, vec![StatusCode::OK; 40]);
}

/// Sends many wrong secrets at once; how many are refused, and how many find the queue full. What is to
/// hold at the first of these is asserted by `when_full`.
async fn flood(app: &TestApp, attempts: &[String], when_full: impl AsyncFn()) -> (usize, usize) {
    let attempt = async |line: &String| who(app, &[line]).await;
    let mut flood: FuturesUnordered<_> = attempts.iter().map(attempt).collect();
    let (mut refused, mut busy) = (0, 0);
    while let Some(answer) = flood.next().await {
        if answer.status == 401 {
            assert_invalid(&answer);
            refused += 1;
            continue;
        }
        assert_unavailable(&answer);
        if busy == 0 {
            when_full().await;
        }
        busy += 1;
    }
    (refused, busy)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_unknown_tokens_keeps_nobody_out_who_is_known() {
    let costly = Options { bcrypt_cost: 7, ..Options::default() };
    let app = TestApp::with(costly).await;
    assert_eq!(status(&app, &app.admin).await, 200);
    let attempts: Vec<String> = (0..256).map(|_| format!("Bearer {}", unknown(&app))).collect();
    let (refused, busy) = flood(&app, &attempts, async || {
        // The queue is full at this moment.
        assert_eq!(status(&app, &app.admin).await, 200);
    })
    .await;
    assert!(refused > 0);
    assert!(busy > 0, "the queue has an end");
    used(&app, "new").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_secrets_of_one_token_take_few_places_of_the_queue() {
    let costly = Options { bcrypt_cost: 8, ..Options::default() };
    let app = TestApp::with(costly).await;
    let fresh = app.secret(&app.admin, app.input("fresh", json!({}))).await;
    let forged: Vec<String> = (0..200).map(|_| format!("Bearer {}", wrong(&app.admin))).collect();
    let (refused, busy) = flood(&app, &forged, async || {
        // Another token is proven for the first time, and one is made.
        assert_eq!(status(&app, &fresh).await, 200);
        used(&app, "made meanwhile").await;
    })
    .await;
    assert!(refused > 0);
    assert!(busy > 100, "{busy}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_is_judged_after_the_secret() {
    let app = TestApp::start().await;
    let expiry = app.in_time(TimeDelta::seconds(60));
    let elsewhere = json!({ "allowedAddresses": ["10.0.0.0/8", "::1"], "expiry": expiry });
    let secret = app.secret(&app.admin, app.input("ci", elsewhere)).await;
    let bearer = format!("Bearer {secret}");

    let answer = who(&app, &[&bearer]).await;
    assert_eq!(answer.status, 403);
    assert_eq!(answer.errors(), ["FORBIDDEN address_not_allowed"]);
    assert_eq!(answer.header("www-authenticate"), "");

    assert_invalid(&who(&app, &[&format!("Bearer {}", wrong(&secret))]).await);
    app.clock.advance(TimeDelta::seconds(60));
    assert_invalid(&who(&app, &[&bearer]).await);
}
