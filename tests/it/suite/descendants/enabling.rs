//! Who enables a disabled token again.

use serde_json::json;

use super::{MAKER, by, renewed, switch, update};
use crate::support::{Made, TestApp, TestDatabase, TokenRow, made, stored, works};

const REFUSED: [&str; 1] = ["FORBIDDEN enabled enabling_beyond_reach"];

/// A token with these permissions and no others.
async fn with(app: &TestApp, name: &str, permissions: &[&str]) -> Made {
    made(app, name, json!({ "permissions": permissions })).await
}

async fn refuses(app: &TestApp, token: &Made, id: &str) {
    let before = stored(app);
    assert_eq!(switch(app, &token.secret, id, true, false).await.errors(), REFUSED);
    assert_eq!(stored(app), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_descendant_of_a_disabled_token_does_not_enable_it() {
    let app = TestApp::start().await;
    let stolen = by(&app, &app.admin, "stolen").await;
    let child = by(&app, &stolen.secret, "child").await;
    let grandchild = by(&app, &child.secret, "grandchild").await;
    let renewal = renewed(&app, &app.admin, &stolen.id, "renewal").await;
    // Whoever disables it, reach alone would be enough for each of them.
    let peer = with(&app, "peer", &MAKER).await;
    for disabler in [&peer.secret, &child.secret, &renewal.secret] {
        switch(&app, disabler, &stolen.id, false, false).await.data();
        for token in [&child, &grandchild, &renewal] {
            refuses(&app, token, &stolen.id).await;
        }
        switch(&app, &app.admin, &stolen.id, true, false).await.data();
        assert!(works(&app, &stolen.secret).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_takes_the_reach_of_who_disabled_it() {
    let app = TestApp::start().await;
    let target = with(&app, "target", &["API_ORGANIZATIONS_READ"]).await;
    let [weak, strong] = [&MAKER[..2], &MAKER].map(|held| held.to_vec());
    let narrow = [&weak[..], &["API_ORGANIZATIONS_READ"]].concat();
    let strong = [&strong[..], &["API_USERS_READ"]].concat();
    let weak = with(&app, "weak", &narrow).await;
    let peer = with(&app, "peer", &narrow).await;
    let strong = with(&app, "strong", &strong).await;

    switch(&app, &strong.secret, &target.id, false, false).await.data();
    refuses(&app, &weak, &target.id).await;
    // To disable it again does not make the weaker one its disabler.
    let before = stored(&app);
    switch(&app, &weak.secret, &target.id, false, false).await.data();
    assert_eq!(stored(&app), before);
    refuses(&app, &weak, &target.id).await;
    // A disabler that was deleted, or narrowed its own reach elsewhere, is one still.
    let delete = format!(
        "mutation {{ deleteApiToken(input: {{ id: \"{}\" }}) {{ user {{ id }} }} }}",
        strong.id
    );
    app.query(&app.admin, &delete).await.data();
    refuses(&app, &weak, &target.id).await;
    switch(&app, &app.admin, &target.id, true, false).await.data();

    // One that reaches as far may, as may the disabler.
    switch(&app, &weak.secret, &target.id, false, false).await.data();
    switch(&app, &peer.secret, &target.id, true, false).await.data();
    switch(&app, &weak.secret, &target.id, false, false).await.data();
    switch(&app, &weak.secret, &target.id, true, false).await.data();
    assert!(works(&app, &target.secret).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reaches_further_takes_a_disabling_over() {
    let app = TestApp::start().await;
    let stolen = by(&app, &app.admin, "stolen").await;
    let child = by(&app, &stolen.secret, "child").await;
    let weak = with(&app, "weak", &MAKER).await;
    // A weaker token disabled the child, and could enable it again after the line was disabled.
    switch(&app, &weak.secret, &child.id, false, false).await.data();
    let answer = switch(&app, &app.admin, &stolen.id, false, true).await;
    assert_eq!(answer.data()["updateApiToken"]["descendantCount"], 1);
    refuses(&app, &weak, &child.id).await;
    refuses(&app, &weak, &stolen.id).await;
    // The same for a token alone.
    let other = with(&app, "other", &["API_ORGANIZATIONS_READ"]).await;
    switch(&app, &weak.secret, &other.id, false, false).await.data();
    let answer = switch(&app, &app.admin, &other.id, false, false).await;
    assert_eq!(answer.data()["updateApiToken"]["apiToken"]["version"], 3);
    refuses(&app, &weak, &other.id).await;
    switch(&app, &app.admin, &other.id, true, false).await.data();
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_are_part_of_the_reach() {
    let app = TestApp::start().await;
    let target = with(&app, "target", &["API_ORGANIZATIONS_READ"]).await;
    let narrow = json!({ "id": target.id, "version": 1, "allowedAddresses": ["127.0.0.1"] });
    update(&app, &app.admin, narrow).await.data();
    let local = json!({ "permissions": MAKER, "allowedAddresses": ["127.0.0.0/8"] });
    let local = made(&app, "local", local).await;
    let anywhere = with(&app, "anywhere", &MAKER).await;
    switch(&app, &anywhere.secret, &target.id, false, false).await.data();
    refuses(&app, &local, &target.id).await;
    switch(&app, &anywhere.secret, &target.id, true, false).await.data();
    switch(&app, &local.secret, &target.id, false, false).await.data();
    switch(&app, &anywhere.secret, &target.id, true, false).await.data();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_refusal_comes_with_all_other_faults() {
    let app = TestApp::start().await;
    let stolen = by(&app, &app.admin, "stolen").await;
    let child = by(&app, &stolen.secret, "child").await;
    switch(&app, &app.admin, &stolen.id, false, false).await.data();
    let input = json!({
        "id": stolen.id, "version": 2, "enabled": true, "permissions": [], "descendants": true,
    });
    let answer = update(&app, &child.secret, input).await;
    let expected = [
        "BAD_USER_INPUT permissions permissions_empty",
        "FORBIDDEN enabled enabling_beyond_reach",
        "BAD_USER_INPUT descendants descendants_not_disabled",
    ];
    let mut errors = answer.errors();
    errors.sort();
    let mut expected = expected.map(str::to_owned);
    expected.sort();
    assert_eq!(errors, expected);
}

/// Where it is not recorded who disabled a token, reach is what counts, and descendants are refused.
#[tokio::test(flavor = "multi_thread")]
async fn what_an_earlier_version_disabled_is_enabled_within_reach() {
    let app = TestApp::start().await;
    let stolen = by(&app, &app.admin, "stolen").await;
    let child = by(&app, &stolen.secret, "child").await;
    let peer = with(&app, "peer", &MAKER).await;
    let rows = TokenRow::numbered(&app.database, 1);
    app.database
        .execute("UPDATE api_tokens SET enabled = FALSE WHERE name IN ('stolen', 'token 001')");
    refuses(&app, &child, &stolen.id).await;
    switch(&app, &peer.secret, &stolen.id, true, false).await.data();
    switch(&app, &app.admin, &rows[0].id(), true, false).await.data();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_migration_finds_out_who_disabled_what() {
    let app = TestApp::start().await;
    let token = with(&app, "token", &["API_ORGANIZATIONS_READ"]).await;
    with(&app, "quiet", &["API_ORGANIZATIONS_READ"]).await;
    let first = with(&app, "first", &MAKER).await;
    let second = with(&app, "second", &MAKER).await;
    for (who, enabled) in [(&first, false), (&first, true), (&second, false)] {
        switch(&app, &who.secret, &token.id, enabled, false).await.data();
    }
    let renamed = json!({ "id": token.id, "version": 4, "name": "enabled" });
    update(&app, &app.admin, renamed).await.data();
    app.database.execute("UPDATE api_tokens SET enabled = FALSE WHERE name = 'quiet'");
    let recorded = "SELECT name || ' ' || coalesce(CAST(disabled_user_id AS TEXT), '-') || ' ' \
                    || coalesce(CAST(disabled_api_token_id AS TEXT), '-') AS text \
                    FROM api_tokens ORDER BY name";
    let before = app.database.texts(recorded);
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
    let tree = if TestDatabase::instant(0) == "0" { "sqlite" } else { "postgres" };
    let file = |name: &str| {
        let path = format!("{folder}/{tree}/20261127000005_descendants_disablers/{name}.sql");
        std::fs::read_to_string(path).unwrap()
    };
    app.database.execute(&file("down"));
    app.database.execute(&file("up"));
    assert_eq!(app.database.texts(recorded), before);
    assert!(before.iter().any(|row| row == "quiet - -"), "{before:?}");
}
