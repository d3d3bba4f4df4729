//! The file under a running server: removed, replaced, or reached by another name.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::{Answer, Binary, Server, TestDatabase, administrator, assert_ended, migrated};

/// A server on a file that holds one token.
struct Served {
    database: TestDatabase,
    server: Server,
    token: String,
}

impl Served {
    fn start() -> Self {
        let database = migrated();
        let token = administrator(&database, "administrator");
        let server = Binary::on(&database, &["serve"]).serve();
        Self { database, server, token }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.database.folder().join(name)
    }

    async fn own(&self) -> Answer {
        self.server.graphql(&self.token, "{ currentApiToken { name } }", json!({})).await
    }

    async fn rename(&self, name: &str) -> Answer {
        let own = "{ currentApiToken { id version } }";
        let own = self.server.graphql(&self.token, own, json!({})).await;
        let token = own.data()["currentApiToken"].clone();
        self.rename_token(&token, name).await
    }

    async fn rename_token(&self, token: &Value, name: &str) -> Answer {
        let document = "mutation ($input: UpdateApiTokenInput!) {
            updateApiToken(input: $input) { apiToken { name } } }";
        let input = json!({ "id": token["id"], "version": token["version"], "name": name });
        self.server.graphql(&self.token, document, json!({ "input": input })).await
    }

    /// Nothing is answered from the files that the server has open, and the log says why, once.
    async fn assert_refuses(self) {
        for _ in 0..5 {
            for answer in [self.own().await, self.rename_token(&json!({}), "never").await] {
                assert_eq!(answer.status, 503, "{}", answer.text);
                assert_eq!(answer.errors(), ["UNAVAILABLE unavailable"]);
            }
            assert_eq!(self.server.get("/readyz").await.status, 503);
        }
        assert_eq!(self.server.get("/livez").await.status, 200);
        let ended = self.server.stop();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let reason = "removed or replaced while the server uses it; restart the server";
        let errors = ended.stderr.lines().filter(|line| line.contains("ERROR"));
        let told = errors.filter(|line| line.contains(reason)).count();
        assert_eq!(told, 1, "{}", ended.stderr);
    }
}

/// A whole copy of the database, made while it is in use.
fn back_up(served: &Served) -> PathBuf {
    let copy = served.file("backup.db");
    served.database.execute(&format!("VACUUM INTO '{}'", copy.display()));
    copy
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_answered_once_the_file_is_removed() {
    let served = Served::start();
    assert_eq!(served.own().await.status, 200);
    fs::remove_file(served.file("test.db")).unwrap();
    served.assert_refuses().await;
}

/// A change is past every check and waits for the writer while the file goes: what it then commits
/// is gone with the server.
#[tokio::test(flavor = "multi_thread")]
async fn no_change_is_acknowledged_that_went_into_a_removed_file() {
    let served = Served::start();
    let own = "{ currentApiToken { id version } }";
    let own = served.server.graphql(&served.token, own, json!({})).await;
    let token = own.data()["currentApiToken"].clone();
    let writer = served.database.write_lock();
    let removes = async {
        served.database.until_waited_for().await;
        fs::rename(served.file("test.db"), served.file("removed.db")).unwrap();
        drop(writer);
    };
    let (changed, ()) = tokio::join!(served.rename_token(&token, "into nothing"), removes);
    assert_eq!(changed.errors(), ["UNAVAILABLE outcome_unknown"]);
    served.assert_refuses().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_answered_once_the_file_is_replaced() {
    let served = Served::start();
    let copy = back_up(&served);
    assert_eq!(served.rename("renamed after the backup").await.status, 200);
    fs::rename(copy, served.file("test.db")).unwrap();
    served.assert_refuses().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_answered_once_the_write_ahead_log_is_removed() {
    let served = Served::start();
    assert_eq!(served.rename("written to the log").await.status, 200);
    fs::remove_file(served.file("test.db-wal")).unwrap();
    served.assert_refuses().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_answered_once_a_link_leads_elsewhere() {
    let database = migrated();
    let token = administrator(&database, "administrator");
    let link = database.folder().join("link.db");
    std::os::unix::fs::symlink("test.db", &link).unwrap();
    let url = format!("sqlite:{}", link.display());
    let server = Binary::new(database.folder(), &["serve", "--database-url", &url]).serve();
    let served = Served { database, server, token };
    let copy = back_up(&served);
    assert_eq!(served.own().await.status, 200);
    fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink(copy, &link).unwrap();
    served.assert_refuses().await;
}

#[test]
fn a_server_that_nobody_asks_tells_of_a_removed_file() {
    let served = Served::start();
    fs::remove_file(served.file("test.db")).unwrap();
    served.server.running.until(|said| said.err().contains("removed or replaced"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_restored_as_the_readme_says() {
    let served = Served::start();
    let copy = back_up(&served);
    assert_eq!(served.rename("renamed after the backup").await.status, 200);
    let Served { database, server, token } = served;
    assert_eq!(server.stop().code, Some(0));
    let file = |name: &str| database.folder().join(name);
    for beside in ["test.db-wal", "test.db-shm"] {
        let _folded_already = fs::remove_file(file(beside));
    }
    fs::rename(copy, file("test.db")).unwrap();
    let server = Binary::on(&database, &["serve"]).serve();
    let served = Served { database, server, token };
    assert_eq!(served.own().await.data()["currentApiToken"]["name"], "administrator");
    assert_eq!(served.rename("renamed again").await.status, 200);
}

#[test]
fn every_path_to_a_file_leads_to_its_one_server() {
    let served = Served::start();
    let url = |name: &str| format!("sqlite:{}", served.file(name).display());
    fs::hard_link(served.file("test.db"), served.file("second.db")).unwrap();
    std::os::unix::fs::symlink("second.db", served.file("third.db")).unwrap();
    for name in ["second.db", "third.db"] {
        let second = ["serve", "--listen", "127.0.0.1:0", "--database-url", &url(name)];
        let second = Binary::new(served.database.folder(), &second).run();
        assert_ended(&second, 1, "another tokenwright server uses");
    }
}

#[test]
fn a_removed_lock_file_admits_no_second_server() {
    let served = Served::start();
    for entry in fs::read_dir(served.database.folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "lock") {
            fs::remove_file(path).unwrap();
        }
    }
    let second = Binary::on(&served.database, &["serve", "--listen", "127.0.0.1:0"]).run();
    assert_ended(&second, 1, "another tokenwright server uses");
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_and_a_shell_work_beside_a_server() {
    let served = Served::start();
    let token = administrator(&served.database, "second");
    let ended = Binary::on(&served.database, &["migrate"]).run();
    assert_ended(&ended, 0, "up to date");
    back_up(&served);
    served.database.execute("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA integrity_check");
    let names = "{ apiTokens { nodes { name } } }";
    let answer = served.server.graphql(&token, names, json!({})).await;
    assert_eq!(answer.data()["apiTokens"]["nodes"].as_array().unwrap().len(), 2);
}
