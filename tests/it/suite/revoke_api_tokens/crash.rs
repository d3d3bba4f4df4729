//! The end of the process in the middle of a revocation.

use reqwest::Method;
use serde_json::json;

use super::REVOKE;
use crate::support::{Binary, TokenRow, administrator, eventually, migrated};

const TOKENS: usize = 5_000;
const ROUNDS: u32 = 8;

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_killed_has_revoked_all_or_nothing() {
    let database = migrated();
    let admin = administrator(&database, "administrator");
    let rows: Vec<TokenRow> = (1..=TOKENS)
        .map(|number| TokenRow::new(u128::try_from(number).unwrap(), format!("token {number}")))
        .collect();
    for part in rows.chunks(1_000) {
        TokenRow::insert(part, &database);
    }
    // One statement, which sees what was committed together.
    let state = "SELECT CAST((SELECT count(*) FROM api_tokens WHERE NOT enabled) AS TEXT) || ' ' || \
                 CAST((SELECT count(*) FROM audit_events WHERE action = 'api_token_revoked') AS TEXT) \
                 AS text";
    let mut killed_before = 0;
    for round in 0..ROUNDS {
        let server = Binary::on(&database, &["serve"]).serve();
        let body = json!({ "query": REVOKE, "variables": { "input": {
            "filter": { "nameContains": "token" } } } });
        let request = server.request(Method::POST, "/graphql").bearer_auth(&admin).json(&body);
        let asking = tokio::spawn(async move { request.send().await.is_ok() });
        // Later in each round; whenever it comes, the outcome is the same.
        for _ in 0..round * 25 {
            assert_eq!(server.get("/livez").await.status, 200);
        }
        server.running.signal("KILL");
        assert_eq!(server.running.wait().code, None);
        let answered = asking.await.unwrap();
        // PostgreSQL notices a while later that the client is gone.
        let whole = ["0 0".to_owned(), format!("{TOKENS} {TOKENS}")];
        let is_whole = || whole.contains(&database.texts(state)[0]);
        assert!(is_whole(), "{:?}", database.texts(state));
        if answered {
            assert_eq!(database.texts(state)[0], whole[1], "what was answered is kept");
        }
        if database.texts(state)[0] == whole[0] {
            killed_before += 1;
        } else {
            let again = format!(
                "UPDATE api_tokens SET enabled = TRUE; DELETE FROM audit_events WHERE action = '{}'",
                "api_token_revoked"
            );
            database.execute(&again);
        }
    }
    assert!(killed_before > 0, "each was done before it was killed");
    let server = Binary::on(&database, &["serve"]).serve();
    let input = json!({ "input": { "filter": { "nameContains": "token" } } });
    let answer = server.graphql(&admin, REVOKE, input).await;
    assert_eq!(answer.data()["revokeApiTokens"]["count"], TOKENS);
    eventually("all are there", || database.texts(state)[0] == format!("{TOKENS} {TOKENS}")).await;
}
