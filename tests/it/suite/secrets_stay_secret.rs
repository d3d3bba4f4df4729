//! A secret is in the one answer that shows it, and nowhere else.

use std::io::{Read, Write};

use chrono::{SecondsFormat, TimeDelta};
use envoy_types::ext_authz::v3::pb::CheckRequest;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokenwright::cli::Cli;
use tokenwright::config::DatabaseUrlText;
use tokenwright::db::DatabaseUrl;
use tokenwright::domain::clock::{Clock, SystemClock};
use tokenwright::domain::id::ApiTokenId;
use tokenwright::domain::random::SystemRandom;
use tokenwright::domain::secret::{PlaintextSecret, SecretHash};
use tonic::IntoRequest;

use crate::support::{Answer, Binary, Envoy, Said, Server, TestDatabase};

const READ: &str = "api.organizations.read";

/// A place where a secret could have been left. Bytes that are not UTF-8 cannot be a secret.
struct Place {
    name: String,
    text: String,
}

/// One server with its whole log and everything that was sent to it.
struct Run {
    database: TestDatabase,
    server: Server,
    /// A token with every permission.
    admin: String,
    /// Every secret that was made or presented.
    secrets: Vec<String>,
    /// Ids of the tokens that were made by HTTP.
    ids: Vec<String>,
    /// What the commands before the server have said.
    places: Vec<Place>,
    /// All answers but those that show a secret.
    answers: Vec<Place>,
}

impl Run {
    fn start(format: &str) -> Self {
        let database = TestDatabase::new();
        let log = ["--log", "trace", "--log-format", format];
        let migrated = Binary::on(&database, &["migrate"]).args(&log).run();
        let create = ["admin", "create-token", "--name", "administrator"];
        let admin = Binary::on(&database, &create)
            .args(&["--expires-in", "1d", "--all-permissions"])
            .args(&log)
            .run();
        let serve = ["serve", "--introspection", "public", "--playground"];
        let asked = ["--ext-authz-listen", "127.0.0.1:0"];
        let server = Binary::on(&database, &serve).args(&log).args(&asked).serve();
        let secret = admin.stdout.trim_end().to_owned();
        Self {
            database,
            server,
            secrets: vec![secret.clone()],
            admin: secret,
            places: vec![
                Place::new("migrate", migrated.stdout + &migrated.stderr),
                Place::new("admin", admin.stderr),
            ],
            ids: Vec::new(),
            answers: Vec::new(),
        }
    }

    /// Makes a token by HTTP, and two secrets that look like its own.
    async fn create(&mut self, name: &str) {
        let query = "mutation ($input: CreateApiTokenInput!) { \
                     createApiToken(input: $input) { token apiToken { id } } }";
        let input = input(json!({ "name": name }));
        self.keep(query, input, "createApiToken").await;
    }

    /// Renews the first token by HTTP, with two look-alikes as well.
    async fn renew(&mut self) {
        let query = "mutation ($input: RenewApiTokenInput!) { \
                     renewApiToken(input: $input) { token apiToken { id } } }";
        let input = json!({ "id": self.ids[0], "expiry": soon(), "overlapSeconds": 60 });
        self.keep(query, input, "renewApiToken").await;
    }

    /// Sends a mutation that shows a secret, and keeps that.
    async fn keep(&mut self, query: &str, input: Value, field: &str) {
        let variables = json!({ "input": input });
        let answer = self.server.graphql(&self.admin, query, variables).await;
        let made = &answer.data()[field];
        let secret = made["token"].as_str().unwrap();
        self.ids.push(made["apiToken"]["id"].as_str().unwrap().to_owned());
        let alike = [wrong(secret), unknown()];
        self.secrets.push(secret.to_owned());
        let alike = alike.iter().map(|secret| secret.reveal().to_owned());
        self.secrets.extend(alike);
    }

