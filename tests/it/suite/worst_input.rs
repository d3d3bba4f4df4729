//! The worst texts and numbers in every place where a client can put one: whatever is wrong with
//! them will be wrong the next time, so nobody is told to try again, and nothing fails inside.

use serde_json::json;

use crate::support::{Answer, TestApp, made};

/// JSON texts, as they are sent.
fn texts() -> Vec<String> {
    let long = |text: &str, times: usize| format!("\"{}\"", text.repeat(times));
    let mut texts: Vec<String> = [
        r#""""#,
        r#""\u0000""#,
        r#""a\u0000b""#,
        r#""\ud800""#,
        r#""\udc00\ud800""#,
        r#""\ud83e\udd80""#,
        r#""\ufffe""#,
        r#""\uffff""#,
        r#""\udbff\udfff""#,
        r#""\u202e""#,
        r#""\u0001\u001f\u007f\u0085""#,
        r#""\n\r\t""#,
        r#""\\x00""#,
        r#""\\000\\""#,
        r#""%_\\%""#,
        r#""' OR 1=1; --""#,
        r#""$1""#,
        r#""{}""#,
        r#""{\"a\": [1e400]}""#,
        r#""[\"a\", null]""#,
        r#""1e400""#,
        r#""NaN""#,
        r#""-infinity""#,
        r#""epoch""#,
        r#""0000-01-01T00:00:00Z""#,
        r#""0001-01-01T00:00:00Z""#,
        r#""1969-12-31T23:59:59.999999Z""#,
        r#""9999-12-31T23:59:59.999999999Z""#,
        r#""9999-12-31T23:59:59-23:59""#,
        r#""+262142-12-31T23:59:59Z""#,
        r#""-262143-01-01T00:00:00Z""#,
        r#""294277-01-01T00:00:00Z""#,
        r#""2027-02-29T24:00:60+24:00""#,
        r#""0.0.0.0/0""#,
        r#""::/0""#,
        r#""::ffff:0:0/95""#,
        r#""10.0.0.0/33""#,
        r#""ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/129""#,
        r#""tok_zzzzzzzzzzzzzzzzzzzzzz""#,
        r#""usr_7n42DGM5Tflk9n8mt7Fhc7""#,
        r#""tok_7N42DGM5Tflk9n8mt7Fhc7""#,
        r#""evt_0000000000000000000000""#,
        r#""////////""#,
        r#""eyJ2IjoxfQ==""#,
        r#""AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=""#,
    ]
    .map(ToOwned::to_owned)
    .into();
    texts.extend([
        long("a", 200),
        long("a", 1_000),
        long("a", 50_000),
        long("🦀", 200),
        long("🦀", 1_000),
        long("\u{fdfa}", 200),
        long("\u{301}", 200),
        long("\u{1d160}", 200),
        long("ﷺ%", 100),
        long("\\u0000", 5_000),
        long("[", 5_000),
    ]);
    texts
}

/// JSON numbers, as they are sent.
const NUMBERS: [&str; 12] = [
    "0",
    "-0",
    "1",
    "-1",
    "2147483647",
    "-2147483648",
    "2147483648",
    "9223372036854775808",
    "1e400",
    "-1e-400",
    "1.5",
    "123456789012345678901234567890",
];

