//! Walks over random tokens with random filters, orders and sizes of pages, against a model.

use chrono::DateTime;
use serde_json::{Value, json};
use tokenwright::domain::clock::Clock;

use crate::support::{Page, Random, TestApp, TestDatabase, TokenRow, Walk};

/// What a filter and an order mean.
struct Model {
    rows: Vec<TokenRow>,
    now: i64,
}

const CODES: [(&str, &str); 3] = [
    ("api.organizations.read", "API_ORGANIZATIONS_READ"),
    ("api.users.read", "API_USERS_READ"),
    ("api.api-tokens.read", "API_API_TOKENS_READ"),
];
const LABELS: [(&str, &str); 4] =
    [("env", "test"), ("env", "Test"), ("tenant", "acme"), ("x.tenant", "a\"c%me")];
const PARTS: [&str; 5] = ["a", "A%", "_b", "\\", "Straße"];
const ORDERS: [&str; 8] = [
    "NAME ASC",
    "NAME DESC",
    "CREATION_DATE ASC",
    "CREATION_DATE DESC",
    "EXPIRY ASC",
    "EXPIRY DESC",
    "LAST_USED_DATE ASC",
    "LAST_USED_DATE DESC",
];

/// Few different values, so that many are equal.
fn rows(random: &mut Random, now: i64) -> Vec<TokenRow> {
    let row = |n: usize| {
        let number = (random.below(4) as u128) << 100 | n as u128;
        let name: String = (0..3).map(|_| *random.one_of(&PARTS)).collect();
        TokenRow {
            created: now - 5 + random.below(5) as i64,
            expiry: now - 3 + random.below(7) as i64,
            last_used: *random.one_of(&[0, 0, now - 2, now - 1, now]),
            enabled: !random.once_in(3),
            deleted: random.once_in(6),
            permissions: random.some_of(&CODES.map(|(code, _)| code)),
            labels: labels(random),
            ..TokenRow::new(number, format!("{name} {n}"))
        }
    };
    let mut rows: Vec<TokenRow> = (0..60).map(row).collect();
    let makers = [rows[0].number, rows[1].number, rows[2].number];
    for row in &mut rows {
        row.created_by = *random.one_of(&makers);
    }
    rows
}

/// Some labels, no key twice.
fn labels(random: &mut Random) -> Vec<(&'static str, &'static str)> {
    let mut labels = random.some_of(&LABELS);
    labels.sort_unstable();
    labels.dedup_by_key(|(key, _)| *key);
    labels
}

impl Model {
    fn status(&self, row: &TokenRow) -> &'static str {
        match (self.now >= row.expiry, row.enabled) {
            (true, _) => "EXPIRED",
            (false, true) => "ACTIVE",
            (false, false) => "DISABLED",
        }
    }

    fn meets(&self, row: &TokenRow, filter: &Value) -> bool {
        let text = |name: &str| filter[name].as_str();
        let instant = |name: &str| {
            text(name).map(|date| DateTime::parse_from_rfc3339(date).unwrap().timestamp_micros())
        };
        let list = |name: &str| filter[name].as_array().cloned().unwrap_or_default();
        let held = |wanted: &Value| {
            CODES.iter().any(|(code, name)| name == wanted && row.permissions.contains(code))
        };
        let status = list("status");
        !row.deleted
            && text("nameContains").is_none_or(|part| {
                row.name
                    .to_lowercase()
                    .replace('ß', "ss")
                    .contains(&part.to_lowercase().replace('ß', "ss"))
            })
            && (status.is_empty() || status.contains(&json!(self.status(row))))
            && list("permissions").iter().all(held)
            && list("labels").iter().all(|label| {
                row.labels
                    .iter()
                    .any(|(key, value)| label["key"] == *key && label["value"] == *value)
            })
            && text("userId").is_none_or(|id| row.user_id() == id)
            && text("createdByUserId").is_none_or(|id| TokenRow::user_id_of(row.created_by) == id)
            && instant("expiresAfter").is_none_or(|at| row.expiry >= at)
            && instant("expiresBefore").is_none_or(|at| row.expiry < at)
            && instant("notUsedSince").is_none_or(|at| row.last_used < at || row.last_used == 0)
    }

    fn ids(&self, filter: &Value, order: &str) -> Vec<String> {
        let (field, direction) = order.split_once(' ').unwrap();
        let mut met: Vec<&TokenRow> =
            self.rows.iter().filter(|row| self.meets(row, filter)).collect();
        met.sort_by_key(|row| {
            let (name, instant) = match field {
                "NAME" => (row.name_key(), 0),
                "CREATION_DATE" => (String::new(), row.created),
                "EXPIRY" => (String::new(), row.expiry),
                _ => (String::new(), row.last_used),
            };
            (name, instant, row.number)
        });
        if direction == "DESC" {
            met.reverse();
        }
        met.into_iter().map(TokenRow::id).collect()
    }

    /// Each condition at random.
    fn filter(&self, random: &mut Random) -> Value {
        let row = random.one_of(&self.rows).clone();
        let at = |micros: i64| DateTime::from_timestamp_micros(micros).unwrap().to_rfc3339();
        let label = |(key, value): &(&str, &str)| json!({ "key": key, "value": value });
        let conditions = [
            ("nameContains", json!(random.one_of(&PARTS))),
            ("status", json!(random.some_of(&["ACTIVE", "DISABLED", "EXPIRED"]))),
            ("permissions", json!(random.some_of(&CODES.map(|(_, name)| name)))),
            ("labels", json!(labels(random).iter().map(label).collect::<Vec<_>>())),
            ("createdByUserId", json!(TokenRow::user_id_of(row.created_by))),
            ("expiresAfter", json!(at(self.now - 2 + random.below(4) as i64))),
            ("expiresBefore", json!(at(self.now + random.below(5) as i64))),
            ("notUsedSince", json!(at(*random.one_of(&[0, self.now - 1, self.now])))),
        ];
        let mut filter = json!({});
        for (name, value) in conditions {
            if random.once_in(3) {
                filter[name] = value;
            }
        }
        if random.once_in(20) {
            filter["userId"] = json!(row.user_id());
        }
        filter
    }
}

