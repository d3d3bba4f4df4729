//! A change waits for another one of the same rows, and then decides on what that one has left.

use std::time::Duration;

use serde_json::{Value, json};
use tokenwright::db::PoolSettings;
use tokenwright::domain::id::ApiTokenId;

use super::sql;
use crate::support::{Answer, Made, Options, TestApp, eventually, made, stored, works};

/// Keeps a statement from being committed until it is dropped.
const GATE: &str = "SELECT pg_advisory_lock(7)";
/// Sessions that wait for the gate, and those of the application that wait for another.
const AT_THE_GATE: &str = "wait_event = 'advisory' AND application_name <> 'tokenwright'";
const FOR_ANOTHER: &str = "wait_event_type = 'Lock' AND application_name = 'tokenwright'";

/// Waits until a session waits.
async fn until_waiting(app: &TestApp, how: &str) {
    let waiting = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND {how}"
    );
    for _ in 0..2000 {
        if app.database.texts(&waiting) == ["1"] {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("nobody waits: {how}");
}

/// Sends a document while the statement is done and not committed, which it is once the request
/// waits.
async fn beside(app: &TestApp, statement: &str, token: &str, query: &str) -> Answer {
    let url = app.database.url_text();
    let gate = sql::hold(&url, GATE);
    let script = format!("BEGIN; {statement}; {GATE}; COMMIT");
    let committing = std::thread::spawn(move || sql::run(&url, &script).unwrap());
    until_waiting(app, AT_THE_GATE).await;
    let opening = async {
        until_waiting(app, FOR_ANOTHER).await;
        drop(gate);
    };
    let (answer, ()) = tokio::join!(app.query(token, query), opening);
    committing.join().unwrap();
    answer
}

/// A token that may change and renew tokens, or one that it may change and renew.
async fn token(app: &TestApp, name: &str, permissions: Value) -> Made {
    made(app, name, json!({ "permissions": permissions })).await
}

const WRITER: [&str; 3] = ["API_API_TOKENS_WRITE", "API_ORGANIZATIONS_READ", "API_USERS_READ"];
const GRANT: [&str; 2] = ["API_ORGANIZATIONS_READ", "API_USERS_READ"];

fn update(id: &str, version: i32) -> String {
    format!(
        r#"mutation {{ updateApiToken(input: {{ id: "{id}", version: {version}, name: "x" }})
            {{ apiToken {{ version }} }} }}"#
    )
}

fn renewal(app: &TestApp, id: &str) -> String {
    let expiry = app.in_time(chrono::TimeDelta::days(1));
    format!(
        r#"mutation {{ renewApiToken(input: {{ id: "{id}", expiry: "{expiry}", overlapSeconds: 0 }})
            {{ token apiToken {{ name permissions }} }} }}"#
    )
}

