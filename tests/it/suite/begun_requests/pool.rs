//! A change that waits for a connection to write on.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;

use super::{Operation, Revocation, assert_refused, caller};
use crate::support::{Answer, Log, Options, TestApp, eventually, made, stored, works};

const DELETE: &str = "mutation ($id: ID!) { deleteApiToken(input: { id: $id, version: 99 }) \
                      { deletedApiTokenId } }";

/// One connection writes, and it waits for the revocation, which is under way elsewhere. So what
/// the token asks for waits for that connection, and gets it once the revocation is done.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_waits_for_a_connection_asks_again() {
    let log = Log::start();
    let trusted_proxies = vec!["127.0.0.1/32"];
    let app = TestApp::with(Options { trusted_proxies, ..Options::default() }).await;
    for revocation in Revocation::ALL {
        for operation in Operation::MUTATIONS {
            let what = format!("{operation:?} beside {revocation:?}");
            let target = made(&app, &format!("target of {what}"), json!({})).await;
            let own = caller(&app, &what, revocation).await;
            assert!(works(&app, &own.secret).await);
            let body = operation.body(&app, &target.id, &format!("by {what}")).to_string();
            let id = format!("pool-{}", own.user_id);
            let revoking = revocation.under_way(&app, &own);
            // It is about another version, so it will do nothing.
            let blocking = app.graphql(&app.admin, DELETE, json!({ "id": own.id }));
            let changing = async {
                app.database.until_waited_for().await;
                let request = app.post().bearer_auth(&own.secret).header("x-request-id", &id);
                Answer::of(request.body(body).send().await.unwrap()).await
            };
            let revoked = async {
                eventually("the token is judged", || !log.lines_with(&[&id]).is_empty()).await;
                tokio::time::sleep(Duration::from_millis(50)).await;
                if revocation == Revocation::Expiry {
                    app.clock.advance(TimeDelta::hours(2));
                }
                drop(revoking);
                stored(&app)
            };
            let (blocked, answer, before) = tokio::join!(blocking, changing, revoked);
            assert!(blocked.json["data"]["deleteApiToken"].is_null(), "{}", blocked.text);
            assert_refused(answer.status, &answer.text, &what);
            assert_eq!(stored(&app), before, "{what}");
        }
    }
}