/// An application whose tokens are those of the model, its caller's among them.
async fn start(seed: u64) -> (TestApp, Model, Random) {
    let app = TestApp::start().await;
    let now = app.clock.now();
    app.clock.stop_at(now);
    let (mut random, now) = (Random::new(seed), now.timestamp_micros());
    let mut rows = rows(&mut random, now);
    TokenRow::insert(&rows, &app.database);
    // The caller's use is noted by the application, and only a later one replaces it.
    let caller = TokenRow {
        created: now,
        expiry: now + 100_000_000,
        last_used: now + 100_000_000,
        created_by: rows[0].number,
        permissions: CODES.map(|(code, _)| code).to_vec(),
        ..TokenRow::new(0, "administrator")
    };
    let maker = uuid::Uuid::from_u128(caller.created_by);
    let [created, later] = [caller.created, caller.expiry].map(TestDatabase::instant);
    app.database.execute(&format!(
        "UPDATE api_tokens SET creation_date = {created}, expiry = {later}, \
         last_used_date = {later}, created_user_id = '{maker}' WHERE name = 'administrator'"
    ));
    let id = app
        .database
        .texts("SELECT CAST(id AS TEXT) AS text FROM api_tokens WHERE name = 'administrator'");
    let number = uuid::Uuid::parse_str(&id[0]).unwrap().as_u128();
    rows.push(TokenRow { number, ..caller });
    (app, Model { rows, now }, random)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_walk_shows_what_it_should_in_its_order() {
    for seed in [1, 2] {
        let (app, model, mut random) = start(seed).await;
        for round in 0..40 {
            let order = ORDERS[round % ORDERS.len()];
            let filter = if round < 8 { json!({}) } else { model.filter(&mut random) };
            let expected = model.ids(&filter, order);
            let walk = Walk::by(&app, order).with(filter.clone());
            let context = format!("seed {seed} round {round} {order} {filter}");
            assert_eq!(walk.forward(&mut random).await, expected, "{context}");
            assert_eq!(walk.backward(&mut random).await, expected, "{context}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_cursors_bound_a_range() {
    let (app, model, mut random) = start(3).await;
    for round in 0..40 {
        let order = ORDERS[round % ORDERS.len()];
        let filter = model.filter(&mut random);
        let walk = Walk::by(&app, order).with(filter.clone());
        let everything = Walk::by(&app, order).page(json!({ "first": 100 })).await;
        let all = model.ids(&json!({}), order);
        assert_eq!(everything.ids, all);
        // Cursors keep their place whatever the filter is.
        let (start, end) = (random.below(all.len()), random.below(all.len()));
        let place = |id: &String| all.iter().position(|other| other == id).unwrap();
        let met = model.ids(&filter, order);
        let between: Vec<String> =
            met.iter().filter(|id| place(id) > start && place(id) < end).cloned().collect();
        let size = 1 + random.below(20);
        let cursor = |at: usize| json!(everything.cursors[at]);
        let bounds =
            |part: &str| json!({ part: size, "after": cursor(start), "before": cursor(end) });
        let check = |page: Page, expected: &[String], cut_before: bool, cut_after: bool| {
            let context = format!("round {round} {order} {filter} {start} {end} {size}");
            assert_eq!(page.ids, expected, "{context}");
            let before = cut_before || met.iter().any(|id| place(id) <= start);
            let after = cut_after || met.iter().any(|id| place(id) >= end);
            assert_eq!((page.has_previous, page.has_next), (before, after), "{context}");
            assert_eq!(page.total, met.len(), "{context}");
        };
        let cut = between.len().saturating_sub(size);
        let first = &between[..between.len() - cut];
        check(walk.page(bounds("first")).await, first, false, cut > 0);
        check(walk.page(bounds("last")).await, &between[cut..], cut > 0, false);
    }
}