    /// Asks for all that there is, with secrets where they belong.
    async fn ask(&mut self) {
        let query = json!({ "query": "{ currentApiToken { name partialToken user { id } } \
            currentUser { apiToken { id } } node(id: \"tok_x\") { id } permissions { code } }" });
        for secret in self.secrets.clone() {
            let request = self.server.request(Method::POST, "/graphql");
            self.send(request.bearer_auth(secret).json(&query)).await;
        }
        let verify = "mutation ($input: VerifyApiTokenInput!) { verifyApiToken(input: $input) \
                      { active reason apiToken { name partialToken } user { name } } }";
        for secret in self.secrets.clone() {
            let authorize = self.server.request(Method::GET, "/authorize");
            let by_path = "/authorize/permissions/api.organizations.read/x";
            let by_path = self.server.request(Method::POST, by_path);
            let input = json!({ "query": verify, "variables": { "input": { "token": secret } } });
            let verify = self.server.request(Method::POST, "/graphql");
            let introspected = form(self, "/oauth2/introspect", &[("token", &secret)]);
            let introspects = form(self, "/oauth2/introspect", &[("token", &self.admin)]);
            for request in [
                authorize.bearer_auth(&secret),
                by_path.bearer_auth(&secret),
                verify.bearer_auth(&self.admin).json(&input),
                introspected.bearer_auth(&self.admin),
                introspects.basic_auth("anything", Some(&secret)),
            ] {
                self.send(request).await;
            }
        }
        for secret in [unknown(), wrong(&self.admin)].map(|secret| secret.reveal().to_owned()) {
            self.secrets.push(secret.clone());
            self.send(form(self, "/oauth2/revoke", &[("token", &secret)])).await;
        }
        for path in ["/", "/page.css", "/livez", "/readyz", "/nothing"] {
            self.send(self.server.request(Method::GET, path)).await;
        }
        let envoy = self.envoy().await;
        for secret in self.secrets.clone() {
            for raw in [false, true] {
                for scheme in ["Bearer", "Basic"] {
                    let said = Said { raw, ..Said::bearer("", READ) };
                    let header = ("authorization", format!("{scheme} {secret}"));
                    self.ask_by_grpc(&envoy, Said { headers: vec![header], ..said }.question())
                        .await;
                }
            }
        }
    }

    /// A connection as Envoy has it.
    async fn envoy(&self) -> Envoy {
        let said = self.server.running.until(|said| said.asked_at().is_some());
        Envoy::connect(said.asked_at().unwrap()).await
    }

    async fn ask_by_grpc(&mut self, envoy: &Envoy, question: impl IntoRequest<CheckRequest>) {
        let answer = envoy.check(question).await;
        self.answers.push(Place::new("an answer by gRPC", format!("{answer:?}")));
    }

    /// Puts all secrets where they do not belong.
    async fn misplace(&mut self) {
        for secret in self.secrets.clone() {
            for request in misplaced(self, &secret) {
                self.send(request).await;
            }
            self.send_garbage(&secret);
            let envoy = self.envoy().await;
            for question in misplaced_by_grpc(&self.admin, &secret) {
                self.ask_by_grpc(&envoy, question).await;
            }
        }
    }

    async fn send(&mut self, request: RequestBuilder) {
        let answer = Answer::of(request.send().await.unwrap()).await;
        let text = format!("{} {:?} {}", answer.status, answer.headers, answer.text);
        self.answers.push(Place::new("an answer", text));
    }

    /// Bytes that are no request, with a secret in them.
    fn send_garbage(&mut self, secret: &str) {
        for garbage in [
            format!("{secret}\r\n\r\n"),
            format!("GET /{secret} HTTP/9.9\r\n\r\n"),
            format!("GET / HTTP/1.1\r\nAuthorization Bearer {secret}\r\n\r\n"),
            format!("GET /{secret}\u{1} HTTP/1.1\r\nHost: x\r\n\r\n"),
            format!("POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Length: {secret}\r\n\r\n"),
        ] {
            let mut stream = self.server.connect();
            stream.write_all(garbage.as_bytes()).unwrap();
            stream.shutdown(std::net::Shutdown::Write).unwrap();
            let mut answer = Vec::new();
            let _reset = stream.read_to_end(&mut answer);
            self.answers.push(Place::of("an answer", &answer));
        }
    }

    /// Makes and presents secrets in all ways.
    async fn whole(format: &str) -> Self {
        let mut run = Self::start(format);
        for name in ["one of three", "two of three", "three of three"] {
            run.create(name).await;
        }
        run.renew().await;
        run.ask().await;
        run.misplace().await;
        run
    }
}

impl Place {
    fn new(name: &str, text: String) -> Self {
        let name = name.to_owned();
        Self { name, text }
    }

    fn of(name: &str, bytes: &[u8]) -> Self {
        Self::new(name, String::from_utf8_lossy(bytes).into_owned())
    }

    /// All that the database keeps, as it is now.
    fn kept(database: &TestDatabase) -> Vec<Self> {
        database.kept().iter().map(|(name, bytes)| Self::of(name, bytes)).collect()
    }

    fn has(&self, text: &str) -> bool {
        self.text.contains(text)
    }

