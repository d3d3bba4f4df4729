//! The part of the disk that only revocations may use.

use serde_json::{Value, json};
use tokenwright::service::Quotas;

use crate::support::{Options, TestApp, TokenRow};

#[tokio::test(flavor = "multi_thread")]
async fn below_the_reserve_tokens_are_only_revoked() {
    // More than any disk has.
    let quotas = Quotas { disk_reserve: u64::MAX, ..Quotas::NONE };
    let app = TestApp::with(Options { quotas, ..Options::default() }).await;
    let rows = TokenRow::numbered(&app.database, 2);
    let (one, two) = (rows[0].id(), rows[1].id());
    let update = |input: Value| {
        let text = "mutation ($input: UpdateApiTokenInput!) { updateApiToken(input: $input) {
            apiToken { version } } }";
        app.graphql(&app.admin, text, json!({ "input": input }))
    };
    let expected = ["UNAVAILABLE disk_reserve"];
    let refused = app.create(&app.admin, app.input("new", json!({}))).await;
    assert_eq!(refused.errors(), expected);
    assert_eq!(refused.json["errors"][0]["extensions"]["retryAfter"], 60);
    let renamed = update(json!({ "id": one, "version": 1, "name": "renamed" })).await;
    assert_eq!(renamed.errors(), expected);
    let renewal = format!(
        "mutation {{ renewApiToken(input: {{ id: \"{one}\" expiry: \"2027-01-01T00:00:00Z\" }}) {{
        token }} }}"
    );
    assert_eq!(app.query(&app.admin, &renewal).await.errors(), expected);
    assert_eq!(app.database.count("api_tokens"), 3);
    update(json!({ "id": one, "version": 1, "enabled": false })).await.data();
    let deletion = format!(
        "mutation {{ deleteApiToken(input: {{ id: \"{two}\" }}) {{ deletedApiTokenId }} }}"
    );
    app.query(&app.admin, &deletion).await.data();
}
