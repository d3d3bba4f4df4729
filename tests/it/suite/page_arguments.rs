//! `first`, `after`, `last` and `before`: what is refused, and that no cursor does harm.

use serde_json::{Value, json};

use crate::support::{Answer, EventRow, Random, TestApp, TokenRow, Walk};

const LISTS: [&str; 3] = ["apiTokens", "users", "auditEvents"];

/// An application with ten rows and more in each list.
async fn filled() -> TestApp {
    let app = TestApp::start().await;
    let rows = TokenRow::numbered(&app.database, 10);
    let event = |row: &TokenRow| EventRow {
        number: row.number,
        date: row.created,
        action: "api_token_created",
        actor: row.number,
        target: row.number,
    };
    EventRow::insert(&rows.iter().map(event).collect::<Vec<_>>(), &app.database);
    app
}

#[track_caller]
fn assert_refused(answer: &Answer, field: &str, expected: &[&str], context: &Value) {
    assert_eq!(answer.status, 200, "{context}");
    let expected: Vec<String> =
        expected.iter().map(|fault| format!("BAD_USER_INPUT {fault}")).collect();
    assert_eq!(answer.errors(), expected, "{field} {context}");
    assert_eq!(answer.json["data"], json!({ field: null }), "{context}");
    assert_eq!(answer.json["errors"][0]["path"], json!([field]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_has_one_to_a_hundred_rows_from_one_end() {
    let app = filled().await;
    for field in LISTS {
        let walk = Walk::over(&app, field);
        let cursor = walk.page(json!({ "first": 3 })).await.cursors[2].clone();
        for size in [0, -1, 101, i32::MIN, i32::MAX] {
            for part in ["first", "last"] {
                let paging = json!({ part: size });
                let answer = walk.ask(paging.clone()).await;
                assert_refused(&answer, field, &[&format!("{part} page_size")], &paging);
            }
        }
        for (paging, expected) in [
            (json!({ "first": 1, "last": 1 }), &["last first_and_last"][..]),
            (json!({ "first": 0, "last": 0 }), &["last first_and_last"]),
            (json!({ "before": cursor }), &["before last_missing"]),
            (json!({ "before": cursor, "first": null, "last": null }), &["before last_missing"]),
            (json!({ "after": "" }), &["after cursor_invalid"]),
            (json!({ "before": "x", "last": 1 }), &["before cursor_invalid"]),
            (
                json!({ "first": 0, "after": "x", "before": "y" }),
                &["first page_size", "after cursor_invalid", "before cursor_invalid"],
            ),
        ] {
            let answer = walk.ask(paging.clone()).await;
            let mut told = answer.errors();
            told.sort();
            let mut expected: Vec<String> =
                expected.iter().map(|fault| format!("BAD_USER_INPUT {fault}")).collect();
            expected.sort();
            assert_eq!(told, expected, "{field} {paging}");
            assert_eq!(answer.json["data"], json!({ field: null }), "{paging}");
        }
        for (paging, rows) in [
            (json!({}), 11 + usize::from(field == "users")),
            (json!({ "first": 1 }), 1),
            (json!({ "last": 1 }), 1),
            (json!({ "first": 2, "after": cursor }), 2),
            (json!({ "first": 5, "before": cursor }), 2),
            (json!({ "last": 5, "before": cursor }), 2),
            (json!({ "last": 2, "after": cursor }), 2),
            (json!({ "after": cursor, "before": cursor }), 0),
            (json!({ "first": 1, "last": null, "after": null, "before": null }), 1),
        ] {
            assert_eq!(walk.page(paging.clone()).await.ids.len(), rows, "{field} {paging}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_belongs_to_its_list_and_order() {
    let app = filled().await;
    let orders = ["NAME", "CREATION_DATE", "EXPIRY", "LAST_USED_DATE"];
    let mut walks = vec![Walk::over(&app, "users"), Walk::over(&app, "auditEvents")];
    for field in orders {
        for direction in ["ASC", "DESC"] {
            walks.push(Walk::by(&app, &format!("{field} {direction}")));
        }
    }
    let mut cursors = Vec::new();
    for walk in &walks {
        cursors.push(walk.page(json!({ "first": 1 })).await.cursors[0].clone());
    }
    for (n, walk) in walks.iter().enumerate() {
        for (m, cursor) in cursors.iter().enumerate() {
            for (part, place) in [("first", "after"), ("last", "before")] {
                let paging = json!({ part: 1, place: cursor });
                if n == m {
                    walk.page(paging).await;
                } else {
                    let answer = walk.ask(paging.clone()).await;
                    let fault = format!("{place} cursor_invalid");
                    assert_refused(&answer, walk.field, &[&fault], &paging);
                    assert!(!answer.text.contains(cursor.as_str()), "{}", answer.text);
                }
            }
        }
    }
    // The usual order is one of them, and a filter is no part of a cursor.
    let usual = Walk::over(&app, "apiTokens").with(json!({ "nameContains": "token" }));
    let newest = Walk::by(&app, "CREATION_DATE DESC").page(json!({ "first": 4 })).await;
    let page = usual.page(json!({ "first": 2, "after": newest.cursors[1] })).await;
    assert_eq!(page.ids, newest.ids[2..4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_cursor_is_refused_or_a_place_where_no_row_stands() {
    let app = filled().await;
    let mut random = Random::new(7);
    let mut refused = 0;
    for walk in [
        Walk::over(&app, "users"),
        Walk::over(&app, "auditEvents"),
        Walk::by(&app, "NAME ASC"),
        Walk::by(&app, "EXPIRY DESC"),
    ] {
        let genuine = walk.page(json!({ "first": 5 })).await.cursors[4].clone();
        let alphabet: Vec<char> = "ABCXYZabcxyz0189-_=+/ .é\u{0}".chars().collect();
        for round in 0..60 {
            let mut forged: Vec<char> = genuine.chars().collect();
            for _ in 0..=random.below(3) {
                let place = random.below(forged.len());
                match random.below(4) {
                    0 => forged.truncate(place + 1),
                    1 => forged.insert(place, *random.one_of(&alphabet)),
                    2 => drop(forged.remove(place)),
                    _ => forged[place] = *random.one_of(&alphabet),
                }
                if forged.is_empty() {
                    forged.push('A');
                }
            }
            let forged: String = forged.into_iter().collect();
            let (part, place) =
                if round % 2 == 0 { ("first", "after") } else { ("last", "before") };
            let answer = walk.ask(json!({ part: 3, place: forged })).await;
            assert_eq!(answer.status, 200);
            if answer.json["errors"].is_null() {
                assert!(answer.data()[walk.field]["nodes"].is_array());
            } else {
                refused += 1;
                let expected = format!("BAD_USER_INPUT {place} cursor_invalid");
                assert_eq!(answer.errors(), [expected], "{forged}");
            }
        }
    }
    assert!(refused > 60, "most of them are no cursors: {refused}");
    // Neither a secret nor a long text does harm, nor is it shown.
    for text in [app.admin.clone(), "A".repeat(20_000), "'; DROP TABLE users; --".to_owned()] {
        let answer = Walk::over(&app, "users").ask(json!({ "after": text })).await;
        assert_eq!(answer.errors(), ["BAD_USER_INPUT after cursor_invalid"]);
        assert!(!answer.text.contains(&text));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_keeps_its_place_when_its_row_is_gone() {
    let app = filled().await;
    for order in ["NAME ASC", "CREATION_DATE DESC", "EXPIRY ASC", "LAST_USED_DATE DESC"] {
        let walk = Walk::by(&app, order).with(json!({ "nameContains": "token" }));
        let page = walk.page(json!({ "first": 5 })).await;
        let (cursor, id) = (&page.cursors[2], &page.ids[2]);
        let delete =
            "mutation ($id: ID!) { deleteApiToken(input: { id: $id }) { deletedApiTokenId } }";
        app.graphql(&app.admin, delete, json!({ "id": id })).await.data();
        let next = walk.page(json!({ "first": 2, "after": cursor })).await;
        assert_eq!(next.ids, page.ids[3..5], "{order}");
        let previous = walk.page(json!({ "last": 2, "before": cursor })).await;
        assert_eq!(previous.ids, page.ids[..2], "{order}");
        assert_eq!((next.has_previous, previous.has_next), (true, true));
    }
}
