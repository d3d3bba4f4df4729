//! Ending a token together with all that came of it, and keeping it ended.

mod enabling;
mod lifetime;
mod races;

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{Answer, Made, TestApp, TokenRow, UNKNOWN_TOKEN, made, stored, works};

/// What a token may do that makes others.
const MAKER: [&str; 3] = ["API_API_TOKENS_WRITE", "API_API_TOKENS_READ", "API_ORGANIZATIONS_READ"];

/// A token that this one makes, with all that it may hand on.
async fn by(app: &TestApp, maker: &str, name: &str) -> Made {
    let answer = app.create(maker, app.input(name, json!({ "permissions": MAKER }))).await;
    Made::of(&answer.data()["createApiToken"])
}

async fn renewed(app: &TestApp, token: &str, id: &str, name: &str) -> Made {
    let query = "mutation ($input: RenewApiTokenInput!) { renewApiToken(input: $input) {
        token apiToken { id userId } } }";
    let input = json!({ "id": id, "name": name, "expiry": app.in_time(TimeDelta::days(60)) });
    let answer = app.graphql(token, query, json!({ "input": input })).await;
    Made::of(&answer.data()["renewApiToken"])
}

async fn delete(app: &TestApp, token: &str, input: Value) -> Answer {
    let query = "mutation ($input: DeleteApiTokenInput!) { deleteApiToken(input: $input) {
        deletedApiTokenId descendantCount user { name enabled } } }";
    app.graphql(token, query, json!({ "input": input })).await
}

async fn update(app: &TestApp, token: &str, input: Value) -> Answer {
    let query = "mutation ($input: UpdateApiTokenInput!) { updateApiToken(input: $input) {
        descendantCount apiToken { id version name } } }";
    app.graphql(token, query, json!({ "input": input })).await
}

/// Switches a token at whatever version it is.
async fn switch(app: &TestApp, token: &str, id: &str, enabled: bool, all: bool) -> Answer {
    let query = "query ($id: ID!) { apiToken(id: $id) { version } }";
    let answer = app.graphql(&app.admin, query, json!({ "id": id })).await;
    let version = &answer.data()["apiToken"]["version"];
    let mut input = json!({ "id": id, "version": version, "enabled": enabled });
    if all {
        input["descendants"] = json!(true);
    }
    update(app, token, input).await
}

/// The names of the descendants that are left.
async fn descendants(app: &TestApp, id: &str) -> Vec<String> {
    let query = "query ($id: ID!) { apiTokens(filter: { descendantsOf: $id },
        orderBy: { field: NAME, direction: ASC }) { totalCount nodes { name } } }";
    let answer = app.graphql(&app.admin, query, json!({ "id": id })).await;
    let page = &answer.data()["apiTokens"];
    let nodes = page["nodes"].as_array().unwrap();
    assert_eq!(page["totalCount"], nodes.len());
    nodes.iter().map(|node| node["name"].as_str().unwrap().to_owned()).collect()
}

/// The names of the targets of the events of an action, and the changes.
fn events(app: &TestApp, action: &str) -> Vec<String> {
    app.database.texts(&format!(
        "SELECT t.name || ' by ' || e.actor_user_name || ' ' || e.changes AS text \
         FROM audit_events e JOIN api_tokens t ON t.id = e.target_id \
         WHERE e.action = '{action}' ORDER BY t.name"
    ))
}

/// A stolen token and what came of it: a child, its child, a renewal and what that made; beside
/// them, a token that has nothing to do with it.
struct Line {
    stolen: Made,
    child: Made,
    grandchild: Made,
    renewal: Made,
    of_renewal: Made,
    other: Made,
}

impl Line {
    async fn of(app: &TestApp) -> Self {
        let stolen = by(app, &app.admin, "stolen").await;
        let child = by(app, &stolen.secret, "child").await;
        let grandchild = by(app, &child.secret, "grandchild").await;
        let renewal = renewed(app, &app.admin, &stolen.id, "renewal").await;
        let of_renewal = by(app, &renewal.secret, "of renewal").await;
        let other = by(app, &app.admin, "other").await;
        Self { stolen, child, grandchild, renewal, of_renewal, other }
    }

