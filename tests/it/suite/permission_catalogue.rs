//! The permissions of another product: an operator's own catalogue.

use serde_json::{Value, json};
use tokenwright::domain::catalogue::Catalogue;

use crate::support::{Binary, Ended, Options, TestApp, TestDatabase, migrated, undo_migrations};

const BOOKSHOP: &str = include_str!("bookshop.toml");

/// The values of the enum in their order: the bookshop's own, then what the server itself asks for.
const NAMES: [&str; 15] = [
    "SHOP_BOOKS_READ",
    "SHOP_BOOKS_WRITE",
    "SHOP_BOOKS_DELETE",
    "SHOP_ORDERS_READ",
    "SHOP_ORDERS_WRITE",
    "SHOP_ORDERS_CANCEL",
    "SHOP_GIFT_CARDS_ISSUE",
    "SHOP_GIFT_CARDS_REDEEM",
    "STOCK_SHELVES_READ",
    "STOCK_SHELVES_WRITE",
    "API_USERS_READ",
    "API_API_TOKENS_READ",
    "API_API_TOKENS_WRITE",
    "API_API_TOKENS_DELETE",
    "API_POLICY_WRITE",
];

/// Where the deprecated one stands.
const DEPRECATED: usize = 7;

async fn with_catalogue(text: &str) -> TestApp {
    TestApp::with(Options { catalogue: Catalogue::from_toml(text).unwrap(), ..Options::default() })
        .await
}

/// One entry of a catalogue.
fn entry(code: &str) -> String {
    format!("[[permission]]\ncode = \"{code}\"\ndescription = \"Anything.\"\n")
}

/// The program with a catalogue of this text.
fn with_file(database: &TestDatabase, command: &[&str], text: &str) -> Binary {
    std::fs::write(database.folder().join("own.toml"), text).unwrap();
    Binary::on(database, command).args(&["--permissions", "own.toml"])
}

