//! The pages that are read.

use tokenwright::domain::cursor::{Key, Position};
use tokenwright::domain::id::{ApiTokenId, UserId};
use tokenwright::domain::order::{ApiTokenOrder, ApiTokenOrderField, Direction, Sequence};

use super::operation::Operation;
use crate::support::document;
use crate::support::rows::{MAKERS, created, expiry, id, last_used, middle_name};

/// What a list page shows of each row.
const PAGE: &str = "edges { cursor node { id name expiry } } pageInfo { hasNextPage endCursor }";
const DEFAULT: ApiTokenOrder =
    ApiTokenOrder { field: ApiTokenOrderField::CreationDate, direction: Direction::Descending };

/// All of them.
pub fn all() -> Vec<Operation> {
    let mut all = in_each_order();
    all.extend(filtered());
    all.extend(other_lists());
    all.extend(without_an_index());
    all
}

/// The first and the last page, and a deep one either way.
fn in_each_order() -> Vec<Operation> {
    use ApiTokenOrderField::{CreationDate, Expiry, LastUsedDate, Name};
    use Direction::{Ascending, Descending};

    let pages = |field, direction| {
        let order = ApiTokenOrder { field, direction };
        let name = format!("{} {}", words(order).0, words(order).1);
        let base = format!("{name}: first page");
        let page = |what: &str, arguments: fn(&str) -> String| {
            Operation::new(format!("{name}: {what}"), move |_, size| {
                tokens(order, &arguments(&middle(order, size)), "")
            })
        };
        [
            page("first page", |_| "first: 50".to_owned()),
            page("last page", |_| "last: 50".to_owned()).like(&base),
            page("deep page", |cursor| format!("first: 50, after: \\\"{cursor}\\\"")).like(&base),
            page("deep page, backwards", |cursor| format!("last: 50, before: \\\"{cursor}\\\""))
                .like(&base),
        ]
    };
    [CreationDate, Name, Expiry, LastUsedDate]
        .into_iter()
        .flat_map(|field| [pages(field, Descending), pages(field, Ascending)])
        .flatten()
        .collect()
}

/// Filters that an index serves.
fn filtered() -> Vec<Operation> {
    let first = format!("{} {}: first page", words(DEFAULT).0, words(DEFAULT).1);
    let by = |field| ApiTokenOrder { field, direction: Direction::Ascending };
    let (expiry_order, use_order) =
        (by(ApiTokenOrderField::Expiry), by(ApiTokenOrderField::LastUsedDate));
    let deep = |order, size| format!("first: 50, after: \\\"{}\\\"", middle(order, size));
    let of = |name: &str, body: Box<dyn Fn(usize, usize) -> String>| {
        Operation::new(name, body).like(&first)
    };
    vec![
        of("status ACTIVE", Box::new(|_, _| tokens(DEFAULT, "first: 50", "status: [ACTIVE]"))),
        of(
            "status ACTIVE, deep",
            Box::new(move |_, size| tokens(DEFAULT, &deep(DEFAULT, size), "status: [ACTIVE]")),
        ),
        of(
            "status ACTIVE, by EXPIRY, deep",
            Box::new(move |_, size| {
                tokens(expiry_order, &deep(expiry_order, size), "status: [ACTIVE]")
            }),
        ),
        of(
            "status DISABLED, none",
            Box::new(|_, _| tokens(DEFAULT, "first: 50", "status: [DISABLED]")),
        ),
        of(
            "status EXPIRED, none, by EXPIRY",
            Box::new(move |_, _| tokens(expiry_order, "first: 50", "status: [EXPIRED]")),
        ),
        of(
            "userId",
            Box::new(|n, size| {
                let user = UserId::from_uuid(id(1 + n % size));
                tokens(DEFAULT, "first: 50", &format!("userId: \\\"{user}\\\""))
            }),
        ),
        of("createdByUserId", Box::new(|_, _| tokens(DEFAULT, "first: 50", &made_by_one()))),
        of(
            "createdByUserId, deep",
            Box::new(move |_, size| tokens(DEFAULT, &deep(DEFAULT, size), &made_by_one())),
        ),
        of(
            "expiresAfter and expiresBefore, by EXPIRY",
            Box::new(move |_, _| {
                let window = format!(
                    "expiresAfter: \\\"{}\\\", expiresBefore: \\\"{}\\\"",
                    expiry(250_000).to_rfc3339(),
                    expiry(750_000).to_rfc3339()
                );
                tokens(expiry_order, "first: 50", &window)
            }),
        ),
        of(
            "notUsedSince, by LAST_USED_DATE, deep",
            Box::new(move |_, size| {
                let since = format!("notUsedSince: \\\"{}\\\"", last_used(999_999).to_rfc3339());
                tokens(use_order, &deep(use_order, size), &since)
            }),
        ),
        of(
            "nameContains, found in many",
            Box::new(|_, _| tokens(DEFAULT, "first: 50", "nameContains: \\\"EN\\\"")),
        ),
        of(
            "permissions, held by all",
            Box::new(|_, _| tokens(DEFAULT, "first: 50", "permissions: [API_USERS_READ]")),
        ),
        of("labels, of ten", Box::new(|_, _| tokens(DEFAULT, "first: 50", &labels(&[TEN])))),
        of(
            "labels, of nine in ten, deep",
            Box::new(move |_, size| tokens(DEFAULT, &deep(DEFAULT, size), &labels(&[MOST]))),
        ),
        of(
            "labels, of nine in ten and of ten",
            Box::new(|_, _| tokens(DEFAULT, "first: 50", &labels(&[MOST, TEN]))),
        ),
        of(
            "labels, of ten, by EXPIRY",
            Box::new(move |_, _| tokens(expiry_order, "first: 50", &labels(&[TEN]))),
        ),
        of(
            "labels, of nine in ten, by EXPIRY, deep",
            Box::new(move |_, size| {
                tokens(expiry_order, &deep(expiry_order, size), &labels(&[MOST]))
            }),
        ),
    ]
}

