//! `admin create-token`.

use serde_json::json;

use super::CREATE_TOKEN;
use crate::support::{Binary, administrator, assert_ended, migrated};

#[tokio::test(flavor = "multi_thread")]
async fn admin_makes_a_token_that_a_running_server_knows() {
    let database = migrated();
    let server = Binary::on(&database, &["serve"]).serve();
    let made = Binary::on(&database, &CREATE_TOKEN).run();
    assert_ended(&made, 0, "tok_");
    let secret = made.stdout.strip_suffix('\n').unwrap();
    assert_eq!((secret.len(), secret.get(..4)), (76, Some("twr_")));
    assert!(!made.stderr.contains(secret));

    let query = "{ currentApiToken { name createdUserInfo { userName } permissions } }";
    let answer = server.graphql(secret, query, json!({})).await;
    let token = &answer.data()["currentApiToken"];
    assert_eq!(token["name"], "operator");
    assert_eq!(token["createdUserInfo"]["userName"], "system");
    assert_eq!(token["permissions"].as_array().unwrap().len(), 64);
    let actors = database.texts("SELECT actor_user_name AS text FROM audit_events");
    assert_eq!(actors, ["system"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn admin_gives_no_more_than_it_is_told_to() {
    let database = migrated();
    let server = Binary::on(&database, &["serve"]).serve();
    let narrow = |address: &'static str| {
        let arguments = ["admin", "create-token", "--expires-in", "1h", "--name", address];
        let permissions = ["--permission", "api.users.read", "--permission", "api.tasks.read"];
        let made = Binary::on(&database, &arguments)
            .args(&permissions)
            .args(&["--allowed-address", address])
            .run();
        assert_ended(&made, 0, "");
        made.stdout.trim_end().to_owned()
    };
    let query = "{ currentApiToken { permissions allowedAddresses } }";
    let here = server.graphql(&narrow("127.0.0.0/8"), query, json!({})).await;
    let expected = json!({
        "permissions": ["API_USERS_READ", "API_TASKS_READ"], "allowedAddresses": ["127.0.0.0/8"],
    });
    assert_eq!(here.data()["currentApiToken"], expected);
    let elsewhere = server.graphql(&narrow("192.0.2.1"), query, json!({})).await;
    assert_eq!(elsewhere.status, 403);
}

#[test]
fn admin_lists_every_fault() {
    let database = migrated();
    let arguments = ["admin", "create-token", "--name", " ", "--expires-in", "9000d"];
    let ended = Binary::on(&database, &arguments)
        .args(&["--permission", "api.nonsense.read", "--permission", "nonsense"])
        .args(&["--allowed-address", "10.0.0.1/8"])
        .run();
    assert_ended(&ended, 1, "--name: ");
    assert_ended(&ended, 1, "--expires-in: ");
    assert_ended(&ended, 1, "--allowed-address: `10.0.0.1/8`");
    for told in [
        "--permission: There is no permission `api.nonsense.read` on this server.",
        "--permission: There is no permission `nonsense` on this server.",
    ] {
        assert_ended(&ended, 1, told);
    }
    assert_eq!(ended.stdout, "");
    assert_eq!(database.count("api_tokens"), 0);

    administrator(&database, "operator");
    let taken = Binary::on(&database, &CREATE_TOKEN).run();
    assert_ended(&taken, 1, "name: ");
}

#[test]
fn admin_is_told_either_all_permissions_or_which() {
    let database = migrated();
    let arguments = ["admin", "create-token", "--name", "a", "--expires-in", "1h"];
    let with = |more: &[&str]| Binary::on(&database, &arguments).args(more).run();
    assert_ended(&with(&[]), 2, "--all-permissions");
    let both = with(&["--all-permissions", "--permission", "api.users.read"]);
    assert_ended(&both, 2, "--all-permissions");
    assert_eq!(database.count("api_tokens"), 0);
}
