//! `dev`: its greeting, the line that it prints, and its playground.

use std::process::Command;

use serde_json::json;

use crate::support::{Binary, DEPRECATED_FIRST, assert_ended, files, migrated};

/// Runs the line that `dev` prints.
fn pasted(greeting: &str) -> serde_json::Value {
    let mut lines = greeting.lines();
    let line = lines.find(|line| line.starts_with("curl ")).unwrap();
    let curl = Command::new("sh").args(["-c", line]).output().unwrap();
    serde_json::from_slice(&curl.stdout).unwrap()
}

#[test]
fn the_line_of_dev_works_with_every_setting() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("p.toml"), DEPRECATED_FIRST).unwrap();
    let settings = ["--max-lifetime", "6h", "--permissions", "p.toml"];
    let dev = Binary::new(folder.path(), &["dev"]).args(&settings).serve();
    let greeting = dev.running.until(|said| said.out().contains("curl "));
    let answer = pasted(&greeting.out());
    let made = &answer["data"]["createApiToken"]["apiToken"];
    assert_eq!(made["permissions"], json!(["SHOP_ORDERS_READ"]), "{answer}");
}

#[test]
fn dev_greets_once_with_a_line_that_works_as_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    let first = Binary::new(folder.path(), &["dev"]).serve();
    let playground = format!("in the playground: http://{}/\n", first.running.listening());
    let greeting = first.running.until(|said| said.out().contains(&playground)).out();
    let answer = pasted(&greeting);
    let made = &answer["data"]["createApiToken"];
    assert_eq!(made["apiToken"]["name"], "my first token", "{answer}");
    assert_eq!(made["token"].as_str().unwrap().len(), 76);
    assert!(files(folder.path()).contains(&"tokenwright.db".to_owned()));
    assert_ended(&first.stop(), 0, "");

    let second = Binary::new(folder.path(), &["dev"]).serve().stop();
    assert_eq!(second.stdout, "");
    assert_ended(&second, 0, "admin create-token");
}

#[tokio::test(flavor = "multi_thread")]
async fn dev_shows_the_playground_and_the_schema_and_serve_does_not() {
    let query = "/graphql?query=%7B__schema%7BqueryType%7Bname%7D%7D%7D";
    for (command, page, schema) in [("dev", 200, 200), ("serve", 404, 401)] {
        let server = Binary::on(&migrated(), &[command]).serve();
        assert_eq!(server.get("/").await.status, page, "{command}");
        assert_eq!(server.get(query).await.status, schema, "{command}");
    }
}
