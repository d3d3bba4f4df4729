//! Revoking many tokens at once.

mod crash;
mod input;

use futures_util::future::join;
use serde_json::{Value, json};

use crate::support::{Answer, Made, TestApp, TokenRow, UNKNOWN_TOKEN, made, stored, works};

const REVOKE: &str = "mutation ($input: RevokeApiTokensInput!) { revokeApiTokens(input: $input) {
    revocationId count alreadyDisabledCount ownApiTokenLeftOut } }";

/// What an incident takes, without writing.
const REVOKER: [&str; 2] = ["API_API_TOKENS_DELETE", "API_API_TOKENS_READ"];

async fn revoke(app: &TestApp, token: &str, input: Value) -> Answer {
    app.graphql(token, REVOKE, json!({ "input": input })).await
}

/// The payload of a revocation that is done or tried.
async fn revoked(app: &TestApp, token: &str, input: Value) -> Value {
    revoke(app, token, input).await.data()["revokeApiTokens"].clone()
}

/// How many tokens it was; the id of the run.
async fn count(app: &TestApp, token: &str, input: Value) -> (u64, String) {
    let payload = revoked(app, token, input).await;
    let id = payload["revocationId"].as_str().unwrap_or_default().to_owned();
    (payload["count"].as_u64().unwrap(), id)
}

/// The names of the tokens that are disabled.
fn disabled(app: &TestApp) -> Vec<String> {
    let query = "SELECT name AS text FROM api_tokens WHERE NOT enabled ORDER BY name";
    app.database.texts(query)
}

fn revocations(app: &TestApp) -> usize {
    let query = "SELECT id || '' AS text FROM audit_events WHERE action = 'api_token_revoked'";
    let query = query.replace("id || ''", "CAST(id AS TEXT)");
    app.database.texts(&query).len()
}

