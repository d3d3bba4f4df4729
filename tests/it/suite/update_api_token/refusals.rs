//! Every input that is refused, changing nothing.

use serde_json::{Value, json};

use super::{assert_refused, update, updated};
use crate::support::{TestApp, UNKNOWN_TOKEN, made, works};

const STALE: &str = "CONFLICT version version_stale";

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_version_is_refused_and_told_the_current_one() {
    let app = TestApp::start().await;
    let token = made(&app, "ci", json!({})).await;
    let input = json!({ "id": token.id, "version": 1, "enabled": false });
    updated(&update(&app, &app.admin, input).await);
    for version in [1, 0, -1, 3, i32::MIN, i32::MAX] {
        // Also where the input has faults: who is behind looks first.
        for mut input in [json!({ "enabled": true }), json!({ "name": "", "permissions": [] })] {
            (input["id"], input["version"]) = (json!(token.id), json!(version));
            let answer = assert_refused(&app, &app.admin, input, &[STALE]).await;
            assert_eq!(answer.json["errors"][0]["extensions"]["currentVersion"], 2);
            assert!(answer.message().contains("version is now 2"), "{}", answer.message());
        }
    }
    let input = json!({ "id": token.id, "version": 2, "enabled": true });
    assert_eq!(updated(&update(&app, &app.admin, input).await)["version"], 3);
    assert!(works(&app, &token.secret).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_faults_are_told_together() {
    let app = TestApp::start().await;
    let token = made(&app, "ci", json!({ "allowedAddresses": ["10.0.0.0/8"] })).await;
    let input = json!({
        "id": token.id, "version": 1, "name": "ADMINISTRATOR", "enabled": false, "expiry": "soon",
        "permissions": ["API_USERS_READ", "API_ORGANIZATIONS_READ"],
        "allowedAddresses": ["10.0.0.1/8", "10.0.0.1", "::1", "x"],
    });
    let expected = [
        "CONFLICT name name_taken",
        "BAD_USER_INPUT expiry expiry_syntax",
        "BAD_USER_INPUT permissions permission_widened",
        "BAD_USER_INPUT allowedAddresses address_host_bits",
        "BAD_USER_INPUT allowedAddresses addresses_widened",
        "BAD_USER_INPUT allowedAddresses address_syntax",
    ];
    let answer = assert_refused(&app, &app.admin, input, &expected).await;
    let errors = answer.json["errors"].as_array().unwrap();
    let indices: Vec<&Value> = errors.iter().map(|error| &error["extensions"]["index"]).collect();
    assert_eq!(indices, [&json!(null), &json!(null), &json!(0), &json!(0), &json!(2), &json!(3)]);
    let input = json!({ "id": token.id, "version": 1, "allowedAddresses": vec!["::1"; 500] });
    let widened = ["BAD_USER_INPUT allowedAddresses addresses_widened"; 10];
    assert_refused(&app, &app.admin, input, &widened).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_field_is_refused_with_its_reason() {
    let app = TestApp::start().await;
    let token = made(&app, "ci", json!({})).await;
    made(&app, "other", json!({})).await;
    let addresses = |count: u32| -> Vec<String> {
        (0..count).map(|n| std::net::Ipv4Addr::from(0x0a00_0000 + n).to_string()).collect()
    };
    for (mut input, expected) in [
        (json!({ "name": "" }), "BAD_USER_INPUT name name_empty"),
        (json!({ "name": "\u{34f}" }), "BAD_USER_INPUT name name_blank"),
        (json!({ "name": "one\ntwo" }), "BAD_USER_INPUT name name_control_character"),
        (json!({ "name": "n".repeat(201) }), "BAD_USER_INPUT name name_too_long"),
        (json!({ "name": "Ｏther" }), "CONFLICT name name_taken"),
        (json!({ "permissions": [] }), "BAD_USER_INPUT permissions permissions_empty"),
        (json!({ "expiry": "2027-02-30T12:00:00Z" }), "BAD_USER_INPUT expiry expiry_syntax"),
        (
            json!({ "allowedAddresses": ["fe80::1%eth0"] }),
            "BAD_USER_INPUT allowedAddresses address_zone_id",
        ),
        (
            json!({ "allowedAddresses": addresses(1001) }),
            "BAD_USER_INPUT allowedAddresses addresses_too_many",
        ),
    ] {
        (input["id"], input["version"]) = (json!(token.id), json!(1));
        assert_refused(&app, &app.admin, input, &[expected]).await;
    }
    let most = json!({ "id": token.id, "version": 1, "allowedAddresses": addresses(1000) });
    let answer = update(&app, &app.admin, most).await;
    assert_eq!(updated(&answer)["allowedAddresses"].as_array().unwrap().len(), 1000);
    let same = json!({ "id": token.id, "version": 2, "allowedAddresses": addresses(1000) });
    assert_eq!(updated(&update(&app, &app.admin, same).await)["version"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_another_shape_is_refused() {
    let app = TestApp::start().await;
    let token = made(&app, "ci", json!({})).await;
    for mut input in [
        json!({ "id": null }),
        json!({ "version": null }),
        json!({ "version": "1" }),
        json!({ "version": 2_147_483_648_i64 }),
        json!({ "enabled": "false" }),
        json!({ "name": ["x"] }),
        json!({ "permissions": ["API_NONSENSE"] }),
        json!({ "permissions": [null] }),
        json!({ "secret": "x" }),
    ] {
        for (field, value) in [("id", json!(token.id)), ("version", json!(1))] {
            if input.get(field).is_none() {
                input[field] = value;
            }
        }
        let answer = update(&app, &app.admin, input.clone()).await;
        assert!(answer.json["data"]["updateApiToken"].is_null(), "{input}: {}", answer.text);
        assert!(answer.errors()[0].starts_with("BAD_USER_INPUT"), "{}", answer.text);
    }
    let missing = update(&app, &app.admin, json!({ "id": token.id, "enabled": false })).await;
    assert!(missing.json.get("data").is_none(), "the version is required: {}", missing.text);
    assert!(works(&app, &token.secret).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_is_none_is_bad_input() {
    let app = TestApp::start().await;
    let token = made(&app, "ci", json!({})).await;
    let event = token.id.replace("tok_", "evt_");
    for id in ["", "x", "tok_' OR 1=1 --", &token.secret, &token.user_id, &event] {
        let input = json!({ "id": id, "version": 1, "enabled": false });
        let expected = ["BAD_USER_INPUT id id_syntax"];
        let answer = assert_refused(&app, &app.admin, input, &expected).await;
        assert!(!answer.text.contains(&token.secret), "{}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_its_permission() {
    let app = TestApp::start().await;
    let others = ["API_API_TOKENS_READ", "API_API_TOKENS_DELETE", "API_USERS_READ"];
    let by = made(&app, "reader", json!({ "permissions": others })).await;
    for id in [&by.id, UNKNOWN_TOKEN, "x"] {
        let input = json!({ "id": id, "version": 9, "name": "" });
        let expected = ["FORBIDDEN permission_missing"];
        let answer = assert_refused(&app, &by.secret, input, &expected).await;
        let extensions = &answer.json["errors"][0]["extensions"];
        assert_eq!(extensions["permission"], "api.api-tokens.write");
    }
    let document = format!(
        "mutation {{ updateApiToken(input: {{ id: \"{}\", version: 1, enabled: false }})
         {{ apiToken {{ id }} }} }}",
        by.id
    );
    let anonymous = app.post().body(json!({ "query": document }).to_string());
    assert_eq!(anonymous.send().await.unwrap().status(), 401);
    let url = reqwest::Url::parse_with_params(&app.url(), [("query", document)]).unwrap();
    let by_get = app.http.get(url).bearer_auth(&app.admin).send().await.unwrap();
    assert_eq!(by_get.status(), 405);
    assert!(works(&app, &by.secret).await);
}
