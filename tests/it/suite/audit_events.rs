//! `auditEvents`: who did what, the newest first.

use chrono::DateTime;
use serde_json::{Value, json};
use tokenwright::domain::clock::written;

use crate::support::{EventRow, ManualClock, Options, Random, TestApp, TokenRow, Walk};

const ACTIONS: [(&str, &str); 4] = [
    ("api_token_created", "API_TOKEN_CREATED"),
    ("api_token_updated", "API_TOKEN_UPDATED"),
    ("api_token_renewed", "API_TOKEN_RENEWED"),
    ("api_token_deleted", "API_TOKEN_DELETED"),
];
const DELETE: &str =
    "mutation ($id: ID!) { deleteApiToken(input: { id: $id }) { deletedApiTokenId } }";
/// An instant before all others, in microseconds.
const START: i64 = 1_600_000_000_000_000;

#[tokio::test(flavor = "multi_thread")]
async fn an_event_tells_who_did_what_from_where() {
    let clock = ManualClock::at("2026-11-30T11:00:00Z".parse().unwrap());
    let app = TestApp::with(Options { clock, ..Options::default() }).await;
    let permissions = ["API_API_TOKENS_WRITE", "API_API_TOKENS_DELETE", "API_USERS_READ"];
    let by = app.secret(&app.admin, app.input("ci", json!({ "permissions": permissions }))).await;
    app.clock.stop_at("2026-11-30T12:00:00.5Z".parse().unwrap());
    let input = json!({ "permissions": ["API_USERS_READ"], "allowedAddresses": ["127.0.0.1"] });
    let created = app.create(&by, app.input("made", input)).await;
    let token = &created.data()["createApiToken"]["apiToken"];
    app.clock.stop_at("2026-11-30T12:00:01Z".parse().unwrap());
    let deleted = app.graphql(&by, DELETE, json!({ "id": token["id"] })).await;
    deleted.data();

    let query = "{ auditEvents(first: 2) { totalCount nodes {
        date action actor { userId userName user { name } } actorApiTokenId clientAddress requestId
        targetId changes { field before after } } } }";
    let answer = app.query(&app.admin, query).await;
    let who = app.query(&by, "{ currentApiToken { id userId } }").await;
    let who = &who.data()["currentApiToken"];
    let event = |action: &str, date: &str, request: &str, changes: Value| {
        json!({
            "date": date, "action": action, "clientAddress": "127.0.0.1", "requestId": request,
            "actor": { "userId": who["userId"], "userName": "ci", "user": { "name": "ci" } },
            "actorApiTokenId": who["id"], "targetId": token["id"], "changes": changes,
        })
    };
    let set = |field: &str, after: &str| json!({ "field": field, "before": null, "after": after });
    let expiry = token["expiry"].as_str().unwrap().parse::<DateTime<chrono::Utc>>().unwrap();
    let changes = json!([
        set("name", "made"),
        set("expiry", &written(expiry)),
        set("permissions", "api.users.read"),
        set("allowedAddresses", "127.0.0.1"),
    ]);
    let (made, gone) = ("2026-11-30T12:00:00.500Z", "2026-11-30T12:00:01Z");
    let expected = json!([
        event("API_TOKEN_DELETED", gone, deleted.header("x-request-id"), json!([])),
        event("API_TOKEN_CREATED", made, created.header("x-request-id"), changes),
    ]);
    assert_eq!(answer.data()["auditEvents"], json!({ "totalCount": 4, "nodes": expected }));

    let query = "{ auditEvents(last: 1) { nodes { actor { userName } actorApiTokenId
        clientAddress requestId } } }";
    let first = app.query(&app.admin, query).await;
    let expected = json!([{
        "actor": { "userName": "system" }, "actorApiTokenId": null, "clientAddress": null,
        "requestId": null,
    }]);
    assert_eq!(first.data()["auditEvents"]["nodes"], expected, "the command line's own");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_read_users_sees_of_an_actor_what_was_recorded() {
    let app = TestApp::start().await;
    let input = app.input("reader", json!({ "permissions": ["API_API_TOKENS_READ"] }));
    let reader = app.secret(&app.admin, input).await;
    let recorded = "{ auditEvents { nodes { actor { userId userName } } } }";
    let actors = app.query(&reader, recorded).await.data()["auditEvents"]["nodes"].clone();
    assert_eq!(actors[0]["actor"]["userName"], "administrator");
    assert_eq!(actors[1]["actor"]["userName"], "system");
    let nested = "{ auditEvents { nodes { actor { userName user { name enabled } } } } }";
    let answer = app.query(&reader, nested).await;
    assert_eq!(answer.errors(), ["FORBIDDEN permission_missing"; 2]);
    assert_eq!(answer.json["data"]["auditEvents"]["nodes"][0]["actor"]["user"], json!(null));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_a_node() {
    let app = TestApp::start().await;
    let listed = Walk::over(&app, "auditEvents").page(json!({})).await;
    let query = "query ($id: ID!) { node(id: $id) { __typename id ... on AuditEvent { action } } }";
    let node = async |token: &str, id: &str| app.graphql(token, query, json!({ "id": id })).await;
    let event = node(&app.admin, &listed.ids[0]).await;
    let expected = json!({
        "__typename": "AuditEvent", "id": listed.ids[0], "action": "API_TOKEN_CREATED",
    });
    assert_eq!(event.data()["node"], expected);
    let unknown = "evt_00000000000000000000zz";
    assert_eq!(node(&app.admin, unknown).await.data(), &json!({ "node": null }));
    for id in ["evt_", "evt_x", &listed.ids[0].to_uppercase(), &format!("{}0", listed.ids[0])] {
        let answer = node(&app.admin, id).await;
        assert_eq!(answer.errors(), ["BAD_USER_INPUT id id_syntax"], "{id}");
    }
    let input = app.input("other", json!({ "permissions": ["API_USERS_READ"] }));
    let other = app.secret(&app.admin, input).await;
    for id in [&listed.ids[0], unknown] {
        let answer = node(&other, id).await;
        assert_eq!(answer.errors(), ["FORBIDDEN permission_missing"]);
        assert_eq!(answer.json["errors"][0]["extensions"]["permission"], "api.api-tokens.read");
    }
    let answer = Walk::over(&app, "auditEvents").ask_as(&other, json!({ "first": 0 })).await;
    assert_eq!(answer.errors(), ["FORBIDDEN permission_missing"]);
    assert_eq!(answer.json["data"], json!({ "auditEvents": null }));
}

/// Events of few different dates, by few users, on few tokens.
fn events(random: &mut Random) -> Vec<EventRow> {
    let event = |n: usize| EventRow {
        number: (random.below(8) as u128) << 100 | n as u128,
        date: START + random.below(6) as i64,
        action: random.one_of(&ACTIONS).0,
        actor: 1 + random.below(3) as u128,
        target: 1 + random.below(4) as u128,
    };
    (0..80).map(event).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_walk_shows_what_it_should_the_newest_first() {
    let app = TestApp::start().await;
    app.database.execute("DELETE FROM audit_events");
    TokenRow::numbered(&app.database, 4);
    let mut random = Random::new(5);
    let mut rows = events(&mut random);
    EventRow::insert(&rows, &app.database);
    rows.sort_by_key(|row| std::cmp::Reverse((row.date, row.number)));
    let at = |micros: i64| DateTime::from_timestamp_micros(micros).unwrap().to_rfc3339();
    for round in 0..48 {
        // The first rounds have one condition each, the last ones any of them.
        let mut chosen = |n: usize| if round < 15 { round / 3 == n } else { random.once_in(2) };
        let [by_action, by_actor, by_target, from, to] = [0, 1, 2, 3, 4].map(&mut chosen);
        let actions = random.some_of(&ACTIONS);
        let (actor, target) = (1 + random.below(4) as u128, 1 + random.below(5) as u128);
        let (after, before) = (START + random.below(6) as i64, START + random.below(8) as i64);
        let mut filter = json!({});
        if by_action {
            filter["action"] = json!(actions.iter().map(|(_, name)| name).collect::<Vec<_>>());
        }
        if by_actor {
            filter["actorUserId"] = json!(TokenRow::user_id_of(actor));
        }
        if by_target {
            filter["targetId"] = json!(TokenRow::new(target, "x").id());
        }
        if from {
            filter["after"] = json!(at(after));
        }
        if to {
            filter["before"] = json!(at(before));
        }
        let meets = |row: &&EventRow| {
            let is_action =
                actions.is_empty() || actions.iter().any(|(word, _)| *word == row.action);
            (!by_action || is_action)
                && (!by_actor || row.actor == actor)
                && (!by_target || row.target == target)
                && (!from || row.date >= after)
                && (!to || row.date < before)
        };
        let expected: Vec<String> = rows.iter().filter(meets).map(EventRow::id).collect();
        let walk = Walk::over(&app, "auditEvents").with(filter.clone());
        assert_eq!(walk.forward(&mut random).await, expected, "{filter}");
        assert_eq!(walk.backward(&mut random).await, expected, "{filter}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_faults_of_a_filter_are_told_with_their_fields() {
    let app = TestApp::start().await;
    let walk = Walk::over(&app, "auditEvents").with(json!({
        "actorUserId": "tok_0000000000000000000001", "targetId": "evt_0000000000000000000001",
        "after": "2030-01-01", "before": "",
    }));
    let mut errors = walk.ask(json!({ "after": "x" })).await.errors();
    errors.sort();
    let expected = [
        "after cursor_invalid",
        "filter.actorUserId id_syntax",
        "filter.after date_syntax",
        "filter.before date_syntax",
        "filter.targetId id_syntax",
    ];
    assert_eq!(errors, expected.map(|fault| format!("BAD_USER_INPUT {fault}")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_cannot_be_read_is_no_answer_and_shows_no_internals() {
    let app = TestApp::start().await;
    let id = Walk::over(&app, "auditEvents").page(json!({})).await.ids[0].clone();
    for unreadable in ["action = 'api_token_eaten'", "changes = 'none'", "changes = '[{}]'"] {
        let kept = "SELECT action || ' ' || changes AS text FROM audit_events";
        let before = app.database.texts(kept)[0].clone();
        app.database.execute(&format!("UPDATE audit_events SET {unreadable}"));
        let query = "query ($id: ID!) { auditEvents { nodes { id } } node(id: $id) { id } }";
        let answer = app.graphql(&app.admin, query, json!({ "id": id })).await;
        assert_eq!(answer.errors(), ["INTERNAL", "INTERNAL"], "{unreadable}");
        assert!(!answer.text.contains("eaten") && !answer.text.contains("changes"));
        let (action, changes) = before.split_once(' ').unwrap();
        app.database.execute(&format!(
            "UPDATE audit_events SET action = '{action}', changes = '{changes}'"
        ));
    }
    Walk::over(&app, "auditEvents").page(json!({})).await;
}
