//! A backup beside a running server, and its way back.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use serde_json::json;
use tokio::task::JoinSet;

use crate::support::{
    Binary, Ended, Server, TestDatabase, administrator, assert_ended, files, made_at, migrated,
    works_at,
};

fn backup(database: &TestDatabase, file: &Path) -> Ended {
    Binary::on(database, &["admin", "backup", file.to_str().unwrap()]).run()
}

/// Restores onto another database, which is new unless it exists.
fn restore(folder: &Path, file: &Path, more: &[&str]) -> Ended {
    let arguments = ["admin", "restore", file.to_str().unwrap()];
    Binary::new(folder, &arguments).args(&["--database-url", "sqlite:back.db"]).args(more).run()
}

/// The names in a folder, but for lock files, which may stay.
fn kept(folder: &Path) -> Vec<String> {
    files(folder).into_iter().filter(|name| !name.ends_with(".migrating.lock")).collect()
}

fn serve_restored(folder: &Path) -> Server {
    Binary::new(folder, &["serve", "--database-url", "sqlite:back.db"]).serve()
}

/// The drill: whatever was acknowledged before the backup was asked for is in it, and works when it
/// is restored, while the server goes on writing.
#[tokio::test(flavor = "multi_thread")]
async fn every_acknowledged_token_of_before_is_there() {
    let database = migrated();
    let admin = administrator(&database, "administrator");
    let server = Arc::new(Binary::on(&database, &["serve"]).serve());
    let acknowledged: Arc<Mutex<BTreeMap<String, String>>> = Arc::default();
    let mut writers = JoinSet::new();
    for writer in 0..4 {
        let (server, admin) = (Arc::clone(&server), admin.clone());
        let acknowledged = Arc::clone(&acknowledged);
        writers.spawn(async move {
            for number in 0.. {
                let name = format!("w{writer} n{number}");
                let secret = made_at(&server, &admin, &name).await.secret;
                acknowledged.lock().unwrap().insert(name, secret);
            }
        });
    }
    let count = || acknowledged.lock().unwrap().len();
    let folder = tempfile::tempdir().unwrap();
    let mut drills = Vec::new();
    for drill in 0..3 {
        let already = count();
        crate::support::eventually("more is written", || count() >= already + 20).await;
        let before = acknowledged.lock().unwrap().clone();
        let file = folder.path().join(format!("backup-{drill}"));
        let ended = tokio::task::block_in_place(|| backup(&database, &file));
        assert_ended(&ended, 0, "bytes and was checked");
        assert!(count() > before.len(), "the server went on writing");
        drills.push((file, before));
    }
    writers.abort_all();
    for (file, before) in drills {
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let place = tempfile::tempdir().unwrap();
        assert_ended(&restore(place.path(), &file, &["--revoke-nothing"]), 0, "was restored");
        assert_eq!(kept(place.path()), ["back.db"]);
        let restored = serve_restored(place.path());
        for (name, secret) in before {
            assert!(works_at(&restored, &secret).await, "{name}");
        }
        assert!(works_at(&restored, &admin).await);
    }
    let left = kept(folder.path());
    assert_eq!(left, ["backup-0", "backup-1", "backup-2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_was_revoked_since_does_not_come_back_to_life() {
    let database = migrated();
    let admin = administrator(&database, "administrator");
    let server = Binary::on(&database, &["serve"]).serve();
    let revoked = made_at(&server, &admin, "revoked later").await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("backup");
    assert_ended(&backup(&database, &file), 0, "");
    let delete = format!(
        "mutation {{ deleteApiToken(input: {{ id: \"{}\" }}) {{ deletedApiTokenId }} }}",
        revoked.id
    );
    server.graphql(&admin, &delete, json!({})).await.data();
    assert!(!works_at(&server, &revoked.secret).await);

    // The choice is asked for in plain words, and nothing is done without it.
    let undecided = restore(folder.path(), &file, &[]);
    assert_ended(&undecided, 2, "deleted or disabled after the backup was made would work again");
    assert_ended(&undecided, 2, "--revoke-created-before now");
    assert_ended(&restore(folder.path(), &file, &["--revoke-created-before", "soon"]), 2, "`now`");
    assert_eq!(kept(folder.path()), ["backup"]);

    let long_ago = ["--revoke-created-before", "2001-01-01T00:00:00Z"];
    assert_ended(&restore(folder.path(), &file, &long_ago), 0, "disabled 0 tokens");
    {
        let restored = serve_restored(folder.path());
        assert!(works_at(&restored, &revoked.secret).await, "which is what the choice is about");
    }
    let all = restore(folder.path(), &file, &["--revoke-created-before", "now"]);
    assert_ended(&all, 0, "disabled 2 tokens");
    assert_ended(&all, 0, "back.db.before-restore");
    let restored = serve_restored(folder.path());
    for secret in [&revoked.secret, &admin] {
        assert!(!works_at(&restored, secret).await);
    }
    drop(restored);
    // And the way on: what is still needed is enabled by the operator alone.
    let enable = ["admin", "enable-token", &revoked.id, "--database-url", "sqlite:back.db"];
    assert_ended(&Binary::new(folder.path(), &enable).run(), 0, "enabled");
    assert!(works_at(&serve_restored(folder.path()), &revoked.secret).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_restored_under_a_server_and_what_was_there_is_kept() {
    let (database, other) = (migrated(), migrated());
    let (admin, newer) =
        (administrator(&database, "administrator"), administrator(&other, "newer"));
    let folder = database.folder();
    let file = folder.join("backup");
    assert_ended(&backup(&other, &file), 0, "");
    let restore = || {
        let arguments = ["admin", "restore", "backup", "--revoke-nothing"];
        Binary::on(&database, &arguments).run()
    };
    let server = Binary::on(&database, &["serve"]).serve();
    assert_ended(&restore(), 1, "another tokenwright server uses");
    assert!(works_at(&server, &admin).await);
    assert_ended(&server.stop(), 0, "");
    for name in ["test.db.before-restore", "test.db.before-restore-2"] {
        assert_ended(&restore(), 0, name);
        assert!(files(folder).contains(&name.to_owned()));
    }
    let server = Binary::on(&database, &["serve"]).serve();
    assert!(works_at(&server, &newer).await && !works_at(&server, &admin).await);
    drop(server);
    std::fs::rename(folder.join("test.db.before-restore"), folder.join("test.db")).unwrap();
    let server = Binary::on(&database, &["serve"]).serve();
    assert!(works_at(&server, &admin).await, "the one of before is whole");
}

#[test]
fn a_backup_replaces_nothing_and_leaves_nothing_half_done() {
    let database = migrated();
    administrator(&database, "administrator");
    let server = Binary::on(&database, &["serve"]).serve();
    let folder = tempfile::tempdir().unwrap();
    let there = folder.path().join("there");
    std::fs::write(&there, "a letter").unwrap();
    assert_ended(&backup(&database, &there), 1, "exists already");
    assert_eq!(std::fs::read_to_string(&there).unwrap(), "a letter");
    let nowhere = folder.path().join("no/backup");
    assert_ended(&backup(&database, &nowhere), 1, "cannot write");
    assert_ended(&backup(&database, Path::new("test.db")), 1, "exists already");
    // A disk that is full, as a bound on the size of files.
    let script = "trap '' XFSZ; ulimit -f 100; exec \"$0\" \"$@\"";
    let url = database.url_text();
    let full = folder.path().join("full");
    let mut command = Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_tokenwright"), "admin", "backup"]).args([
        full.to_str().unwrap(),
        "--database-url",
        &url,
    ]);
    assert_ended(&Binary::from(command).run(), 1, "no backup was made");
    assert_eq!(kept(folder.path()), ["there"]);
    let missing = Binary::new(folder.path(), &["admin", "backup", "b"]).run();
    assert_ended(&missing, 1, "tokenwright.db; `tokenwright migrate` makes it");
    assert_eq!(kept(folder.path()), ["there"]);
    let postgres = ["admin", "backup", "b", "--database-url", "postgres://u@localhost/d"];
    assert_ended(&Binary::new(folder.path(), &postgres).run(), 1, "`pg_dump`");
    assert_ended(&server.stop(), 0, "");
}

#[test]
fn what_is_no_whole_backup_is_refused_and_changes_nothing() {
    let database = migrated();
    administrator(&database, "administrator");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("backup");
    assert_ended(&backup(&database, &file), 0, "");
    let whole = std::fs::read(&file).unwrap();
    let mut corrupt = whole.clone();
    for byte in &mut corrupt[8192..8192 + 4096] {
        *byte = 0xa5;
    }
    let bad = folder.path().join("bad");
    for (content, told) in [
        (corrupt.as_slice(), "is damaged"),
        (&whole[..whole.len() / 2], "is damaged"),
        (b"nonsense, and more of it".as_slice(), "is damaged"),
        (b"".as_slice(), "not a backup of tokenwright"),
    ] {
        std::fs::write(&bad, content).unwrap();
        assert_ended(&restore(folder.path(), &bad, &["--revoke-nothing"]), 1, told);
        assert_eq!(kept(folder.path()), ["backup", "bad"], "{told}");
    }
    let absent = folder.path().join("absent");
    assert_ended(&restore(folder.path(), &absent, &["--revoke-nothing"]), 1, "cannot read");
    // A copy of a database in use, without the log beside it, is a part of it; with it, too.
    let running = Binary::on(&database, &["serve"]).serve();
    let (live, log) = (database.folder().join("test.db"), database.folder().join("test.db-wal"));
    administrator(&database, "in the log");
    std::fs::copy(live, &bad).unwrap();
    std::fs::copy(log, folder.path().join("bad-wal")).unwrap();
    let part = restore(folder.path(), &bad, &["--revoke-nothing"]);
    assert_ended(&part, 1, "is a part of a database in use");
    drop(running);
    assert_eq!(kept(folder.path()), ["backup", "bad", "bad-wal"]);
}
