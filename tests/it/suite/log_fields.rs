//! The fields of the log: `docs/logging.md` promises them, and the server writes no others.

use std::collections::BTreeSet;
use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};
use tokenwright::domain::clock::{Clock, SystemClock};

use crate::support::{
    Answer, Binary, Envoy, Said, Server, TestDatabase, WebSocket, administrator, migrated,
};

const READ: &str = "/authorize?permission=api.users.read";
const INTROSPECT: &str = "/oauth2/introspect";
const CREATE: &str = "mutation Create($input: CreateApiTokenInput!) {
    createApiToken(input: $input) { token apiToken { id version } }
}";
const VERIFY: &str = "mutation Verify($token: String!) {
    verifyApiToken(input: { token: $token }) { active reason }
    verifyApiTokens(input: { tokens: [{ token: $token }] }) { verifications { active } }
}";

/// The names in the first column of the table under these words.
fn documented(under: &str) -> BTreeSet<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/logging.md");
    let text = std::fs::read_to_string(file).unwrap();
    let (_, table) = text.split_once(under).unwrap();
    let rows = table.lines().skip_while(|line| !line.starts_with("| `"));
    let rows = rows.take_while(|line| line.starts_with("| `"));
    let names = rows.flat_map(|row| row.split('|').nth(1).unwrap().split('`').skip(1).step_by(2));
    names.map(ToOwned::to_owned).collect()
}

/// A server, what it was asked, and the ids of the requests.
struct Run {
    server: Server,
    envoy: Envoy,
    admin: String,
    reader: String,
    ids: Vec<String>,
}

impl Run {
    async fn start(database: &TestDatabase, level: &str, format: &str) -> Self {
        let admin = administrator(database, "administrator");
        let serve = ["serve", "--subscriptions", "--log", level, "--log-format", format];
        let proxies = ["--trusted-proxies", "127.0.0.1", "--ext-authz-listen", "127.0.0.1:0"];
        let server = Binary::on(database, &serve).args(&proxies).serve();
        let asked_at = server.running.until(|said| said.asked_at().is_some()).asked_at().unwrap();
        let envoy = Envoy::connect(asked_at).await;
        let expiry = (SystemClock.now() + chrono::TimeDelta::days(1)).to_rfc3339();
        let input =
            json!({ "name": "reader", "expiry": expiry, "permissions": ["API_USERS_READ"] });
        let answer = server.graphql(&admin, CREATE, json!({ "input": input })).await;
        let reader = answer.data()["createApiToken"]["token"].as_str().unwrap().to_owned();
        Self { server, envoy, admin, reader, ids: Vec::new() }
    }

    fn keep(&mut self, answer: Answer) -> Answer {
        self.ids.push(answer.header("x-request-id").to_owned());
        answer
    }

    /// Shows a secret on each surface that verifies; the answers, as far as they are alike.
    async fn verify(&mut self, secret: &str) -> [bool; 4] {
        let request = self.server.request(Method::GET, READ).bearer_auth(secret);
        let authorized = Answer::of(request.send().await.unwrap()).await;
        let authorized = self.keep(authorized).status == 200;
        let request = self.server.request(Method::POST, INTROSPECT).bearer_auth(&self.admin);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let introspected = request.body(format!("token={secret}")).send().await.unwrap();
        let introspected = Answer::of(introspected).await;
        let introspected = self.keep(introspected).text.contains("\"active\":true");
        let told = self.server.graphql(&self.admin, VERIFY, json!({ "token": secret })).await;
        let told = self.keep(told).data()["verifyApiToken"]["active"] == true;
        let id = format!("of-envoy-{}", self.ids.len());
        let said = Said::bearer(secret, "api.users.read").with("x-request-id", &id);
        self.ids.push(id);
        let came = self.envoy.ask(&said).await.status == 200;
        [authorized, introspected, told, came]
    }
}

