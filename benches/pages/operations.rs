//! What is measured.

use tokenwright::domain::cursor::{Key, Position};
use tokenwright::domain::id::{ApiTokenId, UserId};
use tokenwright::domain::order::{ApiTokenOrder, ApiTokenOrderField, Direction, Sequence};

use super::rows::{MAKERS, created, expiry, id};
use crate::support::document;

/// A kind of request.
pub struct Operation {
    pub name: &'static str,
    /// The operation that this one should cost no more than.
    pub compared_with: Option<&'static str>,
    /// On each connection.
    pub requests: usize,
    /// The body of the n-th request, where there are so many tokens.
    pub body: fn(usize, usize) -> String,
}

/// What a list page shows of each row.
const PAGE: &str = "edges { cursor node { id name expiry } } pageInfo { hasNextPage endCursor }";
const FIRST: &str = "first page";

pub const OPERATIONS: &[Operation] = &[
    of(FIRST, None, 200, |_, _| tokens("")),
    of("deep page", Some(FIRST), 200, |_, size| {
        let order = ApiTokenOrder::default();
        tokens(&after(order, Key::Instant(created(size / 2)), size / 2))
    }),
    of("last page, backwards", Some(FIRST), 200, |_, _| list("apiTokens", "last: 50", PAGE)),
    of("deep page by name", Some(FIRST), 200, |_, size| {
        let order = by(ApiTokenOrderField::Name);
        tokens(&after(order, Key::Text(format!("token {}", size / 2)), size / 2))
    }),
    of("deep page by expiry, the active ones", Some(FIRST), 200, |_, size| {
        let order = by(ApiTokenOrderField::Expiry);
        let after = after(order, Key::Instant(expiry(size / 2)), size / 2);
        tokens(&format!("{after}, filter: {{ status: [ACTIVE] }}"))
    }),
    of("deep page of one maker's", Some(FIRST), 200, |_, size| {
        let after = after(ApiTokenOrder::default(), Key::Instant(created(size / 2)), size / 2);
        let maker = UserId::from_uuid(id(MAKERS as usize / 2));
        tokens(&format!("{after}, filter: {{ createdByUserId: \\\"{maker}\\\" }}"))
    }),
    of("page of the disabled ones, none", Some(FIRST), 200, |_, _| {
        tokens(", filter: { status: [DISABLED] }")
    }),
    of("page by a part of the name, many", Some(FIRST), 200, |_, _| {
        tokens(", filter: { nameContains: \\\"EN 7\\\" }")
    }),
    of("page by a part of the name, none", None, 1, |_, _| {
        tokens(", filter: { nameContains: \\\"nothing\\\" }")
    }),
    of("totalCount", None, 2, |_, _| list("apiTokens", "first: 1", "totalCount")),
    of("deep page of users", Some(FIRST), 200, |_, size| {
        let position = Position { key: Key::Nothing, id: id(size / 2) };
        let cursor = position.to_cursor(Sequence::Users);
        list(
            "users",
            &format!("first: 50, after: \\\"{cursor}\\\""),
            "edges { cursor node { id name } }",
        )
    }),
    of("deep page of audit events", Some(FIRST), 200, |_, size| {
        let position = Position { key: Key::Instant(created(size / 2)), id: id(size / 2) };
        let cursor = position.to_cursor(Sequence::AuditEvents);
        let arguments = format!("first: 50, after: \\\"{cursor}\\\"");
        list("auditEvents", &arguments, "edges { cursor node { id action } }")
    }),
    of("audit events of one token", Some(FIRST), 200, |n, size| {
        let token = ApiTokenId::from_uuid(id(n % size + 1));
        let arguments = format!("first: 50, filter: {{ targetId: \\\"{token}\\\" }}");
        list("auditEvents", &arguments, "edges { cursor node { id action } }")
    }),
    // Last, as it leaves fewer. From the oldest on, and the makers of tokens stay.
    of("deleteApiToken", None, 50, |n, _| {
        let token = ApiTokenId::from_uuid(id(MAKERS as usize + 1 + n));
        let input = format!("{{ id: \\\"{token}\\\" }}");
        document(&format!("mutation {{ deleteApiToken(input: {input}) {{ deletedApiTokenId }} }}"))
    }),
];

const fn of(
    name: &'static str,
    compared_with: Option<&'static str>,
    requests: usize,
    body: fn(usize, usize) -> String,
) -> Operation {
    Operation { name, compared_with, requests, body }
}

fn by(field: ApiTokenOrderField) -> ApiTokenOrder {
    ApiTokenOrder { field, direction: Direction::Ascending }
}

/// Arguments for the page after a row.
fn after(order: ApiTokenOrder, key: Key, number: usize) -> String {
    let cursor = Position { key, id: id(number) }.to_cursor(Sequence::ApiTokens(order));
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
    format!(", after: \\\"{cursor}\\\", orderBy: {{ field: {field}, direction: {direction} }}")
}

fn tokens(more: &str) -> String {
    list("apiTokens", &format!("first: 50{more}"), PAGE)
}

fn list(field: &str, arguments: &str, selected: &str) -> String {
    document(&format!("{{ {field}({arguments}) {{ {selected} }} }}"))
}