/// A change of this token, as another instance makes it.
fn changed(name: &str, assignment: &str) -> String {
    format!(
        "SELECT pg_advisory_xact_lock(('x' || substr(hex, 17, 8))::bit(32)::int, \
                                      ('x' || substr(hex, 25, 8))::bit(32)::int) \
         FROM (SELECT replace(id::text, '-', '') FROM api_tokens WHERE name = '{name}') id (hex); \
         UPDATE api_tokens SET version = version + 1, {assignment} WHERE name = '{name}'"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_is_changed_meanwhile_does_nothing() {
    let app = TestApp::start().await;
    // Rows are locked in the order of their ids, which sort by their millisecond.
    let mut tokens = Vec::new();
    for (name, permissions) in
        [("older", json!(GRANT)), ("caller", json!(WRITER)), ("newer", json!(GRANT))]
    {
        tokens.push(token(&app, name, permissions).await);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let [older, caller, newer] = &tokens[..] else { panic!("three tokens") };
    for (done, query) in [
        update(&older.id, 1),
        update(&newer.id, 1),
        renewal(&app, &older.id),
        renewal(&app, &newer.id),
        update(&caller.id, 5),
        renewal(&app, &caller.id),
    ]
    .iter()
    .enumerate()
    {
        let before = stored(&app).len();
        let change = changed("caller", "allowed_addresses = '{127.0.0.0/8}'");
        let answer = beside(&app, &change, &caller.secret, query).await;
        assert_eq!(answer.errors(), ["UNAUTHENTICATED caller_changed"], "{query}");
        assert_eq!(stored(&app).len(), before);
        let versions = "SELECT version FROM api_tokens ORDER BY id";
        assert_eq!(app.database.texts(versions)[1..], ["1", &*(done + 2).to_string(), "1"]);
        let restored = "UPDATE api_tokens SET allowed_addresses = '{}' WHERE name = 'caller'";
        app.database.execute(restored);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_changed_meanwhile_is_told_with_its_version() {
    let app = TestApp::start().await;
    let token = token(&app, "ci", json!(GRANT)).await;
    let answer =
        beside(&app, &changed("ci", "name = 'y'"), &app.admin, &update(&token.id, 1)).await;
    assert_eq!(answer.errors(), ["CONFLICT version version_stale"]);
    assert_eq!(answer.json["errors"][0]["extensions"]["currentVersion"], 2);
    let gone = "UPDATE api_tokens SET deleted_date = now()";
    let gone = format!("{gone} WHERE name = 'y'");
    let answer = beside(&app, &gone, &app.admin, &update(&token.id, 2)).await;
    assert_eq!(answer.errors(), ["NOT_FOUND"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_copies_what_is_left() {
    let app = TestApp::start().await;
    let old = token(&app, "ci", json!(GRANT)).await;
    let narrowed = changed("ci", "name = 'cd', permissions = '{api.users.read}'");
    let answer = beside(&app, &narrowed, &app.admin, &renewal(&app, &old.id)).await;
    let new = &answer.data()["renewApiToken"]["apiToken"];
    assert_eq!(new["permissions"], json!(["API_USERS_READ"]));
    assert!(new["name"].as_str().unwrap().starts_with("cd "), "{new}");

    let old = token(&app, "disabled", json!(GRANT)).await;
    let disabled = changed("disabled", "enabled = FALSE");
    let answer = beside(&app, &disabled, &app.admin, &renewal(&app, &old.id)).await;
    assert_eq!(answer.errors(), ["BAD_USER_INPUT id token_disabled"]);
    let old = token(&app, "deleted", json!(GRANT)).await;
    let deleted = changed("deleted", "deleted_date = now()");
    let answer = beside(&app, &deleted, &app.admin, &renewal(&app, &old.id)).await;
    assert_eq!(answer.errors(), ["NOT_FOUND"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_taken_meanwhile_is_told() {
    let app = TestApp::start().await;
    let token = token(&app, "ci", json!(GRANT)).await;
    made(&app, "other", json!({})).await;
    let taken = "UPDATE api_tokens SET name = 'X', name_key = 'x' WHERE name = 'other'";
    let before = stored(&app);
    let answer = beside(&app, taken, &app.admin, &update(&token.id, 1)).await;
    assert_eq!(answer.errors(), ["CONFLICT name name_taken"]);
    assert_eq!(stored(&app).len(), before.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_want_each_others_names_do_not_wait_for_each_other() {
    let app = TestApp::start().await;
    let [a, b] = [token(&app, "p", json!(GRANT)).await, token(&app, "q", json!(GRANT)).await];
    let other = token(&app, "other", json!(GRANT)).await;
    let rename = |id: &str, version: i32, name: &str| {
        let query = update(id, version).replace("\"x\"", &format!("\"{name}\""));
        let app = &app;
        async move { app.query(&app.admin, &query).await.errors() }
    };
    for round in 0..60 {
        let version = round * 2 + 1;
        // Names that are free when they are asked about, and taken by the time that they are
        // written.
        let (crossing, ()) = tokio::join!(
            async {
                tokio::join!(
                    rename(&a.id, version, "r"),
                    rename(&b.id, version, "s"),
                    rename(&a.id, version + 1, "s"),
                    rename(&b.id, version + 1, "r"),
                )
            },
            async {
                let busy = (0..8).map(|_| rename(&other.id, 1, "other"));
                futures_util::future::join_all(busy).await;
            }
        );
        let (first, second, third, fourth) = crossing;
        for errors in [first, second, third, fourth] {
            assert!(!errors.iter().any(|error| error.starts_with("UNAVAILABLE")), "{errors:?}");
        }
        // The same again for the next round, with both names free.
        app.database.execute(&format!(
            "UPDATE api_tokens SET name = id::text, name_key = id::text, version = {} \
             WHERE name NOT IN ('other', 'administrator')",
            version + 2
        ));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_change_each_other_do_not_wait_in_a_circle() {
    const TOKENS: usize = 6;
    const ROUNDS: usize = 25;

    let app = TestApp::start().await;
    let mut tokens = Vec::new();
    for n in 0..TOKENS {
        let all = json!(["API_API_TOKENS_WRITE", "API_API_TOKENS_DELETE", "API_USERS_READ"]);
        tokens.push(token(&app, &format!("token {n}"), all).await);
        assert!(works(&app, &tokens[n].secret).await);
    }
    // Names that others have, so that they wait for the names of each other, too.
    let busy = (0..TOKENS * 2).map(|n| {
        let (app, tokens) = (&app, &tokens);
        async move {
            let mut answers = Vec::new();
            for round in 0..ROUNDS {
                let target = &tokens[(n + round) % TOKENS];
                let own = &tokens[(n * 3 + round * 5 + 1) % TOKENS];
                let version = format!("SELECT version FROM api_tokens WHERE {}", id_is(target));
                let query = match (n + round) % 5 {
                    0 => renewal(app, &target.id).replace("overlapSeconds: 0", "name: \"same\""),
                    _ => {
                        let version = app.database.texts(&version)[0].parse().unwrap();
                        let name = format!("\"name {}\"", (n * round) % 7);
                        update(&target.id, version).replace("\"x\"", &name)
                    }
                };
                answers.push(app.query(&own.secret, &query).await.errors());
            }
            answers
        }
    });
    let answers = futures_util::future::join_all(busy).await;
    let done = answers.iter().flatten().filter(|errors| errors.is_empty()).count();
    assert!(done > TOKENS, "{answers:?}");
    for errors in answers.iter().flatten().flatten() {
        assert!(!errors.starts_with("UNAVAILABLE"), "{errors}");
    }
    // The same for deletions, each by another one.
    let deletions = (0..TOKENS).map(|n| {
        let (by, target) = (&tokens[n], &tokens[(n + 1) % TOKENS]);
        let delete = format!(
            r#"mutation {{ deleteApiToken(input: {{ id: "{}" }}) {{ deletedApiTokenId }} }}"#,
            target.id
        );
        let app = &app;
        async move { app.query(&by.secret, &delete).await.errors() }
    });
    let answers = futures_util::future::join_all(deletions).await;
    assert!(answers.iter().any(Vec::is_empty), "{answers:?}");
    for errors in answers.iter().flatten() {
        assert!(errors.starts_with("UNAUTHENTICATED"), "{errors}");
    }
    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    assert_eq!(app.database.texts(deadlocks), ["0"]);
    // Locks end with their transactions.
    eventually("nothing is locked", || app.database.is_quiet()).await;
}

fn id_is(token: &Made) -> String {
    let id: ApiTokenId = token.id.parse().unwrap();
    format!("id = '{}'", id.uuid())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_does_not_delay_its_own_end() {
    let pool = PoolSettings { connections: 12, ..Options::default().pool };
    let app = TestApp::with(Options { pool, ..Options::default() }).await;
    let own = token(&app, "own", json!(WRITER)).await;
    assert!(works(&app, &own.secret).await);
    let id: ApiTokenId = own.id.parse().unwrap();
    let [.., a, b, c, d, e, f, g, h] = *id.uuid().as_bytes();
    let [first, second] = [[a, b, c, d], [e, f, g, h]].map(i32::from_be_bytes);
    let shared = format!("BEGIN; SELECT pg_advisory_xact_lock_shared({first}, {second})");
    // A change that the token makes is under way.
    let under_way = sql::hold(&app.database.url_text(), &shared);
    let disable = format!(
        r#"mutation {{ updateApiToken(input: {{ id: "{}", version: 1, enabled: false }})
            {{ apiToken {{ version }} }} }}"#,
        own.id
    );
    let disabling = app.query(&app.admin, &disable);
    let further = async {
        eventually("the disabling waits", || app.database.waiting() == 1).await;
        let changes = (0..3).map(|n| {
            let input = app.input(&format!("made {n}"), json!({}));
            let (app, own) = (&app, &own);
            async move { app.create(&own.secret, input).await.errors() }
        });
        let opening = async {
            // Further changes wait behind it: they do not overtake it.
            eventually("the changes wait", || app.database.waiting() == 4).await;
            drop(under_way);
        };
        tokio::join!(futures_util::future::join_all(changes), opening).0
    };
    let (disabled, further) = tokio::join!(disabling, further);
    assert_eq!(disabled.data()["updateApiToken"]["apiToken"]["version"], 2);
    for errors in further {
        assert_eq!(errors, ["UNAUTHENTICATED caller_changed"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_out_of_reach_is_not_written_when_its_change_is_refused() {
    let app = TestApp::start().await;
    let caller = token(&app, "caller", json!(WRITER)).await;
    let admin = app.query(&app.admin, "{ currentApiToken { id } }").await;
    let id = admin.data()["currentApiToken"]["id"].as_str().unwrap().to_owned();
    let place = "SELECT ctid::text || xmax::text FROM api_tokens WHERE name = 'administrator'";
    let before = app.database.texts(place);
    for query in [update(&id, 1), update(&id, 2), renewal(&app, &id)] {
        assert_eq!(app.query(&caller.secret, &query).await.errors(), ["NOT_FOUND"]);
    }
    assert_eq!(app.database.texts(place), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_a_token_are_in_their_order_whatever_the_clocks_say() {
    let app = TestApp::start().await;
    let token = token(&app, "ci", json!(GRANT)).await;
    // As an instance leaves it whose clock is ahead.
    let ahead = changed("ci", "last_modified_date = last_modified_date + interval '1 hour'");
    app.database.execute(&ahead);
    app.query(&app.admin, &update(&token.id, 2)).await.data();
    let delete = format!(
        r#"mutation {{ deleteApiToken(input: {{ id: "{}" }}) {{ deletedApiTokenId }} }}"#,
        token.id
    );
    app.query(&app.admin, &delete).await.data();
    let events = format!(
        r#"{{ auditEvents(filter: {{ targetId: "{}" }}) {{ nodes {{ action }} }} }}"#,
        token.id
    );
    let answer = app.query(&app.admin, &events).await;
    let nodes = answer.data()["auditEvents"]["nodes"].as_array().unwrap().clone();
    let actions: Vec<_> = nodes.iter().map(|node| node["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["API_TOKEN_DELETED", "API_TOKEN_UPDATED", "API_TOKEN_CREATED"]);
}

/// A token that was being made when the line of its maker ended is one of that line.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_being_made_while_a_line_ends_ends_with_it() {
    let usual = Options::default();
    let pool = PoolSettings { connections: 8, ..usual.pool };
    let app = TestApp::with(Options { pool, ..usual }).await;
    let maker = token(&app, "maker", json!(WRITER)).await;
    assert!(works(&app, &maker.secret).await);
    let events = sql::hold(
        &app.database.url_text(),
        "BEGIN; LOCK TABLE audit_events IN ACCESS EXCLUSIVE MODE",
    );
    let input = app.input("child", json!({ "permissions": GRANT }));
    let making = app.create(&maker.secret, input);
    let ending = async {
        eventually("the token is stored and not committed", || app.database.waiting() == 1).await;
        let query = format!(
            "mutation {{ deleteApiToken(input: {{ id: \"{}\", descendants: true }}) \
             {{ descendantCount }} }}",
            maker.id
        );
        app.query(&app.admin, &query).await
    };
    let releasing = async {
        eventually("the deletion waits for it", || app.database.waiting() == 2).await;
        drop(events);
    };
    let (made, ended, ()) = tokio::join!(making, ending, releasing);
    let child = made.data()["createApiToken"]["token"].as_str().unwrap().to_owned();
    assert_eq!(ended.data()["deleteApiToken"]["descendantCount"], 1);
    assert!(!works(&app, &child).await);
}