/// A label that ten tokens have, and one that nine in ten have.
const TEN: (&str, &str) = ("tenant", "t7");
const MOST: (&str, &str) = ("env", "production");

/// The condition on labels.
fn labels(pairs: &[(&str, &str)]) -> String {
    let label =
        |(key, value): &(&str, &str)| format!("{{ key: \\\"{key}\\\", value: \\\"{value}\\\" }}");
    let labels: Vec<String> = pairs.iter().map(label).collect();
    format!("labels: [{}]", labels.join(", "))
}

fn other_lists() -> Vec<Operation> {
    const USERS: &str = "edges { cursor node { id name } } pageInfo { hasNextPage endCursor }";
    const EVENTS: &str = "edges { cursor node { id action } } pageInfo { hasNextPage endCursor }";

    let users = |arguments: &str| list("users", arguments, USERS);
    let events = |arguments: &str| list("auditEvents", arguments, EVENTS);
    let after_event = |size: usize| {
        let position = Position { key: Key::Instant(created(size / 2)), id: id(size / 2) };
        format!("first: 50, after: \\\"{}\\\"", position.to_cursor(Sequence::AuditEvents))
    };
    vec![
        Operation::new("users: first page", move |_, _| users("first: 50")),
        Operation::new("users: deep page", move |_, size| {
            let position = Position { key: Key::Nothing, id: id(size / 2) };
            let cursor = position.to_cursor(Sequence::Users);
            users(&format!("first: 50, after: \\\"{cursor}\\\""))
        })
        .like("users: first page"),
        Operation::new("users: no service accounts, none", move |_, _| {
            users("first: 50, filter: { serviceAccount: false }")
        }),
        Operation::new("users: disabled, none but the deleted ones'", move |_, _| {
            users("first: 1, filter: { enabled: false }")
        }),
        Operation::new("users: enabled, first page", move |_, _| {
            users("first: 50, filter: { enabled: true }")
        }),
        Operation::new("users: enabled, last page", move |_, _| {
            users("last: 50, filter: { enabled: true }")
        }),
        Operation::new("auditEvents: first page", move |_, _| events("first: 50")),
        Operation::new("auditEvents: deep page", move |_, size| events(&after_event(size)))
            .like("auditEvents: first page"),
        Operation::new("auditEvents: of one token", move |n, size| {
            let token = ApiTokenId::from_uuid(id(n % size + 1));
            events(&format!("first: 50, filter: {{ targetId: \\\"{token}\\\" }}"))
        }),
        Operation::new("auditEvents: of one actor, deep", move |_, size| {
            let actor = UserId::from_uuid(id(MAKERS / 2));
            let filter = format!("filter: {{ actorUserId: \\\"{actor}\\\" }}");
            events(&format!("{}, {filter}", after_event(size)))
        })
        .like("auditEvents: first page"),
        Operation::new("auditEvents: of one action, none", move |_, _| {
            events(
                "first: 50, filter: { action: [API_TOKEN_DELETED], \
                 before: \\\"2015-01-01T00:00:00Z\\\" }",
            )
        }),
        Operation::new("auditEvents: of one action, few", move |_, _| {
            events("first: 1, filter: { action: [API_TOKEN_DELETED] }")
        }),
    ]
}

