//! `createApiToken`: what is made, and every input that is refused.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{Answer, ManualClock, Options, TestApp};

/// The refusals of one input, as `CODE field reason`.
async fn refusals(app: &TestApp, more: Value) -> Vec<String> {
    let before = (app.database.count("api_tokens"), app.database.count("users"));
    let answer = app.create(&app.admin, app.input("fine", more)).await;
    assert_eq!(answer.status, 200);
    assert!(answer.json["data"]["createApiToken"].is_null(), "{}", answer.text);
    let after = (app.database.count("api_tokens"), app.database.count("users"));
    assert_eq!(before, after, "nothing is half done");
    answer.errors()
}

fn token(answer: &Answer) -> &Value {
    &answer.data()["createApiToken"]["apiToken"]
}

#[tokio::test(flavor = "multi_thread")]
async fn makes_a_token_with_its_own_user_that_works_at_once() {
    let app = TestApp::start().await;
    let expiry = app.in_time(TimeDelta::days(30));
    let input = json!({
        "name": "  Build № 1 ",
        "expiry": expiry,
        "permissions": ["API_USERS_READ", "API_ORGANIZATIONS_READ", "API_USERS_READ"],
        "allowedAddresses": ["127.0.0.1/32", "2001:DB8:0::/32", "127.0.0.1"],
    });
    let answer = app.create(&app.admin, input).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    let made = token(&answer);
    assert_eq!(made["version"], 1);
    assert_eq!(made["name"], "  Build № 1 ");
    assert_eq!(made["expiry"], expiry);
    assert_eq!(made["status"], "ACTIVE");
    assert_eq!(made["permissions"], json!(["API_ORGANIZATIONS_READ", "API_USERS_READ"]));
    assert_eq!(made["allowedAddresses"], json!(["127.0.0.1", "2001:db8::/32"]));
    assert_eq!(made["creationDate"], made["lastModifiedDate"]);
    assert!(made["creationDate"].as_str().unwrap().ends_with('Z'));
    assert_eq!(made["createdUserInfo"]["userName"], "administrator");
    assert_eq!(made["createdUserInfo"], made["lastModifiedUserInfo"]);

    let secret = answer.data()["createApiToken"]["token"].as_str().unwrap();
    let partial = made["partialToken"].as_str().unwrap();
    assert!(secret.starts_with(partial.trim_end_matches('*')));
    assert!(partial.ends_with("***"));

    let query = "{ currentApiToken { id } currentUser { id name serviceAccount enabled version } }";
    let answer = app.query(secret, query).await;
    let own = answer.data();
    assert_eq!(own["currentApiToken"]["id"], made["id"]);
    assert_eq!(own["currentUser"]["id"], made["userId"]);
    assert_eq!(own["currentUser"]["name"], made["name"]);
    assert_eq!(own["currentUser"]["serviceAccount"], true);
    assert_eq!(own["currentUser"]["enabled"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_who_did_what_in_the_same_transaction() {
    let app = TestApp::start().await;
    let answer = app.create(&app.admin, app.input("audited", json!({}))).await;
    let request_id = answer.header("x-request-id");
    let events = |column: &str| {
        app.database.texts(&format!(
            "SELECT {column} AS text FROM audit_events e \
             JOIN api_tokens t ON t.id = e.target_id \
             JOIN api_tokens a ON a.id = e.actor_api_token_id WHERE t.name = 'audited'"
        ))
    };
    assert_eq!(events("e.action"), ["api_token_created"]);
    assert_eq!(events("e.actor_user_name"), ["administrator"]);
    assert_eq!(events("e.client_address"), ["127.0.0.1"]);
    assert_eq!(events("e.request_id"), [request_id]);
    assert_eq!(events("a.name"), ["administrator"], "the token that the actor came with");
    let changes: Value = serde_json::from_str(&events("e.changes")[0]).unwrap();
    let fields: Vec<&str> =
        changes.as_array().unwrap().iter().map(|c| c["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["name", "expiry", "permissions", "allowedAddresses"]);
    assert_eq!(changes[0]["before"], Value::Null);
    assert_eq!(changes[0]["after"], "audited");
    assert_eq!(changes[2]["after"], "api.organizations.read");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_cannot_be_written_takes_token_and_user_with_it() {
    let app = TestApp::start().await;
    app.database.refuse_inserts("audit_events", "the disk of secrets is full");
    let before = (app.database.count("api_tokens"), app.database.count("users"));
    let answer = app.create(&app.admin, app.input("half", json!({}))).await;
    assert!(!answer.text.contains("disk of secrets"), "errors show no internals");
    assert!(answer.json["data"]["createApiToken"].is_null());
    let after = (app.database.count("api_tokens"), app.database.count("users"));
    assert_eq!(before, after);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_refused_with_a_reason() {
    let app = TestApp::start().await;
    for (name, reason) in [
        (String::new(), "name_empty"),
        (" \u{a0}\u{3000}".to_owned(), "name_blank"),
        ("\u{34f}\u{fe0f}".to_owned(), "name_blank"),
        ("one\u{fffe}".to_owned(), "name_control_character"),
        ("one\ntwo".to_owned(), "name_control_character"),
        ("n".repeat(201), "name_too_long"),
    ] {
        let expected = [format!("BAD_USER_INPUT name {reason}")];
        assert_eq!(refusals(&app, json!({ "name": name })).await, expected);
    }
    for name in ["n".to_owned(), "ü".repeat(200)] {
        token(&app.create(&app.admin, app.input(&name, json!({}))).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_token_has_its_name_alone() {
    let app = TestApp::start().await;
    token(&app.create(&app.admin, app.input("ci", json!({}))).await);
    for name in ["ci", "CI", "Ｃｉ", "  ci\u{a0} "] {
        let taken = refusals(&app, json!({ "name": name })).await;
        assert_eq!(taken, ["CONFLICT name name_taken"]);
    }
    app.database.execute("UPDATE api_tokens SET deleted_date = creation_date WHERE name = 'ci'");
    token(&app.create(&app.admin, app.input("Ｃｉ", json!({}))).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_thirty_at_once_one_gets_the_name() {
    let app = TestApp::start().await;
    // No more than may wait to be hashed at once: one more would be told to try again.
    let race = (0..30).map(|_| app.create(&app.admin, app.input("contested", json!({}))));
    let answers = futures_util::future::join_all(race).await;
    let (won, lost): (Vec<&Answer>, Vec<&Answer>) =
        answers.iter().partition(|answer| answer.json["errors"].is_null());
    assert_eq!(won.len(), 1);
    for answer in lost {
        assert_eq!(answer.errors(), ["CONFLICT name name_taken"]);
    }
    let users = app.database.texts("SELECT id AS text FROM users WHERE name = 'contested'");
    assert_eq!(users.len(), 1, "the losers leave no user behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_expiry_is_in_the_future_and_within_the_maximum_lifetime() {
    let clock = ManualClock::at("2026-11-01T12:00:00.5Z".parse().unwrap());
    let app = TestApp::with(Options { clock, ..Options::default() }).await;
    let years = TimeDelta::days(730);
    for (expiry, reason) in [
        (app.in_time(TimeDelta::seconds(-1)), "expiry_past"),
        (app.in_time(TimeDelta::microseconds(-1)), "expiry_past"),
        (app.in_time(TimeDelta::zero()), "expiry_past"),
        ("1999-12-31T23:59:59Z".to_owned(), "expiry_past"),
        (app.in_time(years + TimeDelta::microseconds(1)), "expiry_too_far"),
        (app.in_time(years + TimeDelta::seconds(1)), "expiry_too_far"),
        ("9999-12-31T23:59:59Z".to_owned(), "expiry_too_far"),
        ("2027-01-31T12:00:00".to_owned(), "expiry_syntax"),
        ("2027-01-31".to_owned(), "expiry_syntax"),
        ("2027-01-30T12:00:60Z".to_owned(), "expiry_syntax"),
        ("2027-01-31T12:00:00\u{2212}08:00".to_owned(), "expiry_syntax"),
        ("tomorrow".to_owned(), "expiry_syntax"),
        ("2027-02-30T12:00:00Z".to_owned(), "expiry_syntax"),
    ] {
        let expected = [format!("BAD_USER_INPUT expiry {reason}")];
        assert_eq!(refusals(&app, json!({ "expiry": expiry })).await, expected, "{expiry}");
    }
    let soonest = json!({ "expiry": app.in_time(TimeDelta::microseconds(1)) });
    token(&app.create(&app.admin, app.input("soonest", soonest)).await);
    let last = json!({ "expiry": app.in_time(years) });
    token(&app.create(&app.admin, app.input("longest", last)).await);
    let zoned = json!({ "expiry": "2027-01-31T12:00:00.123456789+02:00" });
    let answer = app.create(&app.admin, app.input("zoned", zoned)).await;
    assert_eq!(token(&answer)["expiry"], "2027-01-31T10:00:00.123456Z");
}

#[tokio::test(flavor = "multi_thread")]
async fn permissions_are_known_and_at_least_one() {
    let app = TestApp::start().await;
    let none = refusals(&app, json!({ "permissions": [] })).await;
    assert_eq!(none, ["BAD_USER_INPUT permissions permissions_empty"]);

    let unknown = json!({ "permissions": ["API_ORGANIZATIONS_READ", "API_NONSENSE"] });
    let answer = app.create(&app.admin, app.input("unknown", unknown)).await;
    assert_eq!(answer.errors(), ["BAD_USER_INPUT permissions validation"]);
    assert!(answer.json.get("data").is_none(), "it is refused before anything runs");

    let literal = "mutation { createApiToken(input: { name: \"a\", expiry: \"2027-01-01T00:00:00Z\", \
                   permissions: [API_NONSENSE] }) { token } }";
    let answer = app.query(&app.admin, literal).await;
    assert_eq!(answer.errors(), ["BAD_USER_INPUT permissions validation"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_are_read_strictly() {
    let app = TestApp::start().await;
    for (address, reason, hint) in [
        ("010.0.0.1", "address_syntax", "leading zeros"),
        ("10.0.0.1/8", "address_host_bits", "10.0.0.0/8"),
        ("::ffff:10.0.0.1", "address_ipv4_mapped", "`10.0.0.1`"),
        ("::ffff:10.0.0.0/8", "address_ipv4_mapped", "`10.0.0.0/8`"),
        ("::ffff:10.0.0.0/104", "address_ipv4_mapped", "`10.0.0.0/8`"),
        ("fe80::1%eth0", "address_zone_id", "zone"),
        ("example.org", "address_syntax", "CIDR"),
    ] {
        let addresses = json!({ "allowedAddresses": ["192.0.2.1", address] });
        let answer = app.create(&app.admin, app.input("strict", addresses)).await;
        assert_eq!(answer.errors(), [format!("BAD_USER_INPUT allowedAddresses {reason}")]);
        assert_eq!(answer.json["errors"][0]["extensions"]["index"], 1);
        assert!(answer.message().contains(hint), "{}", answer.message());
    }
    let addresses = |count: u32| -> Vec<String> {
        (0..count).map(|n| std::net::Ipv4Addr::from(0x0a00_0000 + n).to_string()).collect()
    };
    let too_many = refusals(&app, json!({ "allowedAddresses": addresses(1001) })).await;
    assert_eq!(too_many, ["BAD_USER_INPUT allowedAddresses addresses_too_many"]);
    let most = json!({ "allowedAddresses": addresses(1000) });
    let answer = app.create(&app.admin, app.input("most", most)).await;
    assert_eq!(token(&answer)["allowedAddresses"].as_array().unwrap().len(), 1000);
    let everywhere = json!({ "allowedAddresses": ["0.0.0.0/0"] });
    let answer = app.create(&app.admin, app.input("any IPv4", everywhere)).await;
    assert_eq!(token(&answer)["allowedAddresses"], json!(["0.0.0.0/0"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn all_faults_are_told_together() {
    let app = TestApp::start().await;
    let faults = refusals(
        &app,
        json!({
            "name": "ADMINISTRATOR", "expiry": "soon", "permissions": [],
            "allowedAddresses": ["10.0.0.1/8", "10.0.0.1", "x"],
        }),
    )
    .await;
    assert_eq!(
        faults,
        [
            "CONFLICT name name_taken",
            "BAD_USER_INPUT expiry expiry_syntax",
            "BAD_USER_INPUT permissions permissions_empty",
            "BAD_USER_INPUT allowedAddresses address_host_bits",
            "BAD_USER_INPUT allowedAddresses address_syntax",
        ]
    );
    let many = refusals(&app, json!({ "allowedAddresses": vec!["x"; 500] })).await;
    assert_eq!(many.len(), 10, "and not five hundred");
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_its_permission() {
    let app = TestApp::start().await;
    let reader = app.input("reader", json!({ "permissions": ["API_API_TOKENS_READ"] }));
    let reader = app.secret(&app.admin, reader).await;
    let answer = app.create(&reader, app.input("x", json!({ "name": "" }))).await;
    assert_eq!(answer.errors(), ["FORBIDDEN permission_missing"]);
    assert_eq!(answer.json["errors"][0]["extensions"]["permission"], "api.api-tokens.write");
    assert_eq!(answer.json["errors"][0]["path"], json!(["createApiToken"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_makes_none_that_reaches_further() {
    let app = TestApp::start().await;
    let narrow = app.input(
        "narrow",
        json!({
            "permissions": ["API_API_TOKENS_WRITE", "API_ORGANIZATIONS_READ"],
            "allowedAddresses": ["127.0.0.0/9", "127.128.0.0/9", "10.0.0.0/24"],
        }),
    );
    let narrow = app.secret(&app.admin, narrow).await;
    let attempt = async |more: Value| app.create(&narrow, app.input("made", more)).await.errors();

    let wider = json!({
        "permissions": ["API_ORGANIZATIONS_READ", "API_ORGANIZATIONS_WRITE"],
        "allowedAddresses": ["127.0.0.1"],
    });
    assert_eq!(attempt(wider).await, ["FORBIDDEN permissions permission_beyond_reach"]);
    for addresses in [json!(["10.0.0.0/23"]), json!(["::1"]), json!(["0.0.0.0/0"])] {
        let wider = json!({ "allowedAddresses": addresses });
        let expected = ["FORBIDDEN allowedAddresses addresses_beyond_reach"];
        assert_eq!(attempt(wider).await, expected);
    }
    let any = attempt(json!({})).await;
    assert_eq!(any, ["FORBIDDEN allowedAddresses addresses_beyond_reach"]);
    let null = attempt(json!({ "allowedAddresses": null })).await;
    assert_eq!(null, ["BAD_USER_INPUT allowedAddresses addresses_null"]);
    // Two halves of the caller's own make a whole.
    assert!(attempt(json!({ "allowedAddresses": ["127.0.0.0/8", "10.0.0.7"] })).await.is_empty());
}

/// Where the type of the elements refuses one, nothing runs; the error names it all the same.
#[tokio::test(flavor = "multi_thread")]
async fn the_wrong_entry_of_a_list_is_named() {
    let app = TestApp::start().await;
    let long = "X".repeat(5_000);
    let names = |answer: &Answer, field: &str, index: usize, value: &str| {
        let error = &answer.json["errors"][0];
        let message = error["message"].as_str().unwrap();
        assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT", "{message}");
        assert_eq!(error["extensions"]["field"], field, "{message}");
        assert_eq!(error["extensions"]["index"], index, "{message}");
        assert!(message.contains(value), "{message} has {value}");
        assert!(answer.text.len() < 1_000, "{message}");
    };
    for (field, list, index, value) in [
        ("permissions", json!(["API_USERS_READ", "API_USERS_RAED"]), 1, "`API_USERS_RAED`"),
        ("permissions", json!([7]), 0, "`7`"),
        ("permissions", json!([long]), 0, "`XXXX"),
        ("permissions", json!(["a\u{7}b\nc"]), 0, "`abc`"),
        ("permissions", json!([app.admin]), 0, "_******`"),
        ("allowedAddresses", json!(["192.0.2.1", "192.0.2.2", 10]), 2, "`10`"),
        ("allowedAddresses", json!(["192.0.2.1", true]), 1, "`true`"),
        ("allowedAddresses", json!([null]), 0, "null"),
        ("allowedAddresses", json!(["192.0.2.1", {}]), 1, "type IpNetwork"),
    ] {
        let answer = app.create(&app.admin, app.input("list", json!({ field: list }))).await;
        names(&answer, field, index, value);
    }
    let create = |field: &str, list: &str| {
        let expiry = app.in_time(TimeDelta::days(1));
        let permissions = if field == "permissions" { "" } else { "permissions: [API_USERS_READ]" };
        format!(
            "mutation {{ createApiToken(input: {{ name: \"list\" expiry: \"{expiry}\"
            {permissions} {field}: {list} }}) {{ token }} }}"
        )
    };
    for (field, list, index, value) in [
        ("permissions", "[API_USERS_READ API_USERS_RAED]", 1, "`API_USERS_RAED`"),
        ("permissions", "[\"API_USERS_READ\"]", 0, "`API_USERS_READ`"),
        ("permissions", "[API_USERS_READ, API_USERS_READ, 7]", 2, "`7`"),
        ("permissions", &format!("[{long}]"), 0, "`XXXX"),
        ("permissions", &format!("[\"{}\"]", app.admin), 0, "_******`"),
        ("allowedAddresses", "[\"192.0.2.1\", 10]", 1, "`10`"),
        ("allowedAddresses", "[\"192.0.2.1\", API]", 1, "`API`"),
        ("allowedAddresses", "[null]", 0, "null"),
        ("allowedAddresses", "[\"192.0.2.1\", [\"192.0.2.2\"]]", 1, "IpNetwork"),
    ] {
        names(&app.query(&app.admin, &create(field, list)).await, field, index, value);
    }
    // In no list there is no index, and the value may be anything.
    let input = app.input("no list", json!({ "name": 7 }));
    let answer = app.create(&app.admin, input).await;
    assert_eq!(answer.json["errors"][0]["extensions"]["field"], "name");
    assert!(answer.json["errors"][0]["extensions"]["index"].is_null(), "{}", answer.text);
    assert_eq!(app.database.count("api_tokens"), 1);
}

/// A client that has lost its list sends null; one that wants no list leaves it out, also through a
/// variable that has no value.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_list_of_addresses_makes_no_token() {
    let app = TestApp::start().await;
    let expected = ["BAD_USER_INPUT allowedAddresses addresses_null"];
    assert_eq!(refusals(&app, json!({ "allowedAddresses": null })).await, expected);
    let faults = refusals(&app, json!({ "allowedAddresses": null, "name": "" })).await;
    assert_eq!(faults, ["BAD_USER_INPUT name name_empty", expected[0]]);

    let create = |name: &str, addresses: &str| {
        let expiry = app.in_time(TimeDelta::days(1));
        let variables = if addresses.contains('$') { "($addresses: [IpNetwork!])" } else { "" };
        format!(
            "mutation {variables} {{ createApiToken(input: {{ name: \"{name}\"
            expiry: \"{expiry}\" permissions: [API_ORGANIZATIONS_READ] {addresses} }}) {{
            apiToken {{ allowedAddresses }} }} }}"
        )
    };
    let variable = "allowedAddresses: $addresses";
    for (text, variables) in
        [("allowedAddresses: null", json!({})), (variable, json!({ "addresses": null }))]
    {
        let answer = app.graphql(&app.admin, &create("lost", text), variables).await;
        assert_eq!(answer.errors(), expected, "{text}");
    }
    for (name, text) in
        [("left out", ""), ("no value", variable), ("empty", "allowedAddresses: []")]
    {
        let answer = app.query(&app.admin, &create(name, text)).await;
        assert_eq!(token(&answer)["allowedAddresses"], json!([]), "{text}");
    }
    let list = json!({ "addresses": ["192.0.2.0/24"] });
    let answer = app.graphql(&app.admin, &create("a list", variable), list.clone()).await;
    assert_eq!(token(&answer)["allowedAddresses"], list["addresses"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_fails_leaves_the_secret_of_another_alone() {
    let app = TestApp::start().await;
    let query = "mutation ($a: CreateApiTokenInput!, $b: CreateApiTokenInput!) {
        a: createApiToken(input: $a) { token } b: createApiToken(input: $b) { token }
        c: createApiToken(input: $a) { token }
    }";
    let variables = json!({
        "a": app.input("a", json!({})), "b": app.input("b", json!({ "permissions": [] })),
    });
    let answer = app.graphql(&app.admin, query, variables).await;
    assert!(answer.json["data"]["a"]["token"].is_string());
    assert!(answer.json["data"]["b"].is_null());
    assert!(answer.json["data"]["c"].is_null());
    let expected = ["BAD_USER_INPUT permissions permissions_empty", "CONFLICT name name_taken"];
    let mut errors = answer.errors();
    errors.sort();
    assert_eq!(errors, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_sets_the_maximum_lifetime() {
    let app =
        TestApp::with(Options { max_lifetime: TimeDelta::days(8), ..Options::default() }).await;
    let too_far = refusals(&app, json!({ "expiry": app.in_time(TimeDelta::days(9)) })).await;
    assert_eq!(too_far, ["BAD_USER_INPUT expiry expiry_too_far"]);

    let app =
        TestApp::with(Options { max_lifetime: TimeDelta::hours(200), ..Options::default() }).await;
    let expiry = json!({ "expiry": app.in_time(TimeDelta::days(9)) });
    let answer = app.create(&app.admin, app.input("fine", expiry)).await;
    let told = answer.message();
    assert!(told.contains("more than 8days 8h away"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mutation_is_not_given_up_with_its_secret() {
    let request_timeout = std::time::Duration::from_millis(1500);
    let app = TestApp::with(Options { request_timeout, ..Options::default() }).await;
    let lock = app.database.write_lock();
    let creating = app.create(&app.admin, app.input("patient", json!({})));
    let unlocking = async {
        // Longer than the timeout of a request, and shorter than the database's own patience.
        tokio::time::sleep(request_timeout * 2).await;
        drop(lock);
    };
    let (answer, ()) = futures_util::join!(creating, unlocking);
    assert!(answer.data()["createApiToken"]["token"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_takes_no_write_is_told_in_the_field() {
    let app = TestApp::start().await;
    let _lock = app.database.write_lock();
    let answer = app.create(&app.admin, app.input("refused", json!({}))).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.errors(), ["UNAVAILABLE"]);
    assert_eq!(answer.json["errors"][0]["extensions"]["retryAfter"], 1);
    assert_eq!(app.database.texts("SELECT name AS text FROM api_tokens").len(), 1);
}
