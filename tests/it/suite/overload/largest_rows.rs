//! Answers over rows that are as large as any may be.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::TcpStream;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{MAX_MIB, Target};
use crate::TestDatabase;
use crate::support::{Answer, EventRow, TokenRow, eventually, peak_mib};

/// Tokens, and events about them: a page of each.
const ROWS: u128 = 100;
/// The time that a busy machine needs for the largest answers.
const PATIENT: &[&str] = &["--request-timeout", "50s"];
/// Connections that ask and do not read.
const SILENT: usize = 40;

/// Stores tokens with as many addresses, permissions and labels as they may have, and events of
/// changes of all of them.
pub fn store(database: &TestDatabase) {
    let rows = TokenRow::numbered(database, ROWS);
    let events: Vec<EventRow> = rows
        .iter()
        .map(|row| EventRow {
            number: row.number,
            date: row.created,
            action: "api_token_updated",
            actor: row.number,
            target: row.number,
        })
        .collect();
    EventRow::insert(&events, database);
    let addresses: Vec<String> =
        (0..1000).map(|n| format!("2001:db8:aaaa:bbbb:cccc:dddd:{n:x}:ffff/128")).collect();
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    let text = addresses.join(" ");
    let changes = json!([{ "field": "allowedAddresses", "before": text, "after": text }]);
    let label = |n: u32| (format!("{n:02}{}", "k".repeat(61)), "🦀".repeat(200));
    let labels: BTreeMap<String, String> = (0..20).map(label).collect();
    database.execute(&format!(
        "UPDATE api_tokens SET allowed_addresses = {}, labels = '{}', description = '{}' \
         WHERE secret_hash = 'x'; \
         UPDATE audit_events SET changes = '{changes}' WHERE action = 'api_token_updated'",
        TestDatabase::list(&addresses),
        json!(labels),
        "🦀".repeat(1000),
    ));
}

fn aliased(field: &str) -> String {
    let fields: Vec<String> = (0..30).map(|n| format!("a{n}: {field}")).collect();
    format!("{{ {} }}", fields.join(" "))
}

/// Queries whose answers would be far too large, and how each is refused.
pub(super) fn too_large() -> Vec<String> {
    let nested = |depth: usize| {
        let open = "allowedAddresses user { apiToken { ".repeat(depth);
        format!("{open} id {}", "} }".repeat(depth))
    };
    let row: Vec<String> = (0..30).map(|n| format!("a{n}: allowedAddresses")).collect();
    let value: String = (0..30).map(|n| format!("a{n}: value ")).collect();
    vec![
        aliased("apiTokens(first: 100) { nodes { allowedAddresses } }"),
        aliased("apiTokens(first: 100) { nodes { user { apiToken { allowedAddresses } } } }"),
        aliased("apiTokens(first: 100) { nodes { description labels { key value } } }"),
        format!("{{ apiTokens(first: 100) {{ nodes {{ labels {{ {value} }} }} }} }}"),
        aliased("auditEvents(first: 100) { nodes { changes { before after } } }"),
        aliased("auditEvents(first: 100) { nodes { actor { user { name } } changes { after } } }"),
        format!("{{ apiTokens(first: 100) {{ nodes {{ {} }} }} }}", nested(5)),
        format!("{{ apiTokens(first: 100) {{ nodes {{ {} }} }} }}", row.join(" ")),
    ]
}

/// Requests that are refused or cheap where there are no rows ask for much where there are.
#[tokio::test(flavor = "multi_thread")]
async fn no_small_request_takes_much_memory() {
    let (target, _database) = Target::with_largest_rows(&["--request-timeout", "2s"]);
    for case in super::cases() {
        let request = target.post(&case.body(0)).bearer_auth(&target.token);
        let status = request.send().await.unwrap().status().as_u16();
        assert!(status < 500 || status == 503, "{}: {status}", case.name);
    }
    target.assert_alive().await;
    let peak = peak_mib(target.process());
    assert!(peak < MAX_MIB, "{peak} MiB");
}

