//! `admin prune`: what is old goes, and what the present needs stays.

use serde_json::{Value, json};
use tokenwright::domain::clock::Clock;

use crate::support::{Binary, EventRow, TestApp, TokenRow, assert_ended, made, migrated};

/// Long ago, in microseconds since 1970.
const OLD: i64 = 1_600_000_000_000_000;

/// The number of the token that made the others.
const MAKER: u128 = 100;

/// A token that was deleted long ago.
fn row(number: u128) -> TokenRow {
    let name = format!("token {number}");
    TokenRow { deleted: true, created_by: MAKER, ..TokenRow::new(number, name) }
}

/// A live token that made itself.
fn maker() -> TokenRow {
    TokenRow::new(MAKER, "maker")
}

/// The numbers of the stored tokens that the test has put there.
fn numbers(app: &TestApp) -> Vec<u128> {
    let ids = app.database.texts("SELECT CAST(id AS TEXT) AS text FROM api_tokens ORDER BY id");
    ids.iter()
        .map(|id| id.parse::<uuid::Uuid>().unwrap().as_u128())
        .filter(|n| *n < 1 << 64)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_tokens_go_unless_another_token_comes_from_them() {
    let app = TestApp::start().await;
    TokenRow::insert(
        &[
            maker(),
            row(1),
            // Deleted with all that came of it.
            row(2),
            TokenRow { created_by: 2, ..row(3) },
            TokenRow { created_by: 3, ..row(4) },
            // What came of it is alive.
            row(5),
            TokenRow { created_by: 5, ..row(6) },
            TokenRow { created_by: 6, deleted: false, ..row(7) },
            // Never deleted.
            TokenRow { deleted: false, ..row(8) },
        ],
        &app.database,
    );
    let young = made(&app, "young", json!({})).await;
    let delete = format!(
        "mutation {{ deleteApiToken(input: {{ id: \"{}\" }}) {{ user {{ id }} }} }}",
        young.id
    );
    app.query(&app.admin, &delete).await.data();
    let users = app.database.count("users");

    let before = app.clock.now() - chrono::TimeDelta::days(730);
    let pruned = app.service.prune(before).await.unwrap();
    assert_eq!((pruned.api_tokens, pruned.audit_events), (4, 0));
    assert_eq!(numbers(&app), [5, 6, 7, 8, MAKER]);
    assert_eq!(app.database.count("api_tokens"), 7, "and the administrator, and the young one");
    assert_eq!(app.database.count("users"), users, "users stay");
    assert_eq!(app.service.prune(before).await.unwrap().api_tokens, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_token_stays_with_its_renewal() {
    let app = TestApp::start().await;
    TokenRow::insert(
        &[maker(), row(1), TokenRow { deleted: false, ..row(2) }, row(3)],
        &app.database,
    );
    app.database.execute(
        "UPDATE api_tokens SET renewed_from_id = '00000000-0000-0000-0000-000000000001' \
         WHERE name = 'token 2'",
    );
    let pruned = app.service.prune(app.clock.now()).await.unwrap();
    assert_eq!(pruned.api_tokens, 1);
    assert_eq!(numbers(&app), [1, 2, MAKER]);
}

/// The reach of a token decides who may enable what it has disabled.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_stays_with_what_it_has_disabled() {
    let app = TestApp::start().await;
    let disabled = TokenRow { deleted: false, enabled: false, ..row(2) };
    TokenRow::insert(&[maker(), row(1), disabled], &app.database);
    app.database.execute(
        "UPDATE api_tokens SET disabled_api_token_id = '00000000-0000-0000-0000-000000000001' \
         WHERE name = 'token 2'",
    );
    assert_eq!(app.service.prune(app.clock.now()).await.unwrap().api_tokens, 0);
    app.database.execute("UPDATE api_tokens SET enabled = TRUE WHERE name = 'token 2'");
    assert_eq!(app.service.prune(app.clock.now()).await.unwrap().api_tokens, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn old_events_go_and_the_list_stays_whole() {
    let app = TestApp::start().await;
    TokenRow::insert(&[TokenRow::new(1, "token 1")], &app.database);
    let events: Vec<EventRow> = (1..=1_200)
        .map(|number| EventRow {
            number,
            date: OLD + i64::try_from(number).unwrap(),
            action: "api_token_updated",
            actor: 1,
            target: 1,
        })
        .collect();
    EventRow::insert(&events, &app.database);
    let cutoff = chrono::DateTime::from_timestamp_micros(OLD + 1_101).unwrap();
    let pruned = app.service.prune(cutoff).await.unwrap();
    assert_eq!((pruned.api_tokens, pruned.audit_events), (0, 1_100));
    let query = "{ auditEvents(last: 100) { totalCount nodes { id } } }";
    let answer = app.query(&app.admin, query).await;
    let list = &answer.data()["auditEvents"];
    assert_eq!(list["totalCount"], 101, "the administrator's too");
    let nodes: Vec<&Value> =
        list["nodes"].as_array().unwrap().iter().map(|node| &node["id"]).collect();
    assert_eq!(nodes.last().unwrap().as_str().unwrap(), events[1_100].id());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_says_what_it_removed() {
    let database = migrated();
    TokenRow::insert(&[maker(), row(1)], &database);
    let event =
        EventRow { number: 1, date: OLD, action: "api_token_created", actor: MAKER, target: 1 };
    EventRow::insert(&[event], &database);
    let _server = Binary::on(&database, &["serve"]).serve();
    let prune = |age: &str| Binary::on(&database, &["admin", "prune", "--older-than", age]).run();
    assert_ended(&prune("50y"), 0, "removed 0 audit events and 0 deleted tokens");
    assert_ended(&prune("2y"), 0, "removed 1 audit events and 1 deleted tokens");
    assert_eq!((database.count("api_tokens"), database.count("audit_events")), (1, 0));
    assert_ended(&Binary::on(&database, &["admin", "prune"]).run(), 2, "--older-than");
    assert_ended(&prune("0d"), 2, "must be longer than 0s");
}
