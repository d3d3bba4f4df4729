//! Tokens that were rotated away stay as rows, ten for each live one, and no list reads past them.

use serde_json::json;

use crate::support::{Binary, TestDatabase, TokenRow, administrator, migrated};

const LIVE: u128 = 1_000;
const DELETED: u128 = 10 * LIVE;

/// Old tokens, which were deleted, and after them the live ones, a tenth of them disabled.
fn rotated() -> TestDatabase {
    let database = migrated();
    let rows: Vec<TokenRow> = (1..=DELETED + LIVE)
        .map(|number| {
            let row = TokenRow::new(number, format!("rotated {number:05}"));
            let n = i64::try_from(number).unwrap();
            TokenRow {
                created: row.created + n,
                last_used: row.created + n,
                expiry: row.expiry + n * 7_919 % 10_000,
                deleted: number <= DELETED,
                enabled: number % 10 != 0,
                labels: vec![("tenant", "acme")],
                ..row
            }
        })
        .collect();
    for rows in rows.chunks(1_000) {
        TokenRow::insert(rows, &database);
    }
    database
}

/// What a server reads that answers this once.
async fn read(database: &TestDatabase, admin: &str, query: &str) -> u64 {
    let meter = database.meter();
    // Not `serve`, of which another process may not know what it reads.
    let server = Binary::on(database, &["dev"]).serve();
    let answer = server.graphql(admin, query, json!({})).await;
    answer.data();
    tokio::task::block_in_place(|| meter(server))
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_read_past_no_deleted_token() {
    let database = rotated();
    let admin = administrator(&database, "administrator");
    let page = |list: &str, arguments: &str| {
        format!("{{ {list}({arguments}) {{ edges {{ cursor node {{ id name }} }} }} }}")
    };
    let start = read(&database, &admin, "{ __typename }").await;
    let read = async |query: &str| read(&database, &admin, query).await.saturating_sub(start);
    // No index serves it, so every row is looked at.
    let all = read(&page("users", "filter: { nameContains: \"nothing\" }")).await;
    assert!(all > 0);
    let mut pages = Vec::new();
    for end in ["first: 20", "last: 20"] {
        for field in ["CREATION_DATE", "NAME", "EXPIRY", "LAST_USED_DATE"] {
            let order = format!("{end}, orderBy: {{ field: {field}, direction: ASC }}");
            pages.push(page("apiTokens", &order));
        }
        pages.push(page("apiTokens", end));
        for filter in [
            "status: [ACTIVE]",
            "status: [DISABLED]",
            "createdByUserId: \"usr_0000000000000000000001\"",
            "labels: [{ key: \"tenant\", value: \"acme\" }]",
        ] {
            pages.push(page("apiTokens", &format!("{end}, filter: {{ {filter} }}")));
        }
        let expired = "filter: { status: [EXPIRED] }, orderBy: { field: EXPIRY, direction: ASC }";
        pages.push(page("apiTokens", &format!("{end}, {expired}")));
        pages.push(page("users", end));
        for filter in ["enabled: true", "enabled: false", "serviceAccount: false"] {
            pages.push(page("users", &format!("{end}, filter: {{ {filter} }}")));
        }
    }
    for page in pages {
        let cost = read(&page).await;
        assert!(cost * 5 < all, "{page} reads {cost}, all of them are {all}");
    }
}
