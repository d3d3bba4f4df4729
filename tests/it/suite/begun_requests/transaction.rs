//! A change that waits for its turn to write.

use chrono::TimeDelta;
use serde_json::json;

use super::{Operation, Revocation, assert_refused, caller};
use crate::support::{Answer, TestApp, made, stored, works};

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_waits_for_the_writer_asks_again() {
    let app = TestApp::start().await;
    for revocation in Revocation::ALL {
        for operation in Operation::MUTATIONS {
            let what = format!("{operation:?} beside {revocation:?}");
            let target = made(&app, &format!("target of {what}"), json!({})).await;
            let own = caller(&app, &what, revocation).await;
            assert!(works(&app, &own.secret).await);
            let body = operation.body(&app, &target.id, &format!("by {what}")).to_string();
            let revoking = revocation.under_way(&app, &own);
            let changing = async {
                let request = app.post().bearer_auth(&own.secret).body(body);
                Answer::of(request.send().await.unwrap()).await
            };
            let revoked = async {
                app.database.until_waited_for().await;
                if revocation == Revocation::Expiry {
                    app.clock.advance(TimeDelta::hours(2));
                }
                drop(revoking);
                stored(&app)
            };
            let (answer, before) = tokio::join!(changing, revoked);
            assert_refused(answer.status, &answer.text, &what);
            assert_eq!(stored(&app), before, "{what}");
        }
    }
}