#[tokio::test(flavor = "multi_thread")]
async fn the_enum_has_the_operators_permissions_in_their_order() {
    let app = with_catalogue(BOOKSHOP).await;
    let query = "{ __type(name: \"Permission\") { enumValues(includeDeprecated: true)
        { name isDeprecated deprecationReason } } permissions { permission code resource action } }";
    let answer = app.query(&app.admin, query).await;
    let values = answer.data()["__type"]["enumValues"].as_array().unwrap();
    let names: Vec<&Value> = values.iter().map(|value| &value["name"]).collect();
    assert_eq!(names, NAMES);
    for (place, value) in values.iter().enumerate() {
        assert_eq!(value["isDeprecated"], place == DEPRECATED, "{value}");
    }
    let reason = "Gift cards are redeemed with shop.orders.write.";
    assert_eq!(values[DEPRECATED]["deprecationReason"], reason);
    let listed = answer.data()["permissions"].as_array().unwrap();
    let names: Vec<&Value> = listed.iter().map(|info| &info["permission"]).collect();
    assert_eq!(names, NAMES);
    assert_eq!(listed[6]["code"], "shop.gift-cards.issue");
    assert_eq!(listed[6]["resource"], "gift-cards");
    assert_eq!(listed[6]["action"], "issue");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_get_the_operators_permissions_and_no_others() {
    let app = with_catalogue(BOOKSHOP).await;
    let permissions = json!({ "permissions": ["STOCK_SHELVES_READ", "SHOP_BOOKS_READ"] });
    let answer = app.create(&app.admin, app.input("shop", permissions)).await;
    let made = &answer.data()["createApiToken"]["apiToken"];
    assert_eq!(made["permissions"], json!(["SHOP_BOOKS_READ", "STOCK_SHELVES_READ"]));
    let stored = TestDatabase::list(&["shop.books.read", "stock.shelves.read"]);
    let stored = format!("SELECT name AS text FROM api_tokens WHERE permissions = {stored}");
    assert_eq!(app.database.texts(&stored), ["shop"]);

    let others = json!({ "permissions": ["API_ORGANIZATIONS_READ"] });
    let answer = app.create(&app.admin, app.input("other", others)).await;
    assert_eq!(answer.errors(), ["BAD_USER_INPUT permissions validation"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deprecated_permission_is_granted_to_nobody_new() {
    let app = with_catalogue(BOOKSHOP).await;
    let input = app.input("new", json!({ "permissions": [NAMES[DEPRECATED]] }));
    // A caller that holds it itself may not hand it on either.
    let holder = app.input("holder", json!({ "permissions": ["API_API_TOKENS_WRITE"] }));
    let holder = app.secret(&app.admin, holder).await;
    let held = TestDatabase::list(&["api.api-tokens.write", "shop.gift-cards.redeem"]);
    app.database
        .execute(&format!("UPDATE api_tokens SET permissions = {held} WHERE name = 'holder'"));
    for caller in [&app.admin, &holder] {
        let refused = app.create(caller, input.clone()).await;
        let expected = ["BAD_USER_INPUT permissions permission_deprecated"];
        assert_eq!(refused.errors(), expected);
        assert!(refused.message().contains("shop.orders.write"), "{}", refused.text);
    }
    let own = app.query(&holder, "{ currentApiToken { permissions } }").await;
    let expected = json!([NAMES[DEPRECATED], "API_API_TOKENS_WRITE"]);
    assert_eq!(own.data()["currentApiToken"]["permissions"], expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deprecated_permission_keeps_its_effect() {
    let text =
        entry("shop.books.read") + &entry("api.users.read") + "deprecated = \"Not needed.\"\n";
    let app = with_catalogue(&text).await;
    let input = |name| app.input(name, json!({ "permissions": ["SHOP_BOOKS_READ"] }));
    let (holder, other) = (input("holder"), input("other"));
    let holder = app.secret(&app.admin, holder).await;
    let other = app.secret(&app.admin, other).await;
    let held = TestDatabase::list(&["api.users.read"]);
    app.database
        .execute(&format!("UPDATE api_tokens SET permissions = {held} WHERE name = 'holder'"));
    let made = app.query(&other, "{ currentUser { id } }").await;
    let id = made.data()["currentUser"]["id"].clone();
    let read = async |token: &str| {
        let query = "query ($id: ID!) { user(id: $id) { name } }";
        app.graphql(token, query, json!({ "id": id })).await
    };
    assert_eq!(read(&holder).await.data()["user"]["name"], "other");
    assert_eq!(read(&other).await.errors(), ["FORBIDDEN permission_missing"]);
}

/// Makes a token with these permissions.
fn create(database: &TestDatabase, name: &str, permissions: &[&str]) {
    let command = ["admin", "create-token", "--expires-in", "1d", "--name", name];
    let mut command = with_file(database, &command, BOOKSHOP);
    for permission in permissions {
        command = command.args(&["--permission", permission]);
    }
    let ended = command.run();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[test]
fn a_catalogue_without_what_live_tokens_hold_is_refused_at_the_start() {
    let database = migrated();
    let cancel = ["shop.orders.cancel"];
    create(&database, "first", &["shop.books.read", "shop.books.write"]);
    create(&database, "second", &["shop.books.read", "stock.shelves.read"]);
    create(&database, "deleted", &["shop.books.read", "shop.orders.cancel"]);
    create(&database, "also deleted", &cancel);
    database
        .execute("UPDATE api_tokens SET deleted_date = creation_date WHERE name LIKE '%deleted'");

    let rest = entry("stock.shelves.read");
    let serve = ["serve"];
    let admin = ["admin", "create-token", "--name", "x", "--expires-in", "1d", "--all-permissions"];
    for command in [&serve[..], &["dev"], &admin] {
        let ended = with_file(&database, command, &rest).run();
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        let told = "shop.books.read (2), shop.books.write (1);";
        assert!(ended.stderr.contains(told), "{}", ended.stderr);
        assert!(!ended.stderr.contains("shop.orders.cancel"), "{}", ended.stderr);
        assert!(ended.stderr.contains("deprecated"), "{}", ended.stderr);
    }
    // Neither deleted tokens nor deprecated codes are in the way.
    let deprecated = |code: &str| entry(code) + "deprecated = \"Gone.\"\n";
    let enough = rest + &deprecated("shop.books.read") + &deprecated("shop.books.write");
    with_file(&database, &serve, &enough).serve();
    let built_in = Binary::on(&database, &serve).run();
    assert_eq!(built_in.code, Some(1), "{}", built_in.stderr);
}

#[test]
fn what_was_held_before_catalogues_were_recorded_is_known_too() {
    let database = migrated();
    create(&database, "holder", &["shop.books.read", "shop.orders.cancel"]);
    undo_migrations(&database, "20261125000001");
    assert_eq!(Binary::on(&database, &["migrate"]).run().code, Some(0));
    let recorded = "SELECT code AS text FROM permissions ORDER BY code";
    assert_eq!(database.texts(recorded), ["shop.books.read", "shop.orders.cancel"]);
    let ended = with_file(&database, &["serve"], &entry("shop.books.read")).run();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("shop.orders.cancel (1);"), "{}", ended.stderr);
}

#[test]
fn a_file_that_is_no_catalogue_ends_with_2() {
    let database = migrated();
    let reason_for = |text: &str, reason: &str| {
        for command in [&["serve"][..], &["dev"]] {
            assert_refused(&with_file(&database, command, text).run(), reason);
        }
    };
    let code = "[[permission]]\ncode = \"shop.books.read\"\n";
    reason_for("[[permission]\n", "own.toml");
    reason_for(&format!("{code}description = \"a"), "own.toml");
    reason_for(code, "description");
    reason_for(&format!("{code}description = \" \""), "`shop.books.read` is blank");
    reason_for(&format!("{code}description = \"{}\"", "a".repeat(1001)), "1000");
    reason_for("[[permission]]\ndescription = \"a\"", "code");
    reason_for(&(entry("a.b.c") + "color = \"red\""), "color");
    reason_for("[[permissions]]", "permissions");
    reason_for(&entry("shop.books"), "`shop.books` is not a permission code");
    reason_for(&entry("Shop.Books.Read"), "`Shop.Books.Read`");
    reason_for(&(entry("a.b.c") + &entry("a.b.c")), "`a.b.c` is listed twice");
    reason_for(&(entry("a.b-c.d") + &entry("a-b.c.d")), "same name");
}

fn assert_refused(ended: &Ended, reason: &str) {
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(ended.stderr.contains("own.toml"), "{}", ended.stderr);
    assert!(ended.stderr.contains(reason), "{reason}: {}", ended.stderr);
}

#[test]
fn a_catalogue_that_is_not_there_ends_with_2() {
    let database = migrated();
    let serve = Binary::on(&database, &["serve", "--permissions", "nowhere.toml"]).run();
    assert_eq!(serve.code, Some(2));
    assert!(serve.stderr.contains("nowhere.toml"), "{}", serve.stderr);
}

#[test]
fn schema_prints_the_operators_permissions() {
    let database = TestDatabase::new();
    std::fs::write(database.folder().join("own.toml"), BOOKSHOP).unwrap();
    let schema = Binary::new(database.folder(), &["schema", "--permissions", "own.toml"]).run();
    assert_eq!(schema.code, Some(0));
    assert!(schema.stdout.contains("STOCK_SHELVES_WRITE"));
    assert!(!schema.stdout.contains("API_ORGANIZATIONS_READ"));
}
