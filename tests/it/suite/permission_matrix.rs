//! Every root field for every kind of caller. A field without an entry here fails.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{Answer, TestApp};

/// A root field.
struct Field {
    name: &'static str,
    /// What it needs; none where any token will do.
    permission: Option<&'static str>,
    /// A document that asks for it with valid arguments: `ID` is replaced by the id of a token.
    document: &'static str,
}

const fn field(
    name: &'static str,
    permission: Option<&'static str>,
    document: &'static str,
) -> Field {
    Field { name, permission, document }
}

const READ: Option<&str> = Some("API_API_TOKENS_READ");
const WRITE: Option<&str> = Some("API_API_TOKENS_WRITE");
const DELETE: Option<&str> = Some("API_API_TOKENS_DELETE");
const USERS: Option<&str> = Some("API_USERS_READ");
const POLICY: Option<&str> = Some("API_POLICY_WRITE");

const FIELDS: &[Field] = &[
    field("currentApiToken", None, "{ currentApiToken { id } }"),
    field("currentUser", None, "{ currentUser { id } }"),
    field("apiToken", READ, r#"{ apiToken(id: "ID") { id } }"#),
    field("apiTokens", READ, "{ apiTokens { totalCount nodes { id } } }"),
    field("user", USERS, r#"{ user(id: "USER") { id } }"#),
    field("users", USERS, "{ users { totalCount nodes { id } } }"),
    field("permissions", None, "{ permissions { code } }"),
    field("policy", READ, "{ policy { version } }"),
    field(
        "previewPolicy",
        READ,
        "{ previewPolicy(input: { idleSeconds: 9, idleScope: ALL }) {
        usableCount apiTokens { totalCount nodes { id } } } }",
    ),
    field("auditEvents", READ, "{ auditEvents { totalCount nodes { id } } }"),
    field("node", READ, r#"{ node(id: "ID") { id } }"#),
    field(
        "createApiToken",
        WRITE,
        r#"mutation { createApiToken(input: { name: "made", expiry: "EXPIRY",
            permissions: [API_API_TOKENS_WRITE] }) { token } }"#,
    ),
    field(
        "updateApiToken",
        WRITE,
        r#"mutation { updateApiToken(input: { id: "ID", version: 1, name: "renamed" }) {
            apiToken { id } } }"#,
    ),
    field(
        "renewApiToken",
        WRITE,
        r#"mutation { renewApiToken(input: { id: "ID", expiry: "EXPIRY" }) { token } }"#,
    ),
    field(
        "deleteApiToken",
        DELETE,
        r#"mutation { deleteApiToken(input: { id: "ID" }) { deletedApiTokenId } }"#,
    ),
    field(
        "revokeApiTokens",
        DELETE,
        r#"mutation { revokeApiTokens(input: { ids: ["ID"] }) { count } }"#,
    ),
    field(
        "updatePolicy",
        POLICY,
        r#"mutation { updatePolicy(input: { version: 1, idleSeconds: 900, idleScope: ALL }) {
            policy { version } } }"#,
    ),
    field(
        "verifyApiToken",
        READ,
        r#"mutation { verifyApiToken(input: { token: "x" }) { active } }"#,
    ),
    field(
        "verifyApiTokens",
        READ,
        r#"mutation { verifyApiTokens(input: { tokens: [{ token: "x" }] }) {
            verifications { active } } }"#,
    ),
];

/// Everybody who may ask, with a target that is theirs to ask for.
struct Callers {
    app: TestApp,
    target: String,
    user: String,
    right: String,
    wrong: String,
    expired: String,
    disabled: String,
    deleted: String,
    elsewhere: String,
}

impl Callers {
    async fn of(field: &Field, everything: &[String]) -> Self {
        let app = TestApp::start().await;
        let needed = field.permission.unwrap_or("API_ORGANIZATIONS_READ");
        let others: Vec<&String> = everything.iter().filter(|name| *name != needed).collect();
        let make = async |name: &str, more: Value| {
            let mut input = app.input(name, json!({ "permissions": [needed] }));
            input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let answer = app.create(&app.admin, input).await;
            let made = &answer.data()["createApiToken"];
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let token = &made["apiToken"];
            (text(&made["token"]), text(&token["id"]), text(&token["userId"]))
        };
        let (_, target, user) = make("target", json!({})).await;
        let right = make("right", json!({})).await.0;
        let wrong = make("wrong", json!({ "permissions": others })).await.0;
        let soon = app.in_time(TimeDelta::seconds(60));
        let expired = make("expired", json!({ "expiry": soon })).await.0;
        let disabled = make("disabled", json!({})).await.0;
        let (deleted, gone, _) = make("deleted", json!({})).await;
        let elsewhere = json!({ "allowedAddresses": ["192.0.2.1"] });
        let elsewhere = make("elsewhere", elsewhere).await.0;
        app.clock.advance(TimeDelta::seconds(120));
        app.database.execute("UPDATE api_tokens SET enabled = FALSE WHERE name = 'disabled'");
        let delete = format!(
            r#"mutation {{ deleteApiToken(input: {{ id: "{gone}" }}) {{ deletedApiTokenId }} }}"#
        );
        app.query(&app.admin, &delete).await.data();
        Self { app, target, user, right, wrong, expired, disabled, deleted, elsewhere }
    }