#[tokio::test(flavor = "multi_thread")]
async fn many_are_refused_from_the_next_request_on_everywhere() {
    let app = TestApp::start().await;
    let token = made(&app, "shown", json!({ "labels": [{ "key": "team", "value": "a" }] })).await;
    let newest = made(&app, "newest", json!({})).await;
    TokenRow::numbered(&app.database, 1_500);
    let total = 1_500 + 2;

    let ask = json!({ "everything": true, "dryRun": true });
    let before = stored(&app);
    let expected = json!({ "revocationId": null, "count": total, "alreadyDisabledCount": 0,
        "ownApiTokenLeftOut": true });
    assert_eq!(revoked(&app, &app.admin, ask).await, expected);
    assert_eq!(stored(&app), before, "a dry run leaves nothing behind");
    assert!(works(&app, &token.secret).await);

    let input = json!({ "everything": true, "expectedCount": total, "reason": "a leak" });
    let (done, run) = count(&app, &app.admin, input).await;
    assert_eq!(done, total);
    assert!(run.starts_with("rev_"), "{run}");
    for secret in [&token.secret, &newest.secret] {
        assert!(!works(&app, secret).await);
    }
    assert!(works(&app, &app.admin).await);
    assert_eq!(disabled(&app).len(), 1_502);

    // Lists, filters, counts, the token itself, and who asks for others.
    let lists = "query ($id: ID!) {
        active: apiTokens(filter: { status: ACTIVE }) { totalCount nodes { name } }
        disabled: apiTokens(filter: { status: DISABLED }) { totalCount }
        labelled: apiTokens(filter: { labels: { key: \"team\", value: \"a\" }, status: ACTIVE }) {
            totalCount }
        apiToken(id: $id) { status version lastModifiedUserInfo { userName } } }";
    let answer = app.graphql(&app.admin, lists, json!({ "id": token.id })).await;
    let expected = json!({
        "active": { "totalCount": 1, "nodes": [{ "name": "administrator" }] },
        "disabled": { "totalCount": total },
        "labelled": { "totalCount": 0 },
        "apiToken": { "status": "DISABLED", "version": 2,
            "lastModifiedUserInfo": { "userName": "administrator" } },
    });
    assert_eq!(*answer.data(), expected);
    let verify = "mutation ($token: String!) { verifyApiToken(input: { token: $token }) {
        active reason } }";
    let answer = app.graphql(&app.admin, verify, json!({ "token": token.secret })).await;
    let told = &answer.data()["verifyApiToken"];
    assert_eq!(*told, json!({ "active": false, "reason": "DISABLED" }));
    let authorize = format!("http://{}/authorize", app.address);
    let answer = app.http.get(authorize).bearer_auth(&token.secret).send().await.unwrap();
    assert_eq!(answer.status(), 401);
    let introspect = app.http.post(format!("http://{}/oauth2/introspect", app.address));
    let form = format!("token={}", token.secret);
    let introspect = introspect.header("content-type", "application/x-www-form-urlencoded");
    let answer = introspect.bearer_auth(&app.admin).body(form).send().await.unwrap();
    assert_eq!(Answer::of(answer).await.json, json!({ "active": false }));

    // Each has an event that names the run; all of them are of one date.
    let events = "query ($after: String) { auditEvents(first: 100, after: $after,
        filter: { action: API_TOKEN_REVOKED }) { totalCount pageInfo { endCursor hasNextPage }
        nodes { date actor { userName } targetId requestId changes { field before after } } } }";
    let (mut after, mut targets, mut dates) = (Value::Null, Vec::new(), Vec::new());
    loop {
        let answer = app.graphql(&app.admin, events, json!({ "after": after })).await;
        let page = &answer.data()["auditEvents"];
        assert_eq!(page["totalCount"], total);
        for node in page["nodes"].as_array().unwrap() {
            let changes = json!([
                { "field": "enabled", "before": "true", "after": "false" },
                { "field": "revocation", "before": null, "after": run },
                { "field": "reason", "before": null, "after": "a leak" },
            ]);
            assert_eq!(node["changes"], changes);
            assert_eq!(node["actor"]["userName"], "administrator");
            targets.push(node["targetId"].as_str().unwrap().to_owned());
            dates.push(node["date"].clone());
        }
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    dates.dedup();
    assert_eq!(dates.len(), 1);
    targets.sort();
    targets.dedup();
    assert_eq!(targets.len(), 1_502);

    // There is nothing left to do, and nothing is recorded of it.
    let expected = json!({ "revocationId": null, "count": 0, "alreadyDisabledCount": total,
        "ownApiTokenLeftOut": true });
    assert_eq!(revoked(&app, &app.admin, json!({ "everything": true })).await, expected);
    assert_eq!(revocations(&app), 1_502);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dry_run_counted_must_still_be_so() {
    let app = TestApp::start().await;
    TokenRow::numbered(&app.database, 5);
    let filter = json!({ "nameContains": "token" });
    let (counted, _) = count(&app, &app.admin, json!({ "filter": filter, "dryRun": true })).await;
    assert_eq!(counted, 5);
    made(&app, "token 6", json!({})).await;
    let before = stored(&app);
    for dry_run in [false, true] {
        let input = json!({ "filter": filter, "expectedCount": counted, "dryRun": dry_run });
        let answer = revoke(&app, &app.admin, input).await;
        assert_eq!(answer.errors(), ["CONFLICT expectedCount count_stale"]);
        assert_eq!(answer.json["errors"][0]["extensions"]["currentCount"], 6);
        assert_eq!(stored(&app), before, "nothing is done");
    }
    let input = json!({ "filter": filter, "expectedCount": 6 });
    assert_eq!(count(&app, &app.admin, input).await.0, 6);
    // What is created later is not concerned.
    let later = made(&app, "token 7", json!({})).await;
    assert!(works(&app, &later.secret).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_choose_what_lists_show() {
    let app = TestApp::start().await;
    let maker = made(&app, "maker", json!({ "permissions": ["API_API_TOKENS_WRITE"] })).await;
    let narrow = json!({ "permissions": ["API_API_TOKENS_WRITE"] });
    app.secret(&maker.secret, app.input("child", narrow)).await;
    let row = |number: u128, name: &str| TokenRow::new(number, name);
    TokenRow::insert(
        &[
            TokenRow { labels: vec![("team", "a"), ("env", "test")], ..row(1, "one") },
            TokenRow { labels: vec![("team", "a")], ..row(2, "two") },
            TokenRow { permissions: vec!["api.users.read", "api.policy.write"], ..row(3, "three") },
            TokenRow { expiry: 1_650_000_000_000_000, ..row(4, "four") },
            TokenRow { created: 1_500_000_000_000_000, ..row(5, "five") },
            TokenRow { deleted: true, labels: vec![("team", "a")], ..row(6, "six") },
            TokenRow { enabled: false, labels: vec![("team", "b")], ..row(7, "seven") },
            TokenRow { last_used: 1_690_000_000_000_000, ..row(8, "eight") },
        ],
        &app.database,
    );
    let label = |key: &str, value: &str| json!([{ "key": key, "value": value }]);
    let both = json!([{ "key": "team", "value": "a" }, { "key": "env", "value": "test" }]);
    let filters = [
        json!({ "labels": label("team", "a") }),
        json!({ "labels": both }),
        json!({ "labels": label("team", "a"), "nameContains": "two" }),
        json!({ "permissions": ["API_POLICY_WRITE"], "nameContains": "three" }),
        json!({ "status": ["EXPIRED"] }),
        json!({ "createdBefore": "2018-01-01T00:00:00Z" }),
        json!({ "createdAfter": "2018-01-01T00:00:00Z", "createdBefore": "2021-01-01T00:00:00Z" }),
        json!({ "descendantsOf": maker.id }),
        json!({ "createdByUserId": maker.user_id }),
        json!({ "userId": maker.user_id }),
        json!({ "expiresBefore": "2023-01-01T00:00:00Z" }),
        json!({ "notUsedSince": "2023-01-01T00:00:00Z", "labels": label("team", "a") }),
        json!({ "labels": label("team", "none") }),
    ];
    let list = "query ($filter: ApiTokenFilter) { apiTokens(filter: $filter) { totalCount } }";
    let names = "query ($filter: ApiTokenFilter) { apiTokens(filter: $filter, first: 100) {
        nodes { name status } } }";
    for filter in filters {
        let answer = app.graphql(&app.admin, list, json!({ "filter": filter })).await;
        let listed = answer.data()["apiTokens"]["totalCount"].as_u64().unwrap();
        let tried = revoked(&app, &app.admin, json!({ "filter": filter, "dryRun": true })).await;
        let both =
            tried["count"].as_u64().unwrap() + tried["alreadyDisabledCount"].as_u64().unwrap();
        let own = u64::from(tried["ownApiTokenLeftOut"].as_bool().unwrap());
        assert_eq!(both + own, listed, "{filter}");
    }
    // And those that are chosen are those that are revoked.
    let filter = json!({ "labels": label("team", "a") });
    assert_eq!(count(&app, &app.admin, json!({ "filter": filter })).await.0, 2);
    let answer = app.graphql(&app.admin, names, json!({ "filter": filter })).await;
    let nodes = json!([{ "name": "two", "status": "DISABLED" },
        { "name": "one", "status": "DISABLED" }]);
    assert_eq!(answer.data()["apiTokens"]["nodes"], nodes);
    assert_eq!(disabled(&app), ["one", "seven", "two"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_callers_own_token_only_if_it_is_named() {
    let app = TestApp::start().await;
    let revoker = made(&app, "revoker", json!({ "permissions": REVOKER })).await;
    let own = json!({ "filter": { "nameContains": "revoker" } });
    let expected = json!({ "revocationId": null, "count": 0, "alreadyDisabledCount": 0,
        "ownApiTokenLeftOut": true });
    assert_eq!(revoked(&app, &revoker.secret, own).await, expected);
    assert!(works(&app, &revoker.secret).await);
    let named = json!({ "ids": [revoker.id] });
    let payload = revoked(&app, &revoker.secret, named).await;
    assert_eq!((&payload["count"], &payload["ownApiTokenLeftOut"]), (&json!(1), &json!(false)));
    assert!(!works(&app, &revoker.secret).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_excepted_is_left_out_and_must_be_there() {
    let app = TestApp::start().await;
    let rows = TokenRow::numbered(&app.database, 4);
    let kept = made(&app, "kept", json!({})).await;
    let before = stored(&app);
    let input = json!({ "everything": true, "except": [kept.id, UNKNOWN_TOKEN] });
    let answer = revoke(&app, &app.admin, input).await;
    assert_eq!(answer.errors(), ["NOT_FOUND except api_token_missing"]);
    assert_eq!(answer.json["errors"][0]["extensions"]["index"], 1);
    assert_eq!(stored(&app), before);
    let input = json!({ "everything": true, "except": [kept.id, rows[1].id()] });
    assert_eq!(count(&app, &app.admin, input).await.0, 3);
    assert!(works(&app, &kept.secret).await);
    assert_eq!(disabled(&app), ["token 001", "token 003", "token 004"]);
    let input = json!({ "ids": [rows[1].id(), kept.id], "except": [kept.id] });
    assert_eq!(count(&app, &app.admin, input).await.0, 1);
    assert!(works(&app, &kept.secret).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_is_not_there_refuses_all() {
    let app = TestApp::start().await;
    let (one, gone) = (made(&app, "one", json!({})).await, made(&app, "gone", json!({})).await);
    let delete = "mutation ($id: ID!) { deleteApiToken(input: { id: $id }) { deletedApiTokenId } }";
    app.graphql(&app.admin, delete, json!({ "id": gone.id })).await.data();
    let before = stored(&app);
    for dry_run in [true, false] {
        let ids = [&one.id, UNKNOWN_TOKEN, &gone.id];
        let answer = revoke(&app, &app.admin, json!({ "ids": ids, "dryRun": dry_run })).await;
        assert_eq!(answer.errors(), ["NOT_FOUND ids api_token_missing"; 2]);
        let index = |error: &Value| error["extensions"]["index"].clone();
        let errors = answer.json["errors"].as_array().unwrap();
        assert_eq!(errors.iter().map(index).collect::<Vec<_>>(), [1, 2]);
    }
    assert_eq!(stored(&app), before);
    assert!(works(&app, &one.secret).await);
    // Naming one twice is naming it.
    let input = json!({ "ids": [one.id, one.id], "expectedCount": 1 });
    assert_eq!(count(&app, &app.admin, input).await.0, 1);
}

/// It takes the permission to delete, which is enough for any token; counting by a filter also takes
/// the one to read.
#[tokio::test(flavor = "multi_thread")]
async fn it_takes_the_permission_to_delete_and_a_filter_that_to_read() {
    let app = TestApp::start().await;
    let only = |permission: &str| json!({ "permissions": [permission] });
    let deleter = made(&app, "deleter", only("API_API_TOKENS_DELETE")).await;
    let writer = made(&app, "writer", only("API_API_TOKENS_WRITE")).await;
    let reader = made(&app, "reader", only("API_API_TOKENS_READ")).await;
    let wide =
        made(&app, "wide", json!({ "permissions": ["API_API_TOKENS_WRITE", "API_POLICY_WRITE"] }));
    let wide = wide.await;
    let ids = json!({ "ids": [wide.id] });
    let missing = ["FORBIDDEN permission_missing"];
    for token in [&writer, &reader] {
        for input in [ids.clone(), json!({ "ids": [wide.id], "dryRun": true })] {
            assert_eq!(revoke(&app, &token.secret, input).await.errors(), missing);
        }
    }
    // What would tell a state without an end to it.
    for more in [json!({ "dryRun": true }), json!({ "expectedCount": 9 })] {
        let mut input = ids.clone();
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        assert_eq!(revoke(&app, &deleter.secret, input).await.errors(), missing);
    }
    for input in [json!({ "everything": true }), json!({ "filter": { "nameContains": "wide" } })] {
        for dry_run in [true, false] {
            let mut input = input.clone();
            input["dryRun"] = json!(dry_run);
            let answer = revoke(&app, &deleter.secret, input).await;
            assert_eq!(answer.errors(), missing);
            let needed = &answer.json["errors"][0]["extensions"]["permission"];
            assert_eq!(*needed, "api.api-tokens.read");
        }
    }
    assert!(works(&app, &wide.secret).await);
    // It reaches further than the caller; so does what the caller may delete.
    assert_eq!(count(&app, &deleter.secret, ids).await.0, 1);
    assert!(!works(&app, &wide.secret).await);
}

/// Who was disabled by a weak token is not left to it.
#[tokio::test(flavor = "multi_thread")]
async fn a_disabling_by_a_weaker_token_is_taken_over_and_that_of_a_stronger_one_stays() {
    let app = TestApp::start().await;
    let switch = |by: String, id: String, version: i32, enabled: bool| {
        let app = &app;
        async move {
            let query = "mutation ($input: UpdateApiTokenInput!) {
                updateApiToken(input: $input) { apiToken { version } } }";
            let input = json!({ "id": id, "version": version, "enabled": enabled });
            app.graphql(&by, query, json!({ "input": input })).await
        }
    };
    let weak = json!({ "permissions": ["API_API_TOKENS_WRITE", "API_ORGANIZATIONS_READ"] });
    let weak = made(&app, "weak", weak).await;
    let strong = json!({ "permissions": [
        "API_API_TOKENS_WRITE", "API_ORGANIZATIONS_READ", "API_API_TOKENS_DELETE",
        "API_API_TOKENS_READ",
    ] });
    let strong = made(&app, "strong", strong).await;
    let by_weak = made(&app, "by weak", json!({})).await;
    let by_admin = made(&app, "by admin", json!({})).await;
    switch(weak.secret.clone(), by_weak.id.clone(), 1, false).await.data();
    switch(app.admin.clone(), by_admin.id.clone(), 1, false).await.data();
    let input = json!({ "filter": { "nameContains": "by " } });
    let payload = revoked(&app, &strong.secret, input).await;
    assert_eq!((&payload["count"], &payload["alreadyDisabledCount"]), (&json!(1), &json!(1)));
    let answer = switch(weak.secret.clone(), by_weak.id.clone(), 2 + 1, true).await;
    assert_eq!(answer.errors(), ["FORBIDDEN enabled enabling_beyond_reach"]);
    // Who revoked it may undo it.
    switch(strong.secret.clone(), by_weak.id.clone(), 2 + 1, true).await.data();
    assert!(works(&app, &by_weak.secret).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_at_once_revoke_each_token_once() {
    let app = TestApp::start().await;
    let revoker = made(&app, "revoker", json!({ "permissions": REVOKER })).await;
    TokenRow::numbered(&app.database, 1_200);
    let filter = json!({ "filter": { "nameContains": "token" } });
    let (a, b) =
        join(count(&app, &app.admin, filter.clone()), count(&app, &revoker.secret, filter.clone()))
            .await;
    let mut counts = [a.0, b.0];
    counts.sort_unstable();
    // The administrator reaches further than the other one, and takes its place.
    assert!([[0, 1_200], [1_200, 1_200]].contains(&counts), "{counts:?}");
    assert_eq!(u64::try_from(revocations(&app)).unwrap(), counts[0] + counts[1]);
    assert_eq!(disabled(&app).len(), 1_200);
}

/// A caller that another one revokes meanwhile does nothing: whoever is first.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_that_revoke_each_other_one_is_left() {
    let app = TestApp::start().await;
    for round in 0..10 {
        let [a, b]: [Made; 2] = [
            made(&app, &format!("a {round}"), json!({ "permissions": REVOKER })).await,
            made(&app, &format!("b {round}"), json!({ "permissions": REVOKER })).await,
        ];
        let (by_a, by_b) = join(
            revoke(&app, &a.secret, json!({ "ids": [b.id] })),
            revoke(&app, &b.secret, json!({ "filter": { "nameContains": format!("a {round}") } })),
        )
        .await;
        let done = [&by_a, &by_b].map(|answer| answer.json["errors"].is_null());
        assert!(done[0] != done[1], "{} {}", by_a.text, by_b.text);
        assert_eq!([works(&app, &a.secret).await, works(&app, &b.secret).await], done);
    }
}

/// What came of a token is ended with it even while it makes others.
#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_grows_meanwhile_is_revoked_whole() {
    let app = TestApp::start().await;
    let maker = ["API_API_TOKENS_WRITE", "API_ORGANIZATIONS_READ"];
    for round in 0..4 {
        let stolen = made(&app, &format!("stolen {round}"), json!({ "permissions": maker })).await;
        let first = app.secret(
            &stolen.secret,
            app.input(&format!("first {round}"), json!({ "permissions": maker })),
        );
        let first = first.await;
        let breeding = async {
            let mut secrets = vec![first.clone()];
            for number in 0.. {
                let input =
                    app.input(&format!("bred {round} {number}"), json!({ "permissions": maker }));
                let query = "mutation ($input: CreateApiTokenInput!) {
                    createApiToken(input: $input) { token } }";
                let by = secrets.last().unwrap().clone();
                let answer = app.graphql(&by, query, json!({ "input": input })).await;
                match answer.json["data"]["createApiToken"]["token"].as_str() {
                    Some(secret) => secrets.push(secret.to_owned()),
                    None => break,
                }
            }
            secrets
        };
        let input = json!({ "filter": { "descendantsOf": stolen.id } });
        let (answer, secrets) = join(revoke(&app, &app.admin, input), breeding).await;
        let counted = answer.data()["revokeApiTokens"]["count"].as_u64().unwrap();
        for secret in &secrets {
            assert!(!works(&app, secret).await);
        }
        assert_eq!(usize::try_from(counted).unwrap(), secrets.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_a_hundred_thousand_are_refused() {
    let app = TestApp::start().await;
    let row = |number: u128| TokenRow::new(number, format!("token {number}"));
    for part in 0..101 {
        let numbers = (part * 1_000 + 1)..=(part * 1_000 + 1_000);
        let rows: Vec<TokenRow> =
            numbers.take_while(|number| *number <= 100_001).map(row).collect();
        TokenRow::insert(&rows, &app.database);
    }
    let all = |except: &[String]| json!({ "everything": true, "dryRun": true, "except": except });
    let answer = revoke(&app, &app.admin, all(&[])).await;
    assert_eq!(answer.errors(), ["BAD_USER_INPUT everything revocation_too_large"]);
    let mut input = all(&[]);
    input["dryRun"] = json!(false);
    assert_eq!(revoke(&app, &app.admin, input).await.errors(), answer.errors());
    assert_eq!(count(&app, &app.admin, all(&[row(7).id()])).await.0, 100_000);
    assert_eq!(disabled(&app), [""; 0]);
}
