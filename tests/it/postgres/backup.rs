//! The drills of docs/postgresql.md, with its own commands: `pg_dump` while a server writes and back,
//! and recovery to a moment.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use serde_json::json;

use super::cluster::{Cluster, programs, unprivileged};
use super::sql;
use crate::support::{
    Binary, Server, TestDatabase, administrator, assert_ended, eventually, made_at, migrated,
    works_at,
};

/// The URLs, folders and the time of the page.
const URL: &str = "postgres://USER:PASSWORD@HOST/restored";
const SERVER: &str = "postgres://USER:PASSWORD@HOST/postgres";
const BACKUPS: &str = "/var/backups";
const DATA: &str = "/var/lib/postgresql/data";
const MOMENT: &str = "2027-01-31 12:00:00+00";

/// The blocks of the section, in their order.
fn blocks(language: &str) -> Vec<String> {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/postgresql.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, section) = page.split_once("\n## Backup and restore\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let begin = format!("\n```{language}\n");
    let found = section.split(&begin).skip(1);
    found.map(|block| block.split_once("```").unwrap().0.to_owned()).collect()
}

/// The commands of the page, with other names in them.
struct Page {
    steps: [String; 5],
    settings: String,
}

impl Page {
    fn with(names: &[(&str, &str)]) -> Self {
        let replaced = |text: String| {
            names.iter().fold(text, |text, (from, to)| {
                assert!(!to.contains('\''), "{to}");
                text.replace(from, to)
            })
        };
        let steps: Vec<String> = blocks("sh").into_iter().map(replaced).collect();
        let settings = blocks("ini").into_iter().map(replaced).next().unwrap();
        Self { steps: steps.try_into().unwrap(), settings }
    }
}

/// Runs commands of the page; the program itself and those of PostgreSQL are on the path.
fn shell(mut shell: Command, script: &str, variables: &[(&str, &str)]) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_tokenwright")).parent().unwrap();
    let path = format!("{}:{}:/usr/bin:/bin", program.display(), programs().display());
    shell.args(["-euc", script]).env_clear().env("PATH", path).env("LC_ALL", "C");
    let ended = shell.envs(variables.iter().copied()).output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(ended.status.success(), "{script}: {said}");
    said
}

fn operator(folder: &Path) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell.current_dir(folder);
    shell
}