    fn body(&self, field: &Field) -> String {
        let document = field
            .document
            .replace("\"ID\"", &format!("\"{}\"", self.target))
            .replace("USER", &self.user)
            .replace("EXPIRY", &self.app.in_time(TimeDelta::days(1)));
        json!({ "query": document }).to_string()
    }

    /// Asks and is refused; nothing changes by it.
    async fn refused(&self, field: &Field, token: Option<&str>) -> Answer {
        let state = || ["users", "api_tokens", "audit_events"].map(|table| self.state(table));
        let before = state();
        let mut request = self.app.post().body(self.body(field));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let answer = Answer::of(request.send().await.unwrap()).await;
        assert_eq!(state(), before, "{}", field.name);
        assert!(answer.json["data"][field.name].is_null(), "{}: {}", field.name, answer.text);
        answer
    }

    /// How many rows there are, and how often they were changed.
    fn state(&self, table: &str) -> Vec<String> {
        let versions = if table == "audit_events" { "count(*)" } else { "sum(version)" };
        self.app.database.texts(&format!(
            "SELECT CAST(count(*) AS TEXT) || ' ' || CAST({versions} AS TEXT) AS text FROM {table}"
        ))
    }
}

/// The names of an introspected type's fields or values.
async fn names(app: &TestApp, query: &str, path: &str) -> Vec<String> {
    let answer = app.query(&app.admin, query).await;
    let found = answer.data().pointer(path).unwrap().as_array().unwrap().clone();
    found.iter().map(|named| named["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_root_field_is_here() {
    let app = TestApp::start().await;
    let query = "{ __schema { queryType { fields { name } } mutationType { fields { name } } \
                 subscriptionType { fields { name } } } }";
    let mut fields = names(&app, query, "/__schema/queryType/fields").await;
    fields.extend(names(&app, query, "/__schema/mutationType/fields").await);
    let here: BTreeSet<&str> = FIELDS.iter().map(|field| field.name).collect();
    assert_eq!(here.len(), FIELDS.len());
    assert_eq!(fields.iter().map(String::as_str).collect::<BTreeSet<_>>(), here);
    // What may be heard is in `subscriptions::listeners`.
    let heard = names(&app, query, "/__schema/subscriptionType/fields").await;
    assert_eq!(heard, ["apiTokenEvents"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_caller_gets_what_is_theirs_and_no_more() {
    let app = TestApp::start().await;
    let query = "{ __type(name: \"Permission\") { enumValues { name } } }";
    let everything = names(&app, query, "/__type/enumValues").await;
    assert_eq!(everything.len(), 65);
    for field in FIELDS {
        let name = field.name;
        let callers = Callers::of(field, &everything).await;
        let nobody = callers.refused(field, None).await;
        assert_eq!(
            (nobody.status.as_u16(), nobody.errors()),
            (401, told("UNAUTHENTICATED token_missing")),
            "{name}"
        );
        for token in [&callers.expired, &callers.disabled, &callers.deleted] {
            let invalid = callers.refused(field, Some(token)).await;
            assert_eq!(invalid.status, 401, "{name}");
            assert_eq!(invalid.errors(), told("UNAUTHENTICATED invalid_token"), "{name}");
        }
        let elsewhere = callers.refused(field, Some(&callers.elsewhere)).await;
        assert_eq!(elsewhere.status, 403, "{name}");
        assert_eq!(elsewhere.errors(), told("FORBIDDEN address_not_allowed"), "{name}");
        if field.permission.is_some() {
            let wrong = callers.refused(field, Some(&callers.wrong)).await;
            assert_eq!(wrong.errors(), told("FORBIDDEN permission_missing"), "{name}");
        }
        let request = callers.app.post().bearer_auth(&callers.right).body(callers.body(field));
        let right = Answer::of(request.send().await.unwrap()).await;
        assert!(!right.data()[name].is_null(), "{name}: {}", right.text);
    }
}

fn told(error: &str) -> Vec<String> {
    vec![error.to_owned()]
}
