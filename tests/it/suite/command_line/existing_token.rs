//! `admin delete-token`, `disable-token` and `enable-token`.

use serde_json::json;
use tokenwright::domain::clock::{Clock, SystemClock};
use tokenwright::domain::id::ApiTokenId;

use crate::support::{
    Binary, Server, TestDatabase, TokenRow, UNKNOWN_TOKEN, administrator, assert_ended, migrated,
};

/// The ids of the tokens with these names.
fn id(database: &TestDatabase, name: &str) -> String {
    let ids = database
        .texts(&format!("SELECT CAST(id AS TEXT) AS text FROM api_tokens WHERE name = '{name}'"));
    ApiTokenId::from_uuid(ids[0].parse().unwrap()).to_string()
}

/// A token that this one makes: its secret.
async fn made(server: &Server, by: &str, name: &str) -> String {
    let expiry = (SystemClock.now() + chrono::TimeDelta::days(1)).to_rfc3339();
    let permissions = ["API_API_TOKENS_READ", "API_API_TOKENS_WRITE"];
    let input = json!({ "name": name, "expiry": expiry, "permissions": permissions });
    let query =
        "mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) { token } }";
    let answer = server.graphql(by, query, json!({ "input": input })).await;
    answer.data()["createApiToken"]["token"].as_str().unwrap().to_owned()
}

async fn works(server: &Server, secret: &str) -> bool {
    server.graphql(secret, "{ __typename }", json!({})).await.status == 200
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_ends_a_token_and_what_came_of_it_under_a_running_server() {
    let database = migrated();
    let admin = administrator(&database, "operator");
    let server = Binary::on(&database, &["serve"]).serve();
    let stolen = made(&server, &admin, "stolen").await;
    let child = made(&server, &stolen, "child").await;
    let admin_command = |words: &[&str]| Binary::on(&database, &[&["admin"], words].concat()).run();
    let stolen_id = id(&database, "stolen");

    let ended = admin_command(&["disable-token", &stolen_id, "--descendants"]);
    assert_ended(&ended, 0, &format!("disabled {stolen_id} `stolen` and 1 descendants"));
    assert_eq!(ended.stdout, "");
    assert!(!works(&server, &stolen).await && !works(&server, &child).await);
    // No token undoes it.
    let query = "mutation ($id: ID!) { updateApiToken(input: { id: $id, version: 2,
        enabled: true }) { apiToken { id } } }";
    let answer = server.graphql(&admin, query, json!({ "id": stolen_id })).await;
    assert_eq!(answer.errors(), ["FORBIDDEN enabled enabling_beyond_reach"]);

    let ended = admin_command(&["enable-token", &stolen_id]);
    assert_ended(&ended, 0, &format!("enabled {stolen_id} `stolen`"));
    assert!(works(&server, &stolen).await && !works(&server, &child).await);

    let ended = admin_command(&["delete-token", &stolen_id]);
    assert_ended(&ended, 0, &format!("deleted {stolen_id} `stolen`"));
    assert!(!works(&server, &stolen).await);
    assert_ended(&admin_command(&["delete-token", &stolen_id]), 1, "nothing with this id");
    let ended = admin_command(&["delete-token", &stolen_id, "--descendants"]);
    assert_ended(&ended, 0, "and 1 descendants");

    for command in ["delete-token", "disable-token", "enable-token"] {
        assert_ended(&admin_command(&[command, UNKNOWN_TOKEN]), 1, "nothing with this id");
    }
    let actors = "SELECT DISTINCT actor_user_name AS text FROM audit_events \
                  WHERE action <> 'api_token_created'";
    assert_eq!(database.texts(actors), ["system"]);
}

#[test]
fn the_operator_ends_very_many_at_once() {
    let database = migrated();
    let rows: Vec<TokenRow> = (1..=6_000)
        .map(|number: u128| TokenRow {
            created_by: 1,
            ..TokenRow::new(number, format!("token {number:04}"))
        })
        .collect();
    TokenRow::insert(&rows, &database);
    let ended = Binary::on(&database, &["admin", "delete-token", "--descendants", &rows[0].id()])
        .args(&["--database-statement-timeout", "60s"])
        .run();
    assert_ended(&ended, 0, "and 5999 descendants");
    let left = "SELECT name AS text FROM api_tokens WHERE deleted_date IS NULL";
    assert_eq!(database.texts(left), [""; 0]);
}
