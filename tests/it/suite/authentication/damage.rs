//! Without the database, or over rows that cannot be read, nobody is let in.

use serde_json::json;

use super::{assert_unavailable, status, unknown, used, who};
use crate::support::{TestApp, TestDatabase};

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
            "UPDATE api_tokens SET (allowed_addresses, permissions, labels, expiry) =
             (SELECT allowed_addresses, permissions, labels, expiry FROM kept) WHERE name = 'ci';
             DROP TABLE kept",
        );
        assert_eq!(status(&app, &secret).await, 200, "{damage}");
    }
}