    async fn works(&self, app: &TestApp) -> Vec<&'static str> {
        let mut works_still = Vec::new();
        for (name, token) in [
            ("stolen", &self.stolen),
            ("child", &self.child),
            ("grandchild", &self.grandchild),
            ("renewal", &self.renewal),
            ("of renewal", &self.of_renewal),
            ("other", &self.other),
        ] {
            if works(app, &token.secret).await {
                works_still.push(name);
            }
        }
        works_still
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_takes_the_whole_line_with_it() {
    let app = TestApp::start().await;
    let line = Line::of(&app).await;
    let all = ["child", "grandchild", "of renewal", "renewal"];
    assert_eq!(descendants(&app, &line.stolen.id).await, all);
    assert_eq!(descendants(&app, &line.child.id).await, ["grandchild"]);
    assert_eq!(descendants(&app, &line.other.id).await, [""; 0]);

    // One that was deleted before hides nothing that came of it.
    delete(&app, &app.admin, json!({ "id": line.child.id })).await.data();
    assert_eq!(descendants(&app, &line.stolen.id).await, ["grandchild", "of renewal", "renewal"]);

    let input = json!({ "id": line.stolen.id, "descendants": true });
    let answer = delete(&app, &app.admin, input).await;
    let expected = json!({
        "deletedApiTokenId": line.stolen.id, "descendantCount": 3,
        "user": { "name": "stolen", "enabled": false },
    });
    assert_eq!(answer.data()["deleteApiToken"], expected);
    assert_eq!(line.works(&app).await, ["other"]);
    assert_eq!(descendants(&app, &line.stolen.id).await, [""; 0]);
    let deleted = ["child", "grandchild", "of renewal", "renewal", "stolen"];
    let told = deleted.map(|name| format!("{name} by administrator []"));
    assert_eq!(events(&app, "api_token_deleted"), told);
    let disabled = "SELECT name AS text FROM users WHERE NOT enabled ORDER BY name";
    assert_eq!(app.database.texts(disabled), deleted);
    let hashes = "SELECT name AS text FROM api_tokens WHERE secret_hash = '' ORDER BY name";
    assert_eq!(app.database.texts(hashes), deleted);
    let dates = "SELECT DISTINCT CAST(deleted_date AS TEXT) AS text FROM api_tokens \
                 WHERE deleted_date IS NOT NULL";
    assert_eq!(app.database.texts(dates).len(), 2, "one transaction, one date");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_alone_leaves_the_line() {
    let app = TestApp::start().await;
    let line = Line::of(&app).await;
    let answer = delete(&app, &app.admin, json!({ "id": line.stolen.id })).await;
    assert_eq!(answer.data()["deleteApiToken"]["descendantCount"], 0);
    let left = ["child", "grandchild", "renewal", "of renewal", "other"];
    assert_eq!(line.works(&app).await, left);

    // What is left of the line of a deleted token can still be ended, once.
    let input = json!({ "id": line.stolen.id, "descendants": true });
    let answer = delete(&app, &app.admin, input.clone()).await;
    assert_eq!(answer.data()["deleteApiToken"]["descendantCount"], 4);
    assert_eq!(answer.data()["deleteApiToken"]["user"]["name"], "stolen");
    assert_eq!(line.works(&app).await, ["other"]);
    assert_eq!(events(&app, "api_token_deleted").len(), 5, "one for each");
    let before = stored(&app);
    assert_eq!(delete(&app, &app.admin, input).await.errors(), ["NOT_FOUND"]);
    let unknown = json!({ "id": UNKNOWN_TOKEN, "descendants": true });
    assert_eq!(delete(&app, &app.admin, unknown).await.errors(), ["NOT_FOUND"]);
    assert_eq!(stored(&app), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabling_takes_the_whole_line_with_it() {
    let app = TestApp::start().await;
    let line = Line::of(&app).await;
    let input = json!({
        "id": line.stolen.id, "version": 1, "enabled": false, "descendants": true, "name": "found",
    });
    let answer = update(&app, &app.admin, input).await;
    let expected = json!({
        "descendantCount": 4,
        "apiToken": { "id": line.stolen.id, "version": 2, "name": "found" },
    });
    assert_eq!(answer.data()["updateApiToken"], expected);
    assert_eq!(line.works(&app).await, ["other"]);
    let change = r#"[{"after":"false","before":"true","field":"enabled"}]"#;
    let told = events(&app, "api_token_updated");
    for name in ["child", "grandchild", "of renewal", "renewal"] {
        assert!(told.contains(&format!("{name} by administrator {change}")), "{told:?}");
    }
    assert_eq!(told.len(), 5);
    let versions = "SELECT name AS text FROM api_tokens WHERE version = 2 AND NOT enabled \
                    AND disabled_user_id IS NOT NULL AND disabled_api_token_id IS NOT NULL";
    assert_eq!(app.database.texts(versions).len(), 5);

    // Again: nothing is left to disable, and nothing changes.
    let before = stored(&app);
    let answer = switch(&app, &app.admin, &line.stolen.id, false, true).await;
    assert_eq!(answer.data()["updateApiToken"]["descendantCount"], 0);
    assert_eq!(stored(&app), before);

    // Only the token itself is enabled again.
    switch(&app, &app.admin, &line.stolen.id, true, false).await.data();
    assert_eq!(line.works(&app).await, ["stolen", "other"]);
    let nobody = "SELECT name AS text FROM api_tokens WHERE enabled \
                  AND (disabled_user_id IS NOT NULL OR disabled_api_token_id IS NOT NULL)";
    assert_eq!(app.database.texts(nobody), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn descendants_are_only_disabled_or_deleted() {
    let app = TestApp::start().await;
    let line = Line::of(&app).await;
    let before = stored(&app);
    for more in [json!({}), json!({ "enabled": true }), json!({ "enabled": null, "name": "x" })] {
        let mut input = json!({ "id": line.stolen.id, "version": 1, "descendants": true });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = update(&app, &app.admin, input).await;
        assert_eq!(answer.errors(), ["BAD_USER_INPUT descendants descendants_not_disabled"]);
    }
    for (id, version, expected) in [
        (line.stolen.id.as_str(), 7, "CONFLICT version version_stale"),
        (UNKNOWN_TOKEN, 1, "NOT_FOUND"),
    ] {
        let input = json!({ "id": id, "version": version, "enabled": false, "descendants": true });
        assert_eq!(update(&app, &app.admin, input).await.errors(), [expected]);
    }
    let stale = json!({ "id": line.stolen.id, "version": 7, "descendants": true });
    let answer = delete(&app, &app.admin, stale).await;
    assert_eq!(answer.errors(), ["CONFLICT version version_stale"]);
    let taken = json!({
        "id": line.stolen.id, "version": 1, "enabled": false, "descendants": true, "name": "other",
    });
    let answer = update(&app, &app.admin, taken).await;
    assert_eq!(answer.errors(), ["CONFLICT name name_taken"]);
    assert_eq!(stored(&app), before, "nothing is half done");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_may_be_part_of_the_line() {
    let app = TestApp::start().await;
    let permissions = json!({ "permissions": [
        "API_API_TOKENS_WRITE", "API_API_TOKENS_READ", "API_ORGANIZATIONS_READ",
        "API_API_TOKENS_DELETE", "API_USERS_READ",
    ] });
    let old = made(&app, "old", permissions.clone()).await;
    let now = renewed(&app, &old.secret, &old.id, "now").await;
    let child = by(&app, &now.secret, "child").await;
    let input = json!({ "id": old.id, "descendants": true });
    let answer = delete(&app, &now.secret, input).await;
    assert_eq!(answer.data()["deleteApiToken"]["descendantCount"], 2);
    for token in [&old, &now, &child] {
        assert!(!works(&app, &token.secret).await);
    }

    let own = made(&app, "own", permissions).await;
    let child = by(&app, &own.secret, "child").await;
    let disable = json!({ "id": own.id, "version": 1, "enabled": false, "descendants": true });
    let query = "mutation ($input: UpdateApiTokenInput!) { updateApiToken(input: $input) {
        descendantCount } }";
    let answer = app.graphql(&own.secret, query, json!({ "input": disable })).await;
    assert_eq!(answer.data()["updateApiToken"]["descendantCount"], 1);
    assert!(!works(&app, &own.secret).await && !works(&app, &child.secret).await);
}

/// What reaches further than the caller, because the one that made it was narrowed since, is ended
/// too.
#[tokio::test(flavor = "multi_thread")]
async fn what_came_of_a_token_is_ended_whatever_it_reaches() {
    let app = TestApp::start().await;
    let stolen = by(&app, &app.admin, "stolen").await;
    let child = by(&app, &stolen.secret, "child").await;
    let narrow =
        json!({ "id": stolen.id, "version": 1, "permissions": ["API_ORGANIZATIONS_READ"] });
    update(&app, &app.admin, narrow).await.data();
    let few = ["API_API_TOKENS_WRITE", "API_ORGANIZATIONS_READ"];
    let guard = made(&app, "guard", json!({ "permissions": few })).await;
    let disable = json!({ "id": child.id, "version": 1, "enabled": false });
    let query = "mutation ($input: UpdateApiTokenInput!) { updateApiToken(input: $input) {
        descendantCount } }";
    let answer = app.graphql(&guard.secret, query, json!({ "input": disable })).await;
    assert_eq!(answer.errors(), ["NOT_FOUND"], "alone, it is out of reach");
    let disable = json!({ "id": stolen.id, "version": 2, "enabled": false, "descendants": true });
    let answer = app.graphql(&guard.secret, query, json!({ "input": disable })).await;
    assert_eq!(answer.data()["updateApiToken"]["descendantCount"], 1);
    assert!(!works(&app, &child.secret).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_cannot_be_written_leave_the_whole_line_as_it_was() {
    let app = TestApp::start().await;
    let line = Line::of(&app).await;
    let before = stored(&app);
    app.database.execute("ALTER TABLE audit_events RENAME TO gone");
    let input = json!({ "id": line.stolen.id, "descendants": true });
    assert_eq!(delete(&app, &app.admin, input).await.json["data"]["deleteApiToken"], json!(null));
    let answer = switch(&app, &app.admin, &line.stolen.id, false, true).await;
    assert_eq!(answer.json["data"]["updateApiToken"], json!(null));
    app.database.execute("ALTER TABLE gone RENAME TO audit_events");
    assert_eq!(stored(&app), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_line_and_a_broad_one_end_at_once() {
    let app = TestApp::start().await;
    // One that made the next, 500 times, and one that made 1,500.
    let rows: Vec<TokenRow> = (1..=2_000)
        .map(|number: u128| TokenRow {
            created_by: if number <= 500 { (number - 1).max(1) } else { 1 },
            deleted: number == 250,
            ..TokenRow::new(number, format!("token {number:04}"))
        })
        .collect();
    TokenRow::insert(&rows, &app.database);
    let input = json!({ "id": rows[0].id(), "descendants": true });
    let answer = delete(&app, &app.admin, input).await;
    assert_eq!(answer.data()["deleteApiToken"]["descendantCount"], 1_998);
    let left = "SELECT name AS text FROM api_tokens WHERE deleted_date IS NULL";
    assert_eq!(app.database.texts(left), ["administrator"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn very_many_are_left_to_the_command_line() {
    let app = TestApp::start().await;
    let rows: Vec<TokenRow> = (1..=5_002)
        .map(|number: u128| TokenRow {
            created_by: 1,
            ..TokenRow::new(number, format!("token {number:04}"))
        })
        .collect();
    TokenRow::insert(&rows, &app.database);
    let too_many = ["BAD_USER_INPUT descendants descendants_too_many"];
    let input = json!({ "id": rows[0].id(), "descendants": true });
    assert_eq!(delete(&app, &app.admin, input).await.errors(), too_many);
    let answer = switch(&app, &app.admin, &rows[0].id(), false, true).await;
    assert_eq!(answer.errors(), too_many);
    let changed = "SELECT name AS text FROM api_tokens WHERE version > 1 OR NOT enabled";
    assert_eq!(app.database.texts(changed), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_names_its_fault() {
    let app = TestApp::start().await;
    let query = "{ apiTokens(filter: { descendantsOf: \"x\" }) { totalCount } }";
    let answer = app.query(&app.admin, query).await;
    assert_eq!(answer.errors(), ["BAD_USER_INPUT filter.descendantsOf id_syntax"]);
    assert_eq!(descendants(&app, UNKNOWN_TOKEN).await, [""; 0]);
}
