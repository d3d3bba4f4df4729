//! What is stored of a secret: a tag, which decides, and a hash, which must not contradict it. Both
//! are renewed if they are old.

use std::time::Duration;

use serde_json::json;
use tokenwright::domain::secret::PlaintextSecret;
use tokenwright::domain::verdict::{InvalidTokenReason, TokenRefusal};
use tokenwright::service::{AuthenticateError, Service};

use super::{status, used, wrong};
use crate::support::{Log, Options, TestApp, TestDatabase, eventually, made};

/// The application, which soon writes what it has noted.
async fn writing_soon() -> TestApp {
    let last_use_interval = Duration::from_millis(20);
    TestApp::with(Options { last_use_interval, ..Options::default() }).await
}

fn one(database: &TestDatabase, column: &str, name: &str) -> String {
    let sql = format!("SELECT {column} AS text FROM api_tokens WHERE name = '{name}'");
    database.texts(&sql).remove(0)
}

fn hash(database: &TestDatabase, name: &str) -> String {
    one(database, "secret_hash", name)
}

/// Is the tag of the token the one that the table `kept` holds?
fn is_kept(database: &TestDatabase, name: &str) -> bool {
    let same = "CASE WHEN secret_tag = (SELECT secret_tag FROM kept) THEN 'same' ELSE 'other' END";
    one(database, same, name) == "same"
}

/// Makes the stored hash of a secret one of another cost.
fn hash_at_cost(database: &TestDatabase, secret: &str, name: &str, cost: u32) {
    let secret = PlaintextSecret::parse(secret).unwrap();
    let parts = bcrypt::non_truncating_hash_with_salt(secret.proof(), cost, [7; 16]).unwrap();
    let hash = parts.format_for_version(bcrypt::Version::TwoB);
    database
        .execute(&format!("UPDATE api_tokens SET secret_hash = '{hash}' WHERE name = '{name}'"));
}

