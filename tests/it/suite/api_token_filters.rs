//! The conditions of `ApiTokenFilter`, one by one: what each of them means at its edges.

use chrono::{DateTime, SecondsFormat, TimeDelta};
use serde_json::{Value, json};
use tokenwright::domain::clock::Clock;

use crate::support::{TestApp, TokenRow, Walk};

/// The names of the tokens that meet a filter, sorted.
async fn names(app: &TestApp, filter: Value) -> Vec<String> {
    let query = "query ($filter: ApiTokenFilter) { apiTokens(filter: $filter, first: 100,
        orderBy: { field: NAME, direction: ASC }) { totalCount nodes { name } } }";
    let answer = app.graphql(&app.admin, query, json!({ "filter": filter })).await;
    let page = &answer.data()["apiTokens"];
    let nodes = page["nodes"].as_array().unwrap();
    assert_eq!(page["totalCount"], nodes.len());
    nodes.iter().map(|node| node["name"].as_str().unwrap().to_owned()).collect()
}

fn text(micros: i64) -> String {
    let instant = DateTime::from_timestamp_micros(micros).unwrap();
    instant.to_rfc3339_opts(SecondsFormat::Micros, true)
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_searched_letter_by_letter() {
    let app = TestApp::start().await;
    let stored = [
        "50%",
        "500",
        "a_b",
        "aXb",
        "c\\d",
        "c/d",
        "Straße 7",
        "STRASSEN",
        "İzmir",
        "izmir",
        "ıs",
        "ＦＵＬＬ",
        "e\u{301}té",
        "O'Brien \"x\"",
        "ﬁne",
        "🦀 crab",
        "--",
        "tab  s",
    ];
    let rows: Vec<TokenRow> =
        stored.iter().enumerate().map(|(n, name)| TokenRow::new(n as u128 + 1, *name)).collect();
    TokenRow::insert(&rows, &app.database);
    for (part, expected) in [
        ("50%", &["50%"][..]),
        ("%", &["50%"]),
        ("0", &["50%", "500"]),
        ("_", &["a_b"]),
        ("A_B", &["a_b"]),
        ("\\", &["c\\d"]),
        ("\\d", &["c\\d"]),
        ("\\%", &[]),
        ("straSSe", &["Straße 7", "STRASSEN"]),
        ("ß", &["Straße 7", "STRASSEN"]),
        ("ẞe 7", &["Straße 7"]),
        // The dot above stays a character of its own, the dotless letter another one.
        ("i", &["administrator", "İzmir", "izmir", "O'Brien \"x\"", "ﬁne"]),
        ("İZ", &["İzmir"]),
        ("IZ", &["izmir"]),
        ("ı", &["ıs"]),
        ("full", &["ＦＵＬＬ"]),
        ("ÉTÉ", &["e\u{301}té"]),
        ("e\u{301}", &["e\u{301}té"]),
        ("'", &["O'Brien \"x\""]),
        ("\"X\"", &["O'Brien \"x\""]),
        ("FI", &["ﬁne"]),
        ("🦀", &["🦀 crab"]),
        ("' OR 1=1 --", &[]),
        ("--", &["--"]),
        ("b  s", &["tab  s"]),
        (" izmir\u{3000}", &["izmir"]),
        ("nothing has this", &[]),
    ] {
        let mut found = names(&app, json!({ "nameContains": part })).await;
        found.sort();
        let mut expected: Vec<&str> = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(found, expected, "{part}");
    }
    let longest = "é".repeat(200);
    assert_eq!(names(&app, json!({ "nameContains": longest })).await, [""; 0]);
    for any in ["", " ", "\u{3000}"] {
        assert_eq!(names(&app, json!({ "nameContains": any })).await.len(), stored.len() + 1);
    }
    assert_eq!(names(&app, json!({ "nameContains": null })).await.len(), stored.len() + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_is_what_the_token_shows() {
    let app = TestApp::start().await;
    let now = app.clock.now();
    app.clock.stop_at(now);
    let now = now.timestamp_micros();
    let row = |number, name: &str, expiry, enabled| TokenRow {
        expiry,
        enabled,
        ..TokenRow::new(number, name)
    };
    let rows = [
        row(1, "active", now + 1, true),
        row(2, "disabled", now + 1, false),
        row(3, "expired", now, true),
        row(4, "expired, disabled", now, false),
        TokenRow { deleted: true, ..row(5, "deleted", now + 1, true) },
    ];
    TokenRow::insert(&rows, &app.database);
    let every = ["ACTIVE", "DISABLED", "EXPIRED"];
    let query = "{ apiTokens { nodes { name status } } }";
    let shown = app.query(&app.admin, query).await.data()["apiTokens"]["nodes"].clone();
    for chosen in 0..8 {
        let chosen: Vec<&str> =
            (0..3).filter(|n| chosen & (1 << n) != 0).map(|n| every[n]).collect();
        let meets =
            |node: &&Value| chosen.is_empty() || chosen.contains(&node["status"].as_str().unwrap());
        let nodes = shown.as_array().unwrap().iter().filter(meets);
        let mut expected: Vec<&str> = nodes.map(|node| node["name"].as_str().unwrap()).collect();
        expected.sort_unstable();
        assert_eq!(names(&app, json!({ "status": chosen })).await, expected, "{chosen:?}");
        let twice = [&chosen[..], &chosen[..]].concat();
        assert_eq!(names(&app, json!({ "status": twice })).await, expected, "{chosen:?}");
    }
    assert_eq!(names(&app, json!({ "status": null })).await.len(), 5);
    app.clock.advance(TimeDelta::microseconds(1));
    app.clock.stop_at(DateTime::from_timestamp_micros(now + 1).unwrap());
    assert_eq!(names(&app, json!({ "status": ["ACTIVE"] })).await, ["administrator"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_have_every_one_of_the_permissions() {
    let app = TestApp::start().await;
    let row = |number, name: &str, permissions: &[&'static str]| TokenRow {
        permissions: permissions.to_vec(),
        ..TokenRow::new(number, name)
    };
    let (read, write, users) = ("api.api-tokens.read", "api.api-tokens.write", "api.users.read");
    let rows = [
        row(1, "reads", &[read]),
        row(2, "reads and writes", &[read, write]),
        row(3, "users", &[users]),
        row(4, "reads users", &[users, read]),
    ];
    TokenRow::insert(&rows, &app.database);
    let (reads, writes) = ("API_API_TOKENS_READ", "API_API_TOKENS_WRITE");
    for (wanted, expected) in [
        (&[][..], &["administrator", "reads", "reads and writes", "reads users", "users"][..]),
        (&[reads], &["administrator", "reads", "reads and writes", "reads users"]),
        (&[reads, writes], &["administrator", "reads and writes"]),
        (&[writes, reads, writes], &["administrator", "reads and writes"]),
        (&["API_USERS_READ", reads], &["administrator", "reads users"]),
        (&["API_USERS_READ", reads, writes], &["administrator"]),
    ] {
        assert_eq!(names(&app, json!({ "permissions": wanted })).await, expected, "{wanted:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_have_every_one_of_the_labels() {
    let app = TestApp::start().await;
    let row = |number, name: &str, labels: &[(&'static str, &'static str)]| TokenRow {
        labels: labels.to_vec(),
        ..TokenRow::new(number, name)
    };
    let rows = [
        row(1, "acme", &[("tenant", "acme")]),
        row(2, "acme test", &[("env", "test"), ("tenant", "acme")]),
        row(3, "upper", &[("tenant", "ACME")]),
        row(4, "acme 2", &[("tenant", "acme2"), ("x.tenant", "acme")]),
        row(5, "none", &[("tenant", "")]),
        row(6, "quoted", &[("note", "\",\"tenant\":\"acme\"")]),
        row(7, "wild", &[("note", "a\\%_é🦀")]),
        TokenRow { deleted: true, ..row(8, "deleted", &[("tenant", "acme")]) },
    ];
    TokenRow::insert(&rows, &app.database);
    let all = ["acme", "acme 2", "acme test", "administrator", "none", "quoted", "upper", "wild"];
    for (wanted, expected) in [
        (&[][..], &all[..]),
        (&[("tenant", "acme")], &["acme", "acme test"]),
        (&[("tenant", "acme"), ("env", "test")], &["acme test"]),
        (&[("env", "test"), ("tenant", "acme")], &["acme test"]),
        (&[("env", "test"), ("tenant", "ACME")], &[]),
        (&[("tenant", "ACME")], &["upper"]),
        (&[("tenant", "acme2")], &["acme 2"]),
        (&[("tenant", "acm")], &[]),
        (&[("x.tenant", "acme")], &["acme 2"]),
        (&[("tenant", "")], &["none"]),
        (&[("note", "\",\"tenant\":\"acme\"")], &["quoted"]),
        (&[("note", "a\\%_é🦀")], &["wild"]),
        (&[("note", "a%")], &[]),
        (&[("nothing", "acme")], &[]),
    ] {
        let labels: Vec<Value> =
            wanted.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
        let mut found = names(&app, json!({ "labels": labels })).await;
        found.sort();
        assert_eq!(found, expected, "{wanted:?}");
        // Along the creation dates as along the names.
        let walk = Walk::by(&app, "CREATION_DATE ASC").with(json!({ "labels": labels }));
        let page = walk.page(json!({ "first": 100 })).await;
        assert_eq!((page.ids.len(), page.total), (expected.len(), expected.len()), "{wanted:?}");
    }
}

/// So many tokens have a label that a list is read in its order, and not along the label.
#[tokio::test(flavor = "multi_thread")]
async fn a_label_of_very_many_tokens_filters_as_one_of_few() {
    const MANY: u128 = 5_200;
    let app = TestApp::start().await;
    let row = |number: u128| {
        let labels = match number % 1_000 {
            0 => vec![("env", "test"), ("tenant", "acme")],
            1 => vec![("env", "production")],
            _ => vec![("env", "test")],
        };
        let row = TokenRow::new(number, format!("token {number:04}"));
        let later = i64::try_from(number).unwrap();
        TokenRow {
            labels,
            created: row.created + later,
            expiry: row.expiry - later,
            last_used: row.created + later,
            ..row
        }
    };
    let rows: Vec<TokenRow> = (1..=MANY).map(row).collect();
    TokenRow::insert(&rows, &app.database);
    let label = |key: &str, value: &str| json!({ "key": key, "value": value });
    let ids = |key, value| -> Vec<String> {
        rows.iter().filter(|row| row.labels.contains(&(key, value))).map(TokenRow::id).collect()
    };
    let (test, acme) = (ids("env", "test"), ids("tenant", "acme"));
    assert!(test.len() > 5_000 && acme.len() == 5);
    for order in ["NAME ASC", "CREATION_DATE ASC", "EXPIRY DESC", "LAST_USED_DATE ASC"] {
        let common = json!({ "labels": [label("env", "test")] });
        let page = Walk::by(&app, order).with(common).page(json!({ "first": 100 })).await;
        assert_eq!((&page.ids[..], page.total), (&test[..100], test.len()), "{order}");
        let rest = json!({ "last": 3, "after": page.cursors[99] });
        let common = json!({ "labels": [label("env", "test")] });
        let page = Walk::by(&app, order).with(common).page(rest).await;
        assert_eq!(page.ids[..], test[test.len() - 3..], "{order}");
        for labels in [
            json!([label("env", "test"), label("tenant", "acme")]),
            json!([label("tenant", "acme"), label("env", "test")]),
        ] {
            let both = Walk::by(&app, order).with(json!({ "labels": labels }));
            let page = both.page(json!({ "first": 3 })).await;
            assert_eq!((&page.ids[..], page.total), (&acme[..3], 5), "{order}");
            let rest = both.page(json!({ "first": 3, "after": page.cursors[2] })).await;
            assert_eq!((&rest.ids[..], rest.has_next), (&acme[3..], false), "{order}");
        }
        let none = json!({ "labels": [label("env", "test"), label("env2", "test")] });
        assert_eq!(Walk::by(&app, order).with(none).page(json!({})).await.total, 0, "{order}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_found_by_their_user_and_by_who_made_them() {
    let app = TestApp::start().await;
    let by =
        |number, name: &str, created_by| TokenRow { created_by, ..TokenRow::new(number, name) };
    let rows = [by(1, "a", 1), by(2, "b", 1), by(3, "c", 2), by(4, "d", 4)];
    TokenRow::insert(&rows, &app.database);
    let user = |number| TokenRow::user_id_of(number);
    assert_eq!(names(&app, json!({ "userId": user(2) })).await, ["b"]);
    assert_eq!(names(&app, json!({ "userId": user(99) })).await, [""; 0]);
    assert_eq!(names(&app, json!({ "createdByUserId": user(1) })).await, ["a", "b"]);
    assert_eq!(names(&app, json!({ "createdByUserId": user(3) })).await, [""; 0]);
    let both = json!({ "userId": user(2), "createdByUserId": user(1) });
    assert_eq!(names(&app, both).await, ["b"]);
    let neither = json!({ "userId": user(2), "createdByUserId": user(2) });
    assert_eq!(names(&app, neither).await, [""; 0]);
    app.database.execute("UPDATE api_tokens SET deleted_date = creation_date WHERE name = 'b'");
    assert_eq!(names(&app, json!({ "userId": user(2) })).await, [""; 0]);
    assert_eq!(names(&app, json!({ "createdByUserId": user(1) })).await, ["a"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn windows_begin_with_their_first_instant_and_end_before_their_last() {
    let app = TestApp::start().await;
    let (year, day) = (31_536_000_000_000_i64, 86_400_000_000);
    let at = 100 * year;
    let row = |number: u128, expiry, last_used| TokenRow {
        expiry,
        last_used,
        ..TokenRow::new(number, format!("{number}"))
    };
    let rows =
        [row(1, at - 1, 0), row(2, at, day), row(3, at + 1, day + 1), row(4, at + 2, 40 * year)];
    TokenRow::insert(&rows, &app.database);
    let found = async |filter: Value| {
        let mut found = names(&app, filter).await;
        found.retain(|name| name != "administrator");
        found.concat()
    };
    let (at, day) = (text(at), text(day));
    assert_eq!(found(json!({ "expiresAfter": at })).await, "234");
    assert_eq!(found(json!({ "expiresBefore": at })).await, "1");
    assert_eq!(found(json!({ "expiresAfter": at, "expiresBefore": at })).await, "");
    let next = text(100 * year + 2);
    assert_eq!(found(json!({ "expiresAfter": at, "expiresBefore": next })).await, "23");
    assert_eq!(found(json!({ "notUsedSince": day })).await, "1");
    assert_eq!(found(json!({ "notUsedSince": text(86_400_000_001) })).await, "12");
    assert_eq!(found(json!({ "notUsedSince": at })).await, "1234");
    for early in ["1970-01-01T00:00:00Z", "1969-01-01T00:00:00Z", "0000-01-01T00:00:00Z"] {
        assert_eq!(found(json!({ "notUsedSince": early })).await, "1", "{early}: never used");
    }
    let zoned = "2069-12-07T02:00:00+02:00";
    assert_eq!(found(json!({ "expiresAfter": zoned })).await, "234");
    for far in ["0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z"] {
        assert_eq!(found(json!({ "expiresAfter": far, "expiresBefore": far })).await, "");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_faults_of_a_filter_are_told_with_their_fields() {
    let app = TestApp::start().await;
    let walk = Walk::over(&app, "apiTokens").with(json!({
        "nameContains": "ä".repeat(201), "userId": "tok_0000000000000000000001",
        "createdByUserId": "1", "expiresAfter": "tomorrow", "expiresBefore": "2030-02-30T00:00:00Z",
        "notUsedSince": "2030-01-01T00:00:00", "permissions": ["API_USERS_READ"],
        "labels": [{ "key": "A", "value": "\n" }, { "key": "a", "value": "" }],
    }));
    let answer = walk.ask(json!({ "first": 0 })).await;
    let mut errors = answer.errors();
    errors.sort();
    let expected = [
        "first page_size",
        "filter.nameContains name_too_long",
        "filter.labels label_key_syntax",
        "filter.labels label_value_control_character",
        "filter.userId id_syntax",
        "filter.createdByUserId id_syntax",
        "filter.expiresAfter date_syntax",
        "filter.expiresBefore date_syntax",
        "filter.notUsedSince date_syntax",
    ];
    let mut expected = expected.map(|fault| format!("BAD_USER_INPUT {fault}"));
    expected.sort();
    assert_eq!(errors, expected);
    assert_eq!(answer.json["data"], json!({ "apiTokens": null }));
    for part in ["a\u{0}b", "\n", "a\u{202e}b"] {
        let walk = Walk::over(&app, "apiTokens").with(json!({ "nameContains": part }));
        let expected = "BAD_USER_INPUT filter.nameContains name_control_character";
        assert_eq!(walk.ask(json!({})).await.errors(), [expected]);
    }
    for filter in [
        json!({ "status": ["GONE"] }),
        json!({ "permissions": ["NO_SUCH_PERMISSION"] }),
        json!({ "expiresAfter": 7 }),
        json!({ "unknown": true }),
    ] {
        let answer = Walk::over(&app, "apiTokens").with(filter.clone()).ask(json!({})).await;
        let errors = answer.errors();
        assert!(
            errors.len() == 1 && errors[0].starts_with("BAD_USER_INPUT"),
            "{filter} {errors:?}"
        );
        assert!(answer.json["data"].is_null() || answer.json["data"]["apiTokens"].is_null());
    }
}
