//! `admin revoke`.

use serde_json::json;

use crate::support::{
    Binary, Ended, TestDatabase, TokenRow, administrator, assert_ended, migrated,
};

fn enabled(database: &TestDatabase) -> Vec<String> {
    database.texts("SELECT name AS text FROM api_tokens WHERE enabled ORDER BY name")
}

fn revoke(database: &TestDatabase, time: &str) -> Ended {
    Binary::on(database, &["admin", "revoke", "--created-before", time]).run()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_created_before_a_time_is_refused_on_the_next_request() {
    let database = migrated();
    // More than are read at once; each is a microsecond newer than the one before it.
    let rows = TokenRow::numbered(&database, 250);
    let admin = administrator(&database, "today");
    let server = Binary::on(&database, &["serve"]).serve();
    let ask = || server.graphql(&admin, "{ currentApiToken { name } }", json!({}));
    assert_eq!(ask().await.status, 200);

    let time = "2020-09-13T12:26:40.000201Z";
    assert_ended(&revoke(&database, time), 0, "disabled 200 tokens that were created");
    let newer: Vec<String> = rows.iter().skip(200).map(|row| row.name.clone()).collect();
    assert_eq!(enabled(&database), [&["today".to_owned()], &newer[..]].concat());
    assert_ended(&revoke(&database, time), 0, "disabled 0 tokens");
    assert_eq!(ask().await.status, 200);

    assert_ended(&revoke(&database, "now"), 0, "disabled 51 tokens");
    assert_eq!(enabled(&database), [""; 0]);
    assert_eq!(ask().await.status, 401);
    let actors = "SELECT DISTINCT actor_user_name AS text FROM audit_events \
                  WHERE action = 'api_token_revoked'";
    assert_eq!(database.texts(actors), ["system"]);
    assert_eq!(database.count("audit_events"), 1 + 250 + 1, "one for each, and for the first");
}

#[test]
fn a_time_must_be_given_and_be_one() {
    let database = migrated();
    administrator(&database, "today");
    assert_ended(&revoke(&database, "yesterday"), 2, "write `now`, or a time such as");
    assert_ended(&Binary::on(&database, &["admin", "revoke"]).run(), 2, "--created-before");
    assert_eq!(enabled(&database), ["today"]);
}