/// The lines that belong to a request.
fn about<'a>(log: &'a str, id: &str) -> Vec<&'a str> {
    log.lines().filter(|line| line.contains(id)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verification_that_succeeds_has_no_line_on_any_surface() {
    let database = migrated();
    let mut run = Run::start(&database, "info", "text").await;
    let reader = run.reader.clone();
    assert_eq!(run.verify(&reader).await, [true; 4]);
    let ids = std::mem::take(&mut run.ids);
    let log = run.server.stop().stderr;
    for id in &ids {
        assert!(about(&log, id).is_empty(), "{log}");
    }
    assert!(log.contains("API token created"), "other requests have theirs: {log}");
    let database = migrated();
    let mut run = Run::start(&database, "info,tokenwright=debug", "text").await;
    let reader = run.reader.clone();
    run.verify(&reader).await;
    let ids = std::mem::take(&mut run.ids);
    let log = run.server.stop().stderr;
    for id in &ids {
        assert!(!about(&log, id).is_empty(), "at debug it has: {log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_secret_has_its_reason_on_every_surface_once() {
    const TIMES: usize = 5;
    let database = migrated();
    let mut run = Run::start(&database, "info", "text").await;
    for _ in 0..TIMES {
        // None names a client, but all of them come through the same proxy or none.
        assert_eq!(run.verify("twr_nonsense").await, [false; 4]);
    }
    let ids = std::mem::take(&mut run.ids);
    let log = run.server.stop().stderr;
    for surface in 0..4 {
        let told: usize = (0..TIMES).map(|n| about(&log, &ids[n * 4 + surface]).len()).sum();
        // The reason, and at /authorize the line of the 401. That client is another one than those
        // of introspection and GraphQL, which give none: one line is theirs together.
        let expected: &[usize] = if surface == 0 { &[2] } else { &[0, 1] };
        assert!(expected.contains(&told), "{surface}: {told}, {log}");
    }
    assert!(log.matches("malformed").count() + log.matches("not 76").count() >= 2, "{log}");
    let sums = log.lines().filter(|line| line.contains("refused again")).count();
    assert!(sums >= 2, "{log}");
}

/// A caller that may not verify is refused like any other, and seen.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_caller_has_a_line() {
    let database = migrated();
    let run = Run::start(&database, "info", "text").await;
    let answer = run.server.graphql(&run.reader, VERIFY, json!({ "token": run.reader })).await;
    assert_eq!(answer.status, 200);
    let id = answer.header("x-request-id").to_owned();
    let log = run.server.stop().stderr;
    let [line] = about(&log, &id)[..] else { panic!("{log}") };
    for told in ["answered", "verifyApiToken FORBIDDEN", "token=tok_", "user=usr_"] {
        assert!(line.contains(told), "{told}: {line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_field_that_the_server_writes_is_documented() {
    let database = migrated();
    let mut run = Run::start(&database, "info", "json").await;
    for secret in [run.reader.clone(), "twr_nonsense".to_owned(), forged(&run.reader)] {
        for _ in 0..2 {
            run.verify(&secret).await;
        }
    }
    let Run { server, admin, reader, .. } = run;
    // A demand that is not known, a refused field, a revocation.
    let request = server.request(Method::GET, "/authorize?permission=api.users.reed");
    assert_eq!(request.bearer_auth(&reader).send().await.unwrap().status(), 400);
    server.graphql(&reader, "{ apiTokens { nodes { id } } }", json!({})).await;
    server.graphql(&forged(&reader), "{ __typename }", json!({})).await;
    let renew = "mutation { renewApiToken(input: { id: \"ID\" }) { token } }";
    let id = server.graphql(&reader, "{ currentApiToken { id } }", json!({})).await;
    let id = id.data()["currentApiToken"]["id"].as_str().unwrap().to_owned();
    server.graphql(&admin, &renew.replace("ID", &id), json!({})).await;
    let delete = "mutation { deleteApiToken(input: { id: \"ID\" }) { deletedApiTokenId } }";
    server.graphql(&admin, &delete.replace("ID", &id), json!({})).await;
    let (mut listener, mut refused) =
        (WebSocket::at(server.address).await, WebSocket::at(server.address).await);
    listener.init(&admin).await;
    assert_eq!(listener.text().await["type"], "connection_ack");
    refused.init(&reader).await;
    assert_eq!(refused.closed().await, 4401);
    let log = server.stop().stderr;
    assert!(!log.contains(&admin) && !log.contains(&reader));
    assert!(log.contains("Going away") && log.contains("Unauthorized"), "{log}");
    let (mut spans, mut fields) = (BTreeSet::new(), BTreeSet::new());
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    for line in log.lines().filter(|line| line.starts_with('{')) {
        let line: Value = serde_json::from_str(line).unwrap();
        for key in keys(&line) {
            let known = ["timestamp", "level", "target", "fields", "span", "spans"];
            assert!(known.contains(&key.as_str()), "{key}");
        }
        fields.extend(keys(&line["fields"]));
        if let Some(span) = line.get("span") {
            spans.extend(keys(span));
            assert!(line["spans"].as_array().unwrap().contains(span), "{line}");
        }
    }
    assert_eq!(spans, documented("in `span`:"), "{log}");
    let promised = documented("in `fields`:");
    assert_eq!(fields.difference(&promised).collect::<Vec<_>>(), [""; 0], "{log}");
    for often in ["message", "status", "micros", "reason", "what", "count", "by", "permission"] {
        assert!(fields.contains(often), "{often}: {log}");
    }
}

/// What fails seldom fails in no test: the fields of its lines are read in the source.
#[test]
fn the_documented_fields_are_those_of_the_source() {
    let mut fields = BTreeSet::from(["message".to_owned()]);
    for_each_source(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut |text| {
        for level in ["info", "warn", "error"] {
            for call in text.split(&format!("tracing::{level}!(")).skip(1) {
                fields.extend(fields_of(call));
            }
        }
    });
    assert_eq!(fields, documented("in `fields`:"));
}

fn for_each_source(folder: &Path, look: &mut dyn FnMut(&str)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            for_each_source(&path, look);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            look(&std::fs::read_to_string(path).unwrap());
        }
    }
}

/// The names of fields in a call, whose text begins after its first bracket.
fn fields_of(call: &str) -> Vec<String> {
    let (mut depth, mut quoted, mut arguments) = (1, false, vec![String::new()]);
    for c in call.chars() {
        match c {
            '"' => quoted = !quoted,
            '(' | '[' | '{' if !quoted => depth += 1,
            ')' | ']' | '}' if !quoted => depth -= 1,
            ',' if !quoted && depth == 1 => {
                arguments.push(String::new());
                continue;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
        arguments.last_mut().unwrap().push(c);
    }
    // The text of the message comes last, and behind it what is written into it.
    let arguments = arguments.iter().map(|argument| argument.trim());
    let fields = arguments.take_while(|argument| !argument.starts_with('"'));
    let name = |field: &str| field.split('=').next().unwrap().trim().to_owned();
    fields.map(|field| name(field.trim_start_matches(['%', '?']))).collect()
}

/// A secret of the same token that is not its own.
fn forged(secret: &str) -> String {
    use tokenwright::domain::random::SystemRandom;
    use tokenwright::domain::secret::PlaintextSecret;
    let id = PlaintextSecret::parse(secret).unwrap().token_id();
    PlaintextSecret::generate(id, &SystemRandom).unwrap().reveal().to_owned()
}