async fn delete(server: &Server, admin: &str, id: &str) {
    let delete =
        format!("mutation {{ deleteApiToken(input: {{ id: \"{id}\" }}) {{ deletedApiTokenId }} }}");
    server.graphql(admin, &delete, json!({})).await.data();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_acknowledged_token_of_before_a_dump_is_there() {
    let database = migrated();
    let admin = administrator(&database, "administrator");
    let server = Arc::new(Binary::on(&database, &["serve"]).serve());
    let revoked = made_at(&server, &admin, "revoked later").await;
    let acknowledged: Arc<Mutex<BTreeMap<String, String>>> = Arc::default();
    let writer = tokio::spawn({
        let (server, admin) = (Arc::clone(&server), admin.clone());
        let acknowledged = Arc::clone(&acknowledged);
        async move {
            for number in 0.. {
                let name = format!("number {number}");
                let secret = made_at(&server, &admin, &name).await.secret;
                acknowledged.lock().unwrap().insert(name, secret);
            }
        }
    });
    let count = || acknowledged.lock().unwrap().len();
    eventually("some are written", || count() >= 20).await;
    let before = acknowledged.lock().unwrap().clone();

    let restored = format!("{}_restored", database.name());
    let url = database.url_text();
    let of = |name: &str| url.replacen(database.name(), name, 1);
    let (there, maintenance) = (of(&restored), of("postgres"));
    // What the page calls `restored` has a name of this test's own.
    let page = Page::with(&[
        (URL, &there),
        (SERVER, &maintenance),
        (" restored\n", &format!(" {restored}\n")),
    ]);
    let [dump, restore, revoke, ..] = &page.steps;
    let run = |script: &str, url: &str| {
        let variables = [("TOKENWRIGHT_DATABASE_URL", url)];
        tokio::task::block_in_place(|| shell(operator(database.folder()), script, &variables))
    };
    run(dump, &url);
    eventually("the server goes on writing", || count() > before.len()).await;
    writer.abort();
    delete(&server, &admin, &revoked.id).await;
    assert!(!works_at(&server, &revoked.secret).await);

    let _dropped = super::finally::Finally(|| {
        let _gone = sql::run(&maintenance, &format!("DROP DATABASE {restored} WITH (FORCE)"));
    });
    let said = run(restore, &url);
    assert!(said.contains("the database is up to date"), "{said}");
    let serve = || Binary::new(database.folder(), &["serve", "--database-url", &there]).serve();
    {
        let server = serve();
        for (name, secret) in &before {
            let answer = server.graphql(secret, "{ currentApiToken { name } }", json!({})).await;
            assert_eq!(answer.data()["currentApiToken"]["name"], *name);
        }
        assert!(works_at(&server, &revoked.secret).await, "which is what the next step is about");
    }
    let said = run(revoke, &there);
    assert!(said.contains("tokens that were created before"), "{said}");
    let server = serve();
    for secret in before.values().chain([&revoked.secret, &admin]) {
        assert!(!works_at(&server, secret).await);
    }
    // And the way on.
    let enable = ["admin", "enable-token", &revoked.id, "--database-url", &there];
    assert_ended(&Binary::new(database.folder(), &enable).run(), 0, "enabled");
    assert!(works_at(&server, &revoked.secret).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_ends_at_the_moment_that_it_was_given() {
    let cluster = Cluster::start(&[]);
    let recovered = Cluster::without_data();
    let (backups, data) = (cluster.folder().join("backups"), recovered.data());
    let [backups, data] = [&backups, &data].map(|path| path.to_str().unwrap().to_owned());
    let folders = [(BACKUPS, &*backups), (DATA, &*data)];
    let page = Page::with(&folders);
    // As the user that runs the server.
    let as_server = |script: &str| {
        let port = cluster.port().to_string();
        let place = [("PGHOST", "127.0.0.1"), ("PGPORT", &port), ("PGUSER", "postgres")];
        tokio::task::block_in_place(|| shell(unprivileged(Path::new("/bin/sh")), script, &place))
    };
    as_server(&format!("mkdir -p '{backups}/wal'"));
    cluster.configure(&[&page.settings]);
    cluster.stop_immediately();
    cluster.run();
    let database = TestDatabase::on(&cluster);
    assert_ended(&Binary::on(&database, &["migrate"]).run(), 0, "applied");
    let admin = administrator(&database, "administrator");
    let server = Binary::on(&database, &["serve"]).serve();
    let in_base = made_at(&server, &admin, "in the base backup").await;
    as_server(&page.steps[3]);
    let after_base = made_at(&server, &admin, "in the archive alone").await;
    let now = "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US+00')";
    let moment = database.texts(now).pop().unwrap();
    delete(&server, &admin, &in_base.id).await;
    let too_late = made_at(&server, &admin, "after the moment").await;
    assert!(works_at(&server, &too_late.secret).await && !works_at(&server, &in_base.secret).await);
    let superuser = cluster.url_as("postgres", "postgres");
    let last = sql::run(&superuser, "SELECT pg_walfile_name(pg_switch_wal())").unwrap().remove(0);
    cluster.until(&format!("SELECT 1 FROM pg_stat_archiver WHERE last_archived_wal >= '{last}'"));
    drop(server);
    cluster.stop_immediately();

    let page = Page::with(&[folders[0], folders[1], (MOMENT, &moment)]);
    as_server(&page.steps[4]);
    recovered.run();
    recovered.until("SELECT 1 WHERE NOT pg_is_in_recovery()");
    let there = recovered.url(database.name());
    let serve = || Binary::new(database.folder(), &["serve", "--database-url", &there]).serve();
    {
        let server = serve();
        for secret in [&admin, &in_base.secret, &after_base.secret] {
            assert!(works_at(&server, secret).await, "it was acknowledged before the moment");
        }
        assert!(!works_at(&server, &too_late.secret).await);
    }
    let [_, _, revoke, ..] = &page.steps;
    let variables = [("TOKENWRIGHT_DATABASE_URL", &*there)];
    let said =
        tokio::task::block_in_place(|| shell(operator(database.folder()), revoke, &variables));
    assert!(said.contains("disabled 3 tokens"), "{said}");
    let server = serve();
    for secret in [&admin, &in_base.secret, &after_base.secret, &too_late.secret] {
        assert!(!works_at(&server, secret).await);
    }
}
