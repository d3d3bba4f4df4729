//! Walks while others make and delete tokens: what is there all along is met exactly once.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::join3;
use serde_json::{Value, json};

use crate::support::{Random, TestApp, TokenRow, Walk};

const DELETE: &str =
    "mutation ($id: ID!) { deleteApiToken(input: { id: $id }) { deletedApiTokenId } }";

/// Ids page by page, until there is no further page; it may still grow where it ends.
async fn met(walk: &Walk<'_>, part: &str, random: &mut Random) -> Vec<String> {
    let (place, end) = if part == "first" { ("after", "last") } else { ("before", "first") };
    let mut met: Vec<String> = Vec::new();
    let mut cursor = Value::Null;
    for _ in 0..200 {
        let page = walk.page(json!({ part: 1 + random.below(7), place: cursor })).await;
        let next = if end == "last" { page.cursors.last() } else { page.cursors.first() };
        met.extend(page.ids.iter().cloned());
        if !(if part == "first" { page.has_next } else { page.has_previous }) {
            return met;
        }
        cursor = json!(next);
        tokio::task::yield_now().await;
    }
    panic!("the walk does not end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_walk_meets_what_stays_once_whatever_comes_and_goes() {
    let app = TestApp::start().await;
    let mut random = Random::new(17);
    // Every third one stays, and many are equal in what they are sorted by.
    let rows: Vec<TokenRow> = (1..=90)
        .map(|n: u128| TokenRow {
            created: 1_600_000_000_000_000 + random.below(6) as i64,
            expiry: 4_000_000_000_000_000 + random.below(6) as i64,
            ..TokenRow::new(((random.below(1000) as u128) << 100) | n, format!("row {n}"))
        })
        .collect();
    TokenRow::insert(&rows, &app.database);
    let stay: BTreeSet<String> = rows.iter().skip(2).step_by(3).map(TokenRow::id).collect();
    let go: Vec<String> = rows.iter().map(TokenRow::id).filter(|id| !stay.contains(id)).collect();
    let walked = AtomicBool::new(false);
    let is_over = || walked.load(Ordering::SeqCst);

    let deletions = async {
        for id in &go {
            app.graphql(&app.admin, DELETE, json!({ "id": id })).await.data();
            if is_over() {
                return;
            }
        }
    };
    // New tokens with the same values, so that they come between the others.
    let insertions = async {
        for n in 0..60_u128 {
            let of = &rows[(n as usize * 7) % rows.len()];
            let new = TokenRow {
                number: of.number ^ (1 << 90) ^ (n << 60),
                name: format!("row {n} too"),
                created_by: of.number,
                ..of.clone()
            };
            tokio::task::block_in_place(|| TokenRow::insert(&[new], &app.database));
            if is_over() {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    let walks = async {
        for order in
            ["NAME ASC", "CREATION_DATE DESC", "EXPIRY ASC", "EXPIRY DESC", "CREATION_DATE ASC"]
        {
            let walk = Walk::by(&app, order).with(json!({ "nameContains": "row" }));
            for part in ["first", "last"] {
                let met = met(&walk, part, &mut random).await;
                let once: BTreeSet<String> = met.iter().cloned().collect();
                assert_eq!(once.len(), met.len(), "{order} {part}: nothing is met twice");
                assert!(once.is_superset(&stay), "{order} {part}: nothing is left out");
            }
        }
        let users = Walk::over(&app, "users");
        let all: BTreeSet<String> = rows.iter().map(TokenRow::user_id).collect();
        for part in ["first", "last"] {
            let met = met(&users, part, &mut random).await;
            let once: BTreeSet<String> = met.iter().cloned().collect();
            assert_eq!(once.len(), met.len());
            assert!(once.is_superset(&all), "users stay when their tokens go");
        }
        walked.store(true, Ordering::SeqCst);
    };
    join3(deletions, insertions, walks).await;
    let gone =
        app.database.texts("SELECT name AS text FROM api_tokens WHERE deleted_date IS NOT NULL");
    let came = app.database.texts("SELECT name AS text FROM api_tokens WHERE name LIKE '% too'");
    assert!(!gone.is_empty() && !came.is_empty(), "there were changes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_event_comes_before_a_walk_that_has_begun() {
    let app = TestApp::start().await;
    for n in 0..5 {
        app.create(&app.admin, app.input(&format!("token {n}"), json!({}))).await.data();
    }
    let walk = Walk::over(&app, "auditEvents");
    let first = walk.page(json!({ "first": 2 })).await;
    assert!(!first.has_previous);
    app.create(&app.admin, app.input("newer", json!({}))).await.data();
    let rest = walk.page(json!({ "first": 100, "after": first.cursors[1] })).await;
    assert_eq!((rest.ids.len(), rest.has_previous, rest.total), (4, true, 7));
    let newer = walk.page(json!({ "last": 5, "before": first.cursors[0] })).await;
    assert_eq!((newer.ids.len(), newer.has_next, newer.has_previous), (1, true, false));
    assert!(![&first.ids[..], &rest.ids].concat().contains(&newer.ids[0]));
}
