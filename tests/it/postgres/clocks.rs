//! The clock of the database decides, whatever the clocks of the instances say.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use tokenwright::domain::clock::written;

use crate::support::{Made, TestApp, made, works};

const PERMISSIONS: [&str; 2] = ["API_API_TOKENS_WRITE", "API_ORGANIZATIONS_READ"];

async fn until(app: &TestApp, name: &str, expiry: DateTime<Utc>) -> Made {
    made(app, name, json!({ "expiry": written(expiry), "permissions": PERMISSIONS })).await
}

/// The time of the database.
fn now(app: &TestApp) -> DateTime<Utc> {
    app.database.texts("SELECT to_json(clock.clock_timestamp())")[0]
        .trim_matches('"')
        .parse()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_with_wrong_clocks_judge_alike() {
    for wrong in [TimeDelta::days(-1), TimeDelta::hours(3)] {
        let app = TestApp::start().await;
        let (hour, minute) = (TimeDelta::hours(1), TimeDelta::minutes(1));
        let own = until(&app, "own", now(&app) + hour).await;
        // Only the clock of the instance is set.
        app.clock.lead(Box::new(|_| ()));
        app.clock.advance(wrong);
        assert!(works(&app, &own.secret).await, "{wrong}");
        // In a transaction, too.
        let soon = app.input("made", json!({ "expiry": written(now(&app) + minute) }));
        app.create(&own.secret, soon).await.data();
        let gone = app.input("gone", json!({ "expiry": written(now(&app) - minute) }));
        let gone = app.create(&own.secret, gone).await;
        assert_eq!(gone.errors(), ["BAD_USER_INPUT expiry expiry_past"], "{wrong}");
        // An overlap ends by the clock of the database.
        let renew = "mutation ($input: RenewApiTokenInput!) { renewApiToken(input: $input) {
            apiToken { renewedFrom { expiry } } } }";
        let expiry = written(now(&app) + hour);
        let input = json!({ "id": own.id, "expiry": expiry, "overlapSeconds": 60 });
        let before = now(&app);
        let answer = app.graphql(&app.admin, renew, json!({ "input": input })).await;
        let ended = &answer.data()["renewApiToken"]["apiToken"]["renewedFrom"]["expiry"];
        let ended: DateTime<Utc> = ended.as_str().unwrap().parse().unwrap();
        assert!(before + minute <= ended && ended <= now(&app) + minute, "{wrong}: {ended}");
        let ahead = "UPDATE clock.setting SET ahead = interval '2 minutes'";
        app.database.execute(ahead);
        assert!(!works(&app, &own.secret).await, "{wrong}");
    }
}