/// Queries that read past every row that they do not find, or that count: no index covers parts of
/// names or sets of permissions, and an index sorted by one column does not find a window of
/// another. If many rows meet such a filter, the page is still full soon. A window of the sorted
/// column uses the index.
fn without_an_index() -> Vec<Operation> {
    let page = |name: &str, filter: &'static str| {
        Operation::new(name, move |_, _| tokens(DEFAULT, "first: 50", filter)).slow()
    };
    vec![
        page("nameContains, found in none", "nameContains: \\\"nothing\\\""),
        page("permissions, held by none", "permissions: [API_TASKS_READ]"),
        page("status EXPIRED, none, by CREATION_DATE", "status: [EXPIRED]"),
        page(
            "expiresBefore, none, by CREATION_DATE",
            "expiresBefore: \\\"2015-01-01T00:00:00Z\\\"",
        ),
        page("notUsedSince, none, by CREATION_DATE", "notUsedSince: \\\"2015-01-01T00:00:00Z\\\""),
        Operation::new("createdByUserId, a tenth of all, by NAME", |_, _| {
            let order =
                ApiTokenOrder { field: ApiTokenOrderField::Name, direction: Direction::Ascending };
            tokens(order, "first: 50", &made_by_one())
        })
        .slow(),
        Operation::new("users: nameContains, found in none", |_, _| {
            list("users", "first: 50, filter: { nameContains: \\\"nothing\\\" }", "nodes { id }")
        })
        .slow(),
        Operation::new("totalCount", |_, _| list("apiTokens", "first: 1", "totalCount")).slow(),
        Operation::new("totalCount, labels, of nine in ten", |_, _| {
            let filter = format!("first: 1, filter: {{ {} }}", labels(&[MOST]));
            list("apiTokens", &filter, "totalCount")
        })
        .slow(),
    ]
}

fn made_by_one() -> String {
    format!("createdByUserId: \\\"{}\\\"", UserId::from_uuid(id(MAKERS / 2)))
}

/// A place in the middle of all tokens.
fn middle(order: ApiTokenOrder, size: usize) -> String {
    let key = match order.field {
        ApiTokenOrderField::Name => Key::Text(middle_name()),
        ApiTokenOrderField::CreationDate => Key::Instant(created(size / 2)),
        ApiTokenOrderField::Expiry => Key::Instant(expiry(500_000)),
        ApiTokenOrderField::LastUsedDate => Key::Instant(last_used(500_000)),
    };
    Position { key, id: id(size / 2) }.to_cursor(Sequence::ApiTokens(order))
}

/// What clients call an order.
fn words(order: ApiTokenOrder) -> (&'static str, &'static str) {
    let field = match order.field {
        ApiTokenOrderField::Name => "NAME",
        ApiTokenOrderField::CreationDate => "CREATION_DATE",
        ApiTokenOrderField::Expiry => "EXPIRY",
        ApiTokenOrderField::LastUsedDate => "LAST_USED_DATE",
    };
    let direction = match order.direction {
        Direction::Ascending => "ASC",
        Direction::Descending => "DESC",
    };
    (field, direction)
}

fn tokens(order: ApiTokenOrder, part: &str, filter: &str) -> String {
    let (field, direction) = words(order);
    let order = format!("orderBy: {{ field: {field}, direction: {direction} }}");
    list("apiTokens", &format!("{part}, {order}, filter: {{ {filter} }}"), PAGE)
}

fn list(field: &str, arguments: &str, selected: &str) -> String {
    document(&format!("{{ {field}({arguments}) {{ {selected} }} }}"))
}
