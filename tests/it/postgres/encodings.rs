//! Databases that store text in other encodings than UTF-8.

use serde_json::json;

use super::TestDatabase;
use crate::support::{Binary, administrator, assert_ended};

const CREATE_TOKEN: [&str; 7] =
    ["admin", "create-token", "--name", "a", "--expires-in", "1h", "--all-permissions"];

fn in_encoding(encoding: &str) -> TestDatabase {
    TestDatabase::with_options(&format!("ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0"))
}

#[test]
fn an_encoding_that_cannot_hold_every_name_is_refused_at_the_start() {
    for encoding in ["LATIN1", "WIN1252", "EUC_JP"] {
        let database = in_encoding(encoding);
        for command in
            [&["serve"][..], &["serve", "--migrate"], &["dev"], &["migrate"], &CREATE_TOKEN]
        {
            let ended = Binary::on(&database, command).run();
            assert_ended(&ended, 1, &format!("stores text in {encoding}"));
            assert_ended(&ended, 1, "ENCODING 'UTF8'");
        }
        let tables = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace";
        assert_eq!(database.texts(tables), [""; 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_as_they_come_hold_every_name() {
    let database = in_encoding("SQL_ASCII");
    assert_ended(&Binary::on(&database, &["migrate"]).run(), 0, "applied");
    let name = "Ünï 😀";
    let token = administrator(&database, name);
    let server = Binary::on(&database, &["serve"]).serve();
    let query =
        "query ($name: String) { apiTokens(filter: { nameContains: $name }) { nodes { name } } }";
    let answer = server.graphql(&token, query, json!({ "name": "ÜN" })).await;
    assert_eq!(answer.data()["apiTokens"]["nodes"], json!([{ "name": name }]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_that_stays_is_not_called_unavailable() {
    let database = TestDatabase::new();
    assert_ended(&Binary::on(&database, &["migrate"]).run(), 0, "applied");
    let token = administrator(&database, "caller");
    let server = Binary::on(&database, &["serve"]).serve();
    let rename = "mutation ($id: ID!) { updateApiToken(input: { id: $id, version: 1, name: \"b\" }) \
                  { apiToken { name } } }";
    let own = server.graphql(&token, "{ currentApiToken { id } }", json!({})).await;
    let id = json!({ "id": own.data()["currentApiToken"]["id"] });
    for (damage, repair) in [
        (
            "ALTER TABLE audit_events RENAME COLUMN action TO action_of_old",
            "ALTER TABLE audit_events RENAME COLUMN action_of_old TO action",
        ),
        (
            "ALTER TABLE audit_events ADD COLUMN more TEXT; \
             ALTER TABLE audit_events ADD CHECK (more IS NOT NULL) NOT VALID",
            "ALTER TABLE audit_events DROP COLUMN more",
        ),
    ] {
        database.execute(damage);
        let answer = server.graphql(&token, rename, id.clone()).await;
        assert_eq!(answer.errors(), ["INTERNAL"], "{damage}: {}", answer.text);
        database.execute(repair);
    }
}