    /// The text before each secret that is found: the whole secret, or a third of its random
    /// characters.
    fn leaks(&self, secrets: &[String]) -> Vec<String> {
        let before = |secret: &String| {
            let secret = PlaintextSecret::parse(secret).unwrap();
            let mut thirds = secret.proof().as_bytes().chunks_exact(14);
            let third = thirds.find(|third| self.has(str::from_utf8(third).unwrap()))?;
            let (before, _) = self.text.split_once(str::from_utf8(third).unwrap())?;
            let start = before.len().saturating_sub(100);
            let shown = before.get(start..).unwrap_or_default();
            Some(format!("{}: ..{shown}", self.name))
        };
        secrets.iter().filter_map(before).collect()
    }
}

/// A few of all leaks of all places; more would hide them.
fn leaks(places: &[Place], secrets: &[String]) -> Vec<String> {
    let all = places.iter().flat_map(|place| place.leaks(secrets));
    all.take(20).collect()
}

/// An expiry that any token can have.
fn soon() -> String {
    (SystemClock.now() + TimeDelta::hours(1)).to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The input of a token, with what is said otherwise.
fn input(more: Value) -> Value {
    let mut input = json!({
        "name": "refused",
        "expiry": soon(),
        "permissions": ["API_ORGANIZATIONS_READ"],
    });
    for (field, value) in more.as_object().unwrap() {
        input[field] = value.clone();
    }
    input
}

/// A secret of no token.
fn unknown() -> PlaintextSecret {
    let id = ApiTokenId::generate(SystemClock.now(), &SystemRandom).unwrap();
    PlaintextSecret::generate(id, &SystemRandom).unwrap()
}

/// A wrong secret of a token that there is.
fn wrong(right: &str) -> PlaintextSecret {
    let id = PlaintextSecret::parse(right).unwrap().token_id();
    PlaintextSecret::generate(id, &SystemRandom).unwrap()
}

/// A form that is sent to a path.
fn form(run: &Run, path: &str, pairs: &[(&str, &str)]) -> RequestBuilder {
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(pairs);
    let request = run.server.request(Method::POST, path);
    request.header("content-type", "application/x-www-form-urlencoded").body(body.finish())
}

/// Requests that carry a secret where none belongs.
fn misplaced(run: &Run, secret: &str) -> Vec<RequestBuilder> {
    let proof = PlaintextSecret::parse(secret).unwrap();
    let get = |path: String| run.server.request(Method::GET, &path);
    let post = |body: Value| {
        let request = run.server.request(Method::POST, "/graphql");
        request.bearer_auth(&run.admin).json(&body)
    };
    let document = |query: String| post(json!({ "query": query }));
    let create = "mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) \
                  { apiToken { id } } }";
    let refused =
        |more: Value| post(json!({ "query": create, "variables": { "input": input(more) } }));
    let update = "mutation ($input: UpdateApiTokenInput!) { updateApiToken(input: $input) \
                  { apiToken { id } } }";
    let changed = |mut input: Value| {
        (input["id"], input["version"]) = (json!(run.ids[1]), json!(1));
        post(json!({ "query": update, "variables": { "input": input } }))
    };
    let renew = "mutation ($input: RenewApiTokenInput!) { renewApiToken(input: $input) \
                 { apiToken { id } } }";
    let renewed = |mut input: Value| {
        if input.get("id").is_none() {
            input["id"] = json!(run.ids[1]);
        }
        post(json!({ "query": renew, "variables": { "input": input } }))
    };
    let by_id = "query ($id: ID!) { apiToken(id: $id) { id } node(id: $id) { id } }";
    let header = |name: &str, value: String| get("/graphql".to_owned()).header(name, value);
    let anything = "/graphql?query=%7B__typename%7D";
    let introspect =
        |pairs: &[(&str, &str)]| form(run, "/oauth2/introspect", pairs).bearer_auth(&run.admin);
    vec![
        get(format!("/authorize?permission={secret}")).bearer_auth(&run.admin),
        get(format!("/authorize?{secret}")).bearer_auth(&run.admin),
        get(format!("/authorize/permissions/{secret}/x")).bearer_auth(&run.admin),
        get(format!("/authorize/permissions/api.users.read/{secret}")).bearer_auth(&run.admin),
        get("/authorize".to_owned()).header("x-permission", secret),
        get(format!("/oauth2/introspect?token={secret}")),
        get(format!("/oauth2/revoke?token={secret}")),
        get(format!("/.well-known/oauth-authorization-server/{secret}")),
        introspect(&[("client_address", secret), ("token", "x")]),
        introspect(&[("required_scope", secret), ("token", "x")]),
        introspect(&[("token_type_hint", secret), ("token", "x")]),
        introspect(&[(secret, secret), ("token", "x")]),
        introspect(&[(secret, secret), (secret, secret)]),
        introspect(&[]).header("authorization", format!("Basic {secret}")),
        form(run, "/oauth2/introspect", &[]).basic_auth(secret, Some(secret)),
        form(run, "/oauth2/revoke", &[(secret, secret)]),
        run.server.request(Method::POST, "/oauth2/revoke").body(secret.to_owned()),
        run.server.request(Method::POST, "/oauth2/introspect").json(&json!({ "token": secret })),
        document(format!(
            "mutation {{ verifyApiToken(input: {{ token: {secret} }}) {{ active }} }}"
        )),
        post(json!({
            "query": "mutation ($i: VerifyApiTokenInput!) { verifyApiToken(input: $i) { active } }",
            "variables": { "i": { "token": "x", "clientAddress": secret, "permissions": [secret] } },
        })),
        get(format!("/graphql?{secret}")),
        get(format!("/graphql?{secret}=1")),
        get(format!("{anything}&access_token={secret}")),
        get(format!("{anything}&variables={secret}")),
        get(format!("{anything}&operationName={secret}")),
        get(format!("/graphql?query={secret}")),
        get(format!("/{secret}")),
        get(format!("/graphql/{secret}")),
        get(format!("/livez?{secret}")),
        post(json!({ "query": by_id, "variables": { "id": secret } })),
        post(json!({ "query": by_id, "variables": { "id": "tok_x", secret: secret } })),
        post(json!({ "query": by_id, "variables": { "id": [secret] } })),
        post(json!({ "query": by_id, "variables": secret })),
        post(json!({ "query": "{ __typename }", "operationName": secret })),
        post(json!({ "query": "{ __typename }", secret: secret, "extensions": secret })),
        refused(json!({ "expiry": secret })),
        refused(json!({ "expiry": [secret] })),
        refused(json!({ "permissions": [secret] })),
        refused(json!({ "permissions": secret })),
        refused(json!({ "allowedAddresses": [secret] })),
        refused(json!({ "allowedAddresses": ["10.0.0.1", { secret: secret }] })),
        refused(json!({ secret: secret })),
        refused(json!({ "name": [secret] })),
        refused(json!({ "name": secret.repeat(3) })),
        changed(json!({ "expiry": secret })),
        changed(json!({ "permissions": [secret] })),
        changed(json!({ "allowedAddresses": [secret] })),
        changed(json!({ "enabled": secret })),
        changed(json!({ "name": secret.repeat(3) })),
        changed(json!({ secret: secret })),
        renewed(json!({ "expiry": secret })),
        renewed(json!({ "expiry": soon(), "id": secret })),
        renewed(json!({ "expiry": secret, "name": secret.repeat(3) })),
        renewed(json!({ "expiry": soon(), "overlapSeconds": secret })),
        document(format!("{{ {secret}")),
        document(format!("{{ currentUser(\"{secret}\") }}")),
        document(format!("{{ {secret} }}")),
        document(format!("{{ currentUser {{ {secret} }} }}")),
        document(format!("{{ currentUser({secret}: 1) {{ id }} }}")),
        document(format!("{{ apiToken(id: \"{secret}\") {{ id }} }}")),
        document(format!("{{ apiToken(id: {secret}) {{ id }} }}")),
        document(format!("{{ ...{secret} }}")),
        document(format!("query (${secret}: ID!) {{ __typename }}")),
        document(format!("{{ __typename @{secret} }}")),
        document(format!("{{ __type(name: \"{secret}\") {{ name }} }}")),
        run.server.request(Method::POST, "/graphql").body(secret.to_owned()),
        post(json!([secret])),
        post(json!(secret)),
        get("/graphql?query=%7Bx%7D".to_owned()).bearer_auth(secret),
        header("authorization", format!("Basic {secret}")),
        header("authorization", format!("Token {secret}")),
        header("authorization", secret.to_owned()),
        header("authorization", format!("Bearer {secret} {secret}")),
        header("authorization", format!("Bearer  {secret}")),
        header("authorization", format!("Bearer:{secret}")),
        header("authorization", format!("Bearer {secret}")).header("authorization", secret),
        header("cookie", format!("token={secret}")),
        header("user-agent", secret.to_owned()),
        header("referer", format!("http://localhost/?{secret}")),
        header("host", secret.to_owned()),
        header("accept", secret.to_owned()),
        header("origin", secret.to_owned()),
        header("content-type", secret.to_owned()),
        header("x-forwarded-for", secret.to_owned()),
        header("x-request-id", proof.proof().to_owned()),
        header(secret, secret.to_owned()),
        run.server.request(Method::from_bytes(secret.as_bytes()).unwrap(), "/graphql"),
    ]
}

/// The same, as Envoy asks.
fn misplaced_by_grpc(admin: &str, secret: &str) -> Vec<tonic::Request<CheckRequest>> {
    let by_admin = || Said::bearer(admin, READ);
    let asked = |said: &Said<'_>| said.question().into_request();
    let mut in_metadata = asked(&by_admin());
    let metadata = in_metadata.metadata_mut();
    metadata.insert("authorization", format!("Bearer {secret}").parse().unwrap());
    metadata.insert("user-agent", secret.parse().unwrap());
    metadata.insert("grpc-timeout", secret.parse().unwrap());
    let mut in_path = by_admin().question();
    let http =
        in_path.attributes.as_mut().unwrap().request.as_mut().unwrap().http.as_mut().unwrap();
    http.path = format!("/?access_token={secret}");
    http.query = secret.to_owned();
    http.host = secret.to_owned();
    http.id = secret.to_owned();
    http.body = secret.to_owned();
    http.method = secret.to_owned();
    let attributes = in_path.attributes.as_mut().unwrap();
    attributes.context_extensions.insert(secret.to_owned(), secret.to_owned());
    attributes.source.as_mut().unwrap().principal = secret.to_owned();
    vec![
        in_metadata,
        in_path.into_request(),
        asked(&Said::bearer(admin, secret)),
        asked(&by_admin().from(secret)),
        asked(&by_admin().with("x-request-id", secret)),
        asked(&by_admin().with("x-forwarded-for", secret)),
        asked(&by_admin().with(secret, secret)),
        asked(&by_admin().with("authorization", secret)),
        asked(&Said { raw: true, ..by_admin().with("authorization", secret) }),
        asked(&Said { headers: vec![("authorization", secret.to_owned())], ..by_admin() }),
    ]
}

async fn nothing_is_left_behind(format: &str) {
    let run = Run::whole(format).await;
    let hashes = run.database.texts("SELECT secret_hash AS text FROM api_tokens");
    // While the server runs and when it has ended: the WAL is written into the file some time.
    let mut places = Place::kept(&run.database);
    assert!(places.iter().any(|place| place.name == TestDatabase::NEWEST));
    let ended = run.server.stop();
    places.extend(Place::kept(&run.database));
    let log = Place::new("the log", ended.stderr);

    assert!(run.ids.iter().all(|id| log.has(id)), "the log tells which tokens were made");
    assert!(log.has("DEBUG") && log.has("authentication refused"));
    for stored in ["two of three", hashes[0].as_str()] {
        assert!(places.iter().any(|place| place.has(stored)), "{stored} is looked at");
    }
    assert_eq!(hashes.len(), 5);
    for hash in &hashes {
        assert!(!log.has(hash), "{hash}");
    }
    places.extend([log, Place::new("standard output", ended.stdout)]);
    places.extend(run.places);
    if let Some(password) = TestDatabase::password() {
        assert!(run.database.url_text().contains(&password));
        assert!(places.iter().all(|place| !place.has(&password)), "{password}");
    }
    assert_eq!(leaks(&places, &run.secrets), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_the_database_nor_a_log_of_text_hold_a_secret() {
    nothing_is_left_behind("text").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_the_database_nor_a_log_of_json_hold_a_secret() {
    nothing_is_left_behind("json").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_repeats_a_secret_that_was_sent() {
    let run = Run::whole("text").await;
    assert!(run.answers.len() > 500);
    let told = ["currentApiToken", "invalid_token", "syntax error", "validation", "expiry_syntax"];
    for told in told {
        assert!(run.answers.iter().any(|answer| answer.has(told)), "{told}");
    }
    assert_eq!(leaks(&run.answers, &run.secrets), [""; 0]);
}

#[test]
fn debugging_shows_no_secret() {
    let url = "postgres://someone:hidden-word@localhost/db";
    let secret = unknown();
    let hash = "$2b$04$hidden-word";
    let arguments = ["tokenwright", "serve", "--database-url", url];
    let cli = Cli::read(arguments.map(Into::into).to_vec(), Vec::new()).unwrap();
    let shown = [
        format!("{:?}", DatabaseUrl::parse(url).unwrap()),
        format!("{:?}", url.parse::<DatabaseUrlText>().unwrap()),
        format!("{:?}", SecretHash::new(hash.to_owned())),
        format!("{secret:?} {:#?}", Some(&secret)),
        format!("{cli:?} {cli:#?}"),
    ];
    for shown in shown {
        assert_ne!(shown, "");
        assert!(!shown.contains("hidden-word"), "{shown}");
        assert!(!shown.contains(secret.proof()), "{shown}");
    }
}