/// Documents with a variable, and its type. The variable is put in one place at a time.
fn places(id: &str) -> Vec<(String, &'static str)> {
    let create = |name: &str, rest: &str| {
        format!(
            "mutation ($v: TYPE) {{ createApiToken(input: {{ name: {name}, {rest} }}) {{ token }} }}"
        )
    };
    let good = "expiry: \"2027-01-01T00:00:00Z\", permissions: [API_USERS_READ]";
    let update = |field: &str| {
        format!(
            "mutation ($v: TYPE) {{ updateApiToken(input: {{ id: \"{id}\", version: 1, {field} }}) \
             {{ apiToken {{ id }} }} }}"
        )
    };
    let renew = |field: &str| {
        format!(
            "mutation ($v: TYPE) {{ renewApiToken(input: {{ id: \"{id}\", \
             expiry: \"2027-01-01T00:00:00Z\", {field} }}) {{ token }} }}"
        )
    };
    let list = |list: &str, arguments: &str| {
        format!("query ($v: TYPE) {{ {list}({arguments}) {{ totalCount nodes {{ id }} }} }}")
    };
    let tokens = |filter: &str| list("apiTokens", &format!("filter: {{ {filter} }}"));
    let events = |filter: &str| list("auditEvents", &format!("filter: {{ {filter} }}"));
    let verify = |input: &str| {
        format!("mutation ($v: TYPE) {{ verifyApiToken(input: {{ {input} }}) {{ active }} }}")
    };
    let by_id = |field: &str| format!("query ($v: TYPE) {{ {field}(id: $v) {{ __typename }} }}");
    let mut places = vec![
        (create("$v", good), "String!"),
        (create("\"n\"", "expiry: $v, permissions: [API_USERS_READ]"), "DateTime!"),
        (create("\"n\"", &format!("{good}, description: $v")), "String"),
        (create("\"n\"", &format!("{good}, labels: [{{ key: $v, value: \"\" }}]")), "String!"),
        (create("\"n\"", &format!("{good}, labels: [{{ key: \"k\", value: $v }}]")), "String!"),
        (create("\"n\"", &format!("{good}, allowedAddresses: [$v]")), "IpNetwork!"),
        (create("\"n\"", &format!("{good}, idempotencyKey: $v")), "String"),
        (update("name: $v"), "String"),
        (update("description: $v"), "String"),
        (update("labels: [{ key: $v, value: \"\" }]"), "String!"),
        (update("labels: [{ key: \"k\", value: $v }]"), "String!"),
        (update("allowedAddresses: [$v]"), "IpNetwork!"),
        (update("expiry: $v"), "DateTime"),
        (renew("name: $v"), "String"),
        (renew("idempotencyKey: $v"), "String"),
        (renew("overlapSeconds: $v"), "Int"),
        (verify("token: $v"), "String!"),
        (verify("token: \"a\", clientAddress: $v"), "String"),
        (tokens("nameContains: $v"), "String"),
        (tokens("labels: [{ key: $v, value: \"\" }]"), "String!"),
        (tokens("labels: [{ key: \"k\", value: $v }]"), "String!"),
        (tokens("userId: $v"), "ID"),
        (tokens("createdByUserId: $v"), "ID"),
        (tokens("descendantsOf: $v"), "ID"),
        (tokens("expiresAfter: $v"), "DateTime"),
        (tokens("expiresBefore: $v"), "DateTime"),
        (tokens("notUsedSince: $v"), "DateTime"),
        (events("actorUserId: $v"), "ID"),
        (events("targetId: $v"), "ID"),
        (events("after: $v"), "DateTime"),
        (events("before: $v"), "DateTime"),
        (list("users", "filter: { nameContains: $v }"), "String"),
        (by_id("apiToken"), "ID!"),
        (by_id("user"), "ID!"),
        (by_id("node"), "ID!"),
    ];
    for connection in ["apiTokens", "users", "auditEvents"] {
        places.push((list(connection, "first: $v"), "Int"));
        places.push((list(connection, "last: $v"), "Int"));
        places.push((list(connection, "after: $v"), "String"));
        places.push((list(connection, "last: 2, before: $v"), "String"));
    }
    for order in ["NAME", "CREATION_DATE", "EXPIRY", "LAST_USE"] {
        let ordered = format!("after: $v, orderBy: {{ field: {order}, direction: ASC }}");
        places.push((list("apiTokens", &ordered), "String"));
    }
    let other = "mutation ($v: TYPE) {";
    places.push((
        format!(
            "{other} deleteApiToken(input: {{ id: $v, version: 7 }}) {{ deletedApiTokenId }} }}"
        ),
        "ID!",
    ));
    places.push((
        format!("{other} deleteApiToken(input: {{ id: \"{id}\", version: $v }}) {{ deletedApiTokenId }} }}"),
        "Int",
    ));
    places.push((
        format!("{other} updateApiToken(input: {{ id: \"{id}\", version: $v }}) {{ apiToken {{ id }} }} }}"),
        "Int!",
    ));
    places
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_can_be_sent_fails_inside() {
    let app = TestApp::start().await;
    let target = made(&app, "target", json!({ "labels": [{ "key": "k", "value": "v" }] })).await;
    for (document, kind) in places(&target.id) {
        let values: Vec<String> = match kind.trim_end_matches('!') {
            "Int" => NUMBERS.map(ToOwned::to_owned).into(),
            "ID" => texts().into_iter().chain(NUMBERS.map(ToOwned::to_owned)).collect(),
            _ => texts(),
        };
        let document = document.replace("TYPE", kind);
        for value in values {
            let query = json!(document);
            let body = format!("{{\"query\":{query},\"variables\":{{\"v\":{value}}}}}");
            let answer = app.post().bearer_auth(&app.admin).body(body).send().await.unwrap();
            let status = answer.status().as_u16();
            // What is not Unicode, or no number, is no JSON either.
            assert!([200, 400, 413].contains(&status), "{status}: {document} {value}");
            if status == 200 {
                let answer = Answer::of(answer).await;
                let inside = ["UNAVAILABLE", "INTERNAL"];
                let failed = inside.iter().any(|code| answer.text.contains(code));
                assert!(!failed, "{document} {value}: {}", answer.text);
            }
        }
    }
}
