//! Inputs that are refused, as they come from a mistake or from somebody hostile.

use serde_json::{Value, json};

use super::revoke;
use crate::support::{TestApp, TokenRow, stored};

const NOT_CONFIRMED: &str = "BAD_USER_INPUT everything everything_not_confirmed";

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_that_is_not_clear_does_nothing() {
    let app = TestApp::start().await;
    let rows = TokenRow::numbered(&app.database, 3);
    let (id, before) = (rows[0].id(), stored(&app));
    let user = rows[0].user_id();
    let many: Vec<&str> = vec![&id; 1_001];
    let cases: Vec<(Value, &[&str])> = vec![
        (json!({}), &[NOT_CONFIRMED]),
        (json!({ "filter": {} }), &[NOT_CONFIRMED]),
        (json!({ "filter": null, "ids": null }), &[NOT_CONFIRMED]),
        (
            json!({ "filter": { "nameContains": " ", "status": [], "labels": [] } }),
            &[NOT_CONFIRMED],
        ),
        (json!({ "filter": { "nameContains": "\u{200b}" } }), &[NOT_CONFIRMED]),
        (json!({ "except": [id] }), &[NOT_CONFIRMED]),
        (json!({ "ids": [] }), &["BAD_USER_INPUT ids ids_empty"]),
        (
            json!({ "ids": [id], "filter": { "nameContains": "token" } }),
            &["BAD_USER_INPUT ids ids_and_filter"],
        ),
        (
            json!({ "ids": [id], "everything": true }),
            &["BAD_USER_INPUT everything everything_and_choice"],
        ),
        (
            json!({ "filter": { "nameContains": "token" }, "everything": true }),
            &["BAD_USER_INPUT everything everything_and_choice"],
        ),
        (json!({ "ids": many }), &["BAD_USER_INPUT ids ids_too_many"]),
        (json!({ "everything": true, "except": many }), &["BAD_USER_INPUT except except_too_many"]),
        (json!({ "ids": [id, user, "", "tok_\u{0}"] }), &["BAD_USER_INPUT ids id_syntax"; 3]),
        (
            json!({ "everything": true, "expectedCount": -1 }),
            &["BAD_USER_INPUT expectedCount expected_count_negative"],
        ),
        (json!({ "ids": [id], "reason": "" }), &["BAD_USER_INPUT reason reason_blank"]),
        (
            json!({ "ids": [id], "reason": "x".repeat(201) }),
            &["BAD_USER_INPUT reason reason_too_long"],
        ),
        (
            json!({ "ids": [id], "reason": "a\u{1b}[2Jb" }),
            &["BAD_USER_INPUT reason reason_control_character"],
        ),
        (
            json!({ "filter": { "createdBefore": "yesterday", "userId": "tok_" } }),
            &[
                "BAD_USER_INPUT filter.userId id_syntax",
                "BAD_USER_INPUT filter.createdBefore date_syntax",
            ],
        ),
    ];
    for (input, expected) in cases {
        let answer = revoke(&app, &app.admin, input.clone()).await;
        assert_eq!(answer.errors(), expected, "{input}");
    }
    // More than a body may have.
    let ids: Vec<&str> = vec![&id; 10_000];
    assert_eq!(revoke(&app, &app.admin, json!({ "ids": ids })).await.status, 413);
    assert_eq!(stored(&app), before);
}
