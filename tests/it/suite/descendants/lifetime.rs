//! `lifetime-within-maker`: how long a token lives that another one made.

use chrono::TimeDelta;
use serde_json::json;

use super::{MAKER, renewed};
use crate::support::{Options, TestApp, made};

#[tokio::test(flavor = "multi_thread")]
async fn a_token_outlives_its_maker_unless_the_server_is_set_otherwise() {
    for within in [false, true] {
        let options = Options { lifetime_within_maker: within, ..Options::default() };
        let app = TestApp::with(options).await;
        let ends = app.in_time(TimeDelta::days(5));
        let maker = json!({ "permissions": MAKER, "expiry": ends });
        let maker = made(&app, "maker", maker).await;
        let renew = "mutation ($input: RenewApiTokenInput!) { renewApiToken(input: $input) {
            apiToken { expiry } } }";
        let later = app.in_time(TimeDelta::days(6));
        let create = app.create(&maker.secret, app.input("a", json!({ "expiry": later }))).await;
        let input = json!({ "input": { "id": maker.id, "name": "b", "expiry": later } });
        let renewal = app.graphql(&maker.secret, renew, input).await;
        if within {
            let expected = ["BAD_USER_INPUT expiry expiry_beyond_maker"];
            assert_eq!(create.errors(), expected);
            assert_eq!(renewal.errors(), expected);
            // As late as the maker is allowed, and the maker of a renewal is who asks for it.
            let same = app.input("c", json!({ "expiry": ends }));
            app.create(&maker.secret, same).await.data();
            let input = json!({ "input": { "id": maker.id, "name": "d", "expiry": later } });
            app.graphql(&app.admin, renew, input).await.data();
            let late = json!({ "input": {
                "id": maker.id, "name": "e", "expiry": app.in_time(TimeDelta::days(8)),
            } });
            let answer = app.graphql(&app.admin, renew, late).await;
            assert_eq!(answer.errors(), expected, "the administrator ends in 7 days");
        } else {
            create.data();
            renewal.data();
            renewed(&app, &maker.secret, &maker.id, "f").await;
        }
    }
}