/// The reason for refusing a secret, from the log.
async fn reason(service: &Service, secret: &str) -> InvalidTokenReason {
    match service.authenticate(secret, None).await {
        Err(AuthenticateError::Refused(TokenRefusal::Invalid { reason, .. })) => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tag_must_match_and_the_hash_must_not_contradict_it() {
    let log = Log::start();
    let app = TestApp::start().await;
    let ci = made(&app, "ci", json!({})).await;
    let secret = &ci.secret;
    used(&app, "other").await;
    app.database.execute("CREATE TABLE kept AS SELECT * FROM api_tokens WHERE name = 'ci'");
    let of_other = |column: &str| format!("(SELECT {column} FROM api_tokens WHERE name = 'other')");
    let broken = "'$2b$31$ooooooooooooooooooooooooooooooooooooooooooooooooooooo'".to_owned();
    for (column, value, at_once) in [
        ("secret_tag", of_other("secret_tag"), true),
        ("secret_tag", "''".to_owned(), true),
        ("secret_hash", of_other("secret_hash"), false),
        ("secret_hash", "''".to_owned(), true),
        ("secret_hash", broken, true),
    ] {
        let what = format!("{column} {value}");
        app.database
            .execute(&format!("UPDATE api_tokens SET {column} = {value} WHERE name = 'ci'"));
        if !at_once {
            // Its first use is let in by the tag.
            let checked = app.service.bcrypt_runs();
            assert_eq!(status(&app, secret).await, 200, "{what}");
            eventually("the hash is checked", || app.service.bcrypt_runs() > checked).await;
            let told = || !log.lines_with(&["ERROR", "contradict", &ci.id]).is_empty();
            eventually("the log says so", told).await;
        }
        for _ in 0..3 {
            assert_eq!(status(&app, secret).await, 401, "{what}");
        }
        app.database.execute(&format!(
            "UPDATE api_tokens SET {column} = (SELECT {column} FROM kept) WHERE name = 'ci'"
        ));
        assert_eq!(status(&app, secret).await, 200, "{what}");
        eventually("nothing waits", || app.service.bcrypt_runs() >= 3).await;
    }
    let hash = hash(&app.database, "ci");
    assert!(log.lines_with(&[&hash[7..]]).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_first_use_waits_for_bcrypt() {
    let app = TestApp::start().await;
    let mut secrets = Vec::new();
    for n in 0..8 {
        let name = format!("dear {n}");
        let secret = app.secret(&app.admin, app.input(&name, json!({}))).await;
        // About a quarter of a second, one after the other.
        hash_at_cost(&app.database, &secret, &name, 12);
        secrets.push(secret);
    }
    for secret in &secrets {
        assert_eq!(status(&app, secret).await, 200);
    }
    assert!(app.service.bcrypt_runs() < 8, "{}", app.service.bcrypt_runs());
    eventually("all are checked", || app.service.bcrypt_runs() >= 9).await;
    for secret in &secrets {
        assert_eq!(status(&app, secret).await, 200);
        assert_eq!(status(&app, &wrong(secret)).await, 401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_without_a_tag_gets_it_at_its_next_proof() {
    let app = writing_soon().await;
    let secret = app.secret(&app.admin, app.input("ci", json!({}))).await;
    app.database.execute(
        "CREATE TABLE kept AS SELECT secret_tag FROM api_tokens WHERE name = 'ci';
         UPDATE api_tokens SET secret_tag = NULL WHERE name = 'ci'",
    );
    let before = app.database.count("audit_events");
    // First not remembered, then remembered.
    for _ in 0..2 {
        assert_eq!(status(&app, &wrong(&secret)).await, 401);
        assert_eq!(status(&app, &secret).await, 200);
        eventually("the tag is written", || is_kept(&app.database, "ci")).await;
        assert_eq!(status(&app, &secret).await, 200);
        app.database.execute("UPDATE api_tokens SET secret_tag = NULL WHERE name = 'ci'");
    }
    assert_eq!(one(&app.database, "CAST(version AS TEXT)", "ci"), "1", "it is no change");
    assert_eq!(app.database.count("audit_events"), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_tags_no_token() {
    let app = writing_soon().await;
    let [ci, other] = [used(&app, "ci").await, used(&app, "other").await];
    app.database.execute("UPDATE api_tokens SET secret_tag = NULL WHERE name IN ('ci', 'other')");
    for _ in 0..3 {
        assert_eq!(status(&app, &wrong(&ci)).await, 401);
    }
    assert_eq!(status(&app, &other).await, 200);
    let tagged = |name: &str| one(&app.database, "coalesce(length(secret_tag), 0) || ''", name);
    eventually("what was noted is written", || tagged("other") == "32").await;
    assert_eq!(tagged("ci"), "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hash_of_another_cost_is_replaced_after_its_proof() {
    let app = writing_soon().await;
    let secret = app.secret(&app.admin, app.input("ci", json!({}))).await;
    hash_at_cost(&app.database, &secret, "ci", 6);
    assert_eq!(status(&app, &secret).await, 200);
    eventually("the hash is replaced", || hash(&app.database, "ci").starts_with("$2b$04$")).await;
    for _ in 0..2 {
        assert_eq!(status(&app, &secret).await, 200);
        assert_eq!(status(&app, &wrong(&secret)).await, 401);
    }
    assert_eq!(one(&app.database, "CAST(version AS TEXT)", "ci"), "1", "it is no change");

    // As an instance with another setting would.
    hash_at_cost(&app.database, &secret, "ci", 5);
    let other = hash(&app.database, "ci");
    let marker = app.secret(&app.admin, app.input("marker", json!({}))).await;
    hash_at_cost(&app.database, &marker, "marker", 5);
    for secret in [&secret, &marker] {
        assert_eq!(status(&app, secret).await, 200);
    }
    let marked = || hash(&app.database, "marker").starts_with("$2b$04$");
    eventually("what was noted is written", marked).await;
    assert_eq!(hash(&app.database, "ci"), other, "two instances do not take turns");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_takes_no_write_fails_no_request_and_loses_no_tag() {
    let app = writing_soon().await;
    let secret = app.secret(&app.admin, app.input("ci", json!({}))).await;
    app.database.execute(
        "CREATE TABLE kept AS SELECT secret_tag FROM api_tokens WHERE name = 'ci';
         UPDATE api_tokens SET secret_tag = NULL WHERE name = 'ci'",
    );
    let lock = app.database.write_lock();
    for _ in 0..20 {
        assert_eq!(status(&app, &secret).await, 200);
    }
    drop(lock);
    eventually("the tag is written", || is_kept(&app.database, "ci")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_drops_the_hash_and_nothing_brings_it_back() {
    // It writes at its end.
    let app = TestApp::start().await;
    let [deleted, kept] = [used(&app, "deleted").await, used(&app, "kept").await];
    app.database
        .execute("UPDATE api_tokens SET secret_tag = NULL WHERE name IN ('deleted', 'kept')");
    for secret in [&deleted, &kept] {
        assert_eq!(status(&app, secret).await, 200);
    }
    app.database.execute("CREATE TABLE hashes AS SELECT secret_hash FROM api_tokens");
    let own = app.query(&deleted, "{ currentApiToken { id version } }").await;
    let delete = "mutation ($input: DeleteApiTokenInput!) { \
                  deleteApiToken(input: $input) { deletedApiTokenId } }";
    let input = json!({ "input": own.data()["currentApiToken"] });
    app.graphql(&app.admin, delete, input).await.data();
    assert_eq!(hash(&app.database, "deleted"), "");
    assert_eq!(reason(&app.service, &deleted).await, InvalidTokenReason::EndedUnproven);

    let database = end(app);
    let tagged = |name: &str| one(&database, "coalesce(length(secret_tag), 0) || ''", name);
    eventually("what was noted is written", || tagged("kept") == "32").await;
    assert_eq!((hash(&database, "deleted"), tagged("deleted")), (String::new(), "0".to_owned()));
}

/// Stops the application; its database.
fn end(mut app: TestApp) -> TestDatabase {
    std::mem::replace(&mut app.database, TestDatabase::new())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_tells_an_ended_token_s_own_secret_from_a_wrong_one() {
    let app = TestApp::start().await;
    let secret = used(&app, "ci").await;
    let own = app.query(&secret, "{ currentApiToken { id version } }").await;
    eventually("what was used is checked", || app.service.bcrypt_runs() == 2).await;
    let delete = "mutation ($input: DeleteApiTokenInput!) { \
                  deleteApiToken(input: $input) { deletedApiTokenId } }";
    let input = json!({ "input": own.data()["currentApiToken"] });
    app.graphql(&app.admin, delete, input).await.data();
    assert_eq!(reason(&app.service, &secret).await, InvalidTokenReason::Deleted);
    assert_eq!(reason(&app.service, &wrong(&secret)).await, InvalidTokenReason::WrongSecret);
    let before = app.service.bcrypt_runs();
    app.database.execute("UPDATE api_tokens SET secret_tag = NULL WHERE name = 'ci'");
    for secret in [&secret, &wrong(&secret)] {
        assert_eq!(reason(&app.service, secret).await, InvalidTokenReason::EndedUnproven);
    }
    assert_eq!(app.service.bcrypt_runs(), before);
}
