//! What is printed, where nobody can read it.

use std::path::Path;
use std::process::Command;

use crate::support::migrated;

/// Runs the program with its standard output on a full disk: the exit code, and what it says on
/// standard error.
fn on_a_full_disk(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let ended = Command::new("sh")
        .args(["-c", "exec \"$0\" \"$@\" >/dev/full"])
        .arg(env!("CARGO_BIN_EXE_tokenwright"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .output()
        .unwrap();
    let told = String::from_utf8(ended.stderr).unwrap();
    (ended.status.code(), told)
}

#[test]
fn a_schema_that_cannot_be_printed_ends_with_1() {
    let (code, told) = on_a_full_disk(Path::new("/"), &["schema"]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("cannot write to standard output"), "{told}");
}

#[test]
fn a_token_whose_secret_cannot_be_printed_is_named_and_deleted() {
    let database = migrated();
    let url = database.url_text();
    let on = ["--database-url", &url];
    let admin = ["admin", "create-token", "--name", "lost"];
    let more = ["--all-permissions", "--expires-in", "1h"];
    let folder = database.folder();
    let (code, told) = on_a_full_disk(folder, &[&admin[..], &more, &on].concat());
    assert_lost(code, &told);
    let deleted = "SELECT name AS text FROM api_tokens WHERE deleted_date IS NOT NULL";
    assert_eq!(database.texts(deleted), ["lost"]);

    let fresh = migrated();
    let url = fresh.url_text();
    let dev = ["dev", "--listen", "127.0.0.1:0", "--database-url", &url];
    let (code, told) = on_a_full_disk(fresh.folder(), &dev);
    assert_lost(code, &told);
}

#[track_caller]
fn assert_lost(code: Option<i32>, told: &str) {
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("the token tok_"), "{told}");
    assert!(told.contains("deleted again"), "{told}");
    assert!(told.contains("lost"), "{told}");
}
