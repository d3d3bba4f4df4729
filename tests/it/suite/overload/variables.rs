//! Variables that ask for much.

use serde_json::{Map, Value, json};

use super::Case;

const CREATE: &str = "mutation($i:CreateApiTokenInput!){createApiToken(input:$i){token}}";

fn deep(depth: usize, wrap: impl Fn(Value) -> Value) -> Value {
    (0..depth).fold(json!(1), |inside, _| wrap(inside))
}

pub fn cases() -> Vec<Case> {
    let numbered = |number: usize, value: &Value| -> Map<String, Value> {
        (0..number).map(|n| (format!("a{n}"), value.clone())).collect()
    };
    let (lists, objects) =
        (deep(120, |value| json!([value])), deep(120, |value| json!({ "a": value })));
    let create = |name: &'static str, more: Value| {
        let mut input = json!({ "name": "x", "expiry": "2027-01-01T00:00:00Z", "permissions": [] });
        for (field, value) in more.as_object().unwrap() {
            input[field] = value.clone();
        }
        Case::new(name, CREATE).with(json!({ "i": input }))
    };
    let plain = || Case::new("variables that nothing asks for", "{ __typename }");
    let ids: String = (0..100).map(|n| format!("$a{n}:ID! ")).collect();
    let uses: String = (0..100).map(|n| format!("a{n}:node(id:$a{n}){{id}}")).collect();
    vec![
        plain().with(Value::Object(numbered(4_000, &json!(1)))),
        plain().with(json!({ "a": "a".repeat(60_000) })),
        plain().with(json!({ "a": vec![0; 30_000] })),
        plain().with(json!({ "a": lists })),
        Case::new("deep lists", "query($a:ID){node(id:$a){id}}").with(json!({ "a": lists })),
        Case::new("deep objects", CREATE).with(json!({ "i": objects })),
        Case::new("an object of many fields", CREATE)
            .with(json!({ "i": numbered(4_000, &json!(1)) })),
        create("deep permissions", json!({ "permissions": lists })),
        create("many permissions", json!({ "permissions": vec!["API_USERS_READ"; 3_000] })),
        create("many unknown permissions", json!({ "permissions": vec!["A"; 14_000] })),
        create("many nulls", json!({ "permissions": vec![Value::Null; 12_000] })),
        create("many addresses", json!({ "allowedAddresses": vec!["x"; 14_000] })),
        create("many good addresses", json!({ "allowedAddresses": vec!["10.0.0.1"; 4_000] })),
        create("a long name", json!({ "name": "\u{fb01}".repeat(19_000) })),
        create("a name of marks", json!({ "name": format!("a{}", "\u{301}".repeat(25_000)) })),
        create("a long expiry", json!({ "expiry": "9".repeat(60_000) })),
        Case::new("a long id", "query($a:ID!){node(id:$a){id}}")
            .with(json!({ "a": "a".repeat(60_000) })),
        Case::new("a long cursor", "query($a:String){apiTokens(after:$a){totalCount}}")
            .with(json!({ "a": "A".repeat(60_000) })),
        Case::new(
            "a long search",
            "query($a:String){apiTokens(filter:{nameContains:$a}){totalCount}}",
        )
        .with(json!({ "a": "\u{fb01}".repeat(19_000) })),
        Case::new("many variables", format!("query({ids}){{{uses}}}"))
            .with(Value::Object(numbered(100, &json!(true)))),
    ]
}