/// The largest page that can be answered.
pub(super) const PAGE: &str = "{ apiTokens(first: 100) { nodes { id name status expiry partialToken version
    permissions allowedAddresses description labels { key value } user { id name } createdUserInfo { userName } } } }";

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_to_one_query_is_bounded() {
    let (target, _database) = Target::with_largest_rows(PATIENT);
    let page = target.server.graphql(&target.token, PAGE, json!({})).await;
    assert_eq!(page.data()["apiTokens"]["nodes"].as_array().unwrap().len(), 100);
    for query in too_large() {
        let answer = target.server.graphql(&target.token, &query, json!({})).await;
        assert_eq!(answer.errors(), ["BAD_USER_INPUT query_limit"], "{query}");
        assert_eq!(answer.json["data"], Value::Null, "{query}");
    }
    target.assert_alive().await;
    let peak = peak_mib(target.process());
    assert!(peak < MAX_MIB, "{peak} MiB");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_large_answers_at_once_are_bounded_and_keep_nobody_waiting() {
    let (target, _database) = Target::with_largest_rows(&[]);
    let mut asked = JoinSet::new();
    for query in too_large().into_iter().cycle().take(24).chain(vec![PAGE.to_owned(); 8]) {
        let body = json!({ "query": query }).to_string();
        let request = target.post(&body).bearer_auth(&target.token);
        asked.spawn(async move { Answer::of(request.send().await.unwrap()).await.status });
    }
    while let Some(status) = asked.join_next().await {
        target.assert_alive().await;
        let status = status.unwrap().as_u16();
        assert!([200, 503].contains(&status), "{status}");
    }
    let peak = peak_mib(target.process());
    assert!(peak < MAX_MIB, "{peak} MiB");
}

/// An answer of 5 MB with few values.
pub(super) const EVENTS: &str = "{ auditEvents(first: 60) { nodes { changes { before after } } } }";

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_nobody_reads_are_bounded_and_dropped() {
    let (target, _database) = Target::with_largest_rows(&[]);
    let silent: Vec<TcpStream> = (0..SILENT).map(|_| target.ask_and_wait(EVENTS)).collect();
    for _ in 0..20 {
        target.assert_alive().await;
    }
    // The server closes each of these connections, though nothing is read from it.
    for connection in silent {
        eventually("it is cut", || (&connection).write_all(b"x").is_err()).await;
    }
    let peak = peak_mib(target.process());
    assert!(peak < MAX_MIB, "{peak} MiB");
    target.server.graphql(&target.token, EVENTS, json!({})).await.data();
}

/// What a mutation answers cannot be refused once it has run, so it is refused before.
#[tokio::test(flavor = "multi_thread")]
async fn a_mutation_is_refused_before_it_runs() {
    let (target, database) = Target::with_largest_rows(&[]);
    let create = |name: &str, lists: usize| {
        let lists: Vec<String> = (0..lists).map(|n| format!("l{n}: permissions")).collect();
        format!(
            "{name}: createApiToken(input: {{ name: \"{name}\", expiry: \"2027-06-01T00:00:00Z\", \
             permissions: [API_USERS_READ] }}) {{ token apiToken {{ {} }} }}",
            lists.join(" ")
        )
    };
    // Each token has two others below it, six levels deep: 126 lists.
    let fragments = (0..6).map(|n| {
        let below = format!("user {{ apiToken {{ ...F{0} }} }} renewedFrom {{ ...F{0} }}", n + 1);
        let below = if n == 5 { String::new() } else { below };
        format!("fragment F{n} on ApiToken {{ allowedAddresses permissions {below} }} ")
    });
    let fragments: String = fragments.collect();
    let many = format!(
        "mutation {{ {} b: createApiToken(input: {{ name: \"b\", expiry: \"2027-06-01T00:00:00Z\", \
         permissions: [API_USERS_READ] }}) {{ apiToken {{ ...F0 }} }} }} {fragments}",
        create("a", 1)
    );
    let answer = target.server.graphql(&target.token, &many, json!({})).await;
    assert_eq!(answer.errors(), ["BAD_USER_INPUT query_limit"], "{}", answer.text);
    assert!(answer.message().contains("too many lists"), "{}", answer.text);
    assert_eq!(database.count("api_tokens"), i64::try_from(ROWS).unwrap() + 1);
    let fits = format!("mutation {{ {} {} }}", create("a", 14), create("b", 14));
    let answer = target.server.graphql(&target.token, &fits, json!({})).await;
    assert!(answer.data()["b"]["token"].is_string());
}

impl Target {
    /// Sends the head of a request with a body of this length.
    fn begin(&self, length: usize) -> TcpStream {
        let mut connection = self.server.connect();
        let head = format!(
            "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
             authorization: Bearer {}\r\ncontent-length: {length}\r\n\r\n",
            self.token,
        );
        connection.write_all(head.as_bytes()).unwrap();
        connection
    }

    /// Sends a query on a connection of its own, without reading the answer.
    pub(super) fn ask_and_wait(&self, query: &str) -> TcpStream {
        let body = json!({ "query": query }).to_string();
        let mut connection = self.begin(body.len());
        connection.write_all(body.as_bytes()).unwrap();
        connection
    }
}
