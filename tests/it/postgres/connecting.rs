//! Connecting: what a failure reports, and which of several hosts is used.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use serde_json::json;
use tokenwright::db::DatabaseUrl;

use super::cluster::{Cluster, PASSWORD, ROLE};
use super::guarded::{self, ENCRYPTED};
use super::{TestDatabase, sql};
use crate::support::{Binary, Server, administrator, assert_ended};

const COMMANDS: [&[&str]; 3] = [
    &["serve"],
    &["migrate"],
    &["admin", "create-token", "--name", "a", "--expires-in", "1h", "--all-permissions"],
];

/// An address where nobody listens.
fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// An address where somebody listens and never says anything.
fn silent() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

#[track_caller]
fn assert_fails_with(url: &str, format: &str, told: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    for command in COMMANDS {
        let log = ["--log", "trace", "--log-format", format, "--database-url", url];
        let ended = Binary::new(folder.path(), command).args(&log).run();
        for told in told {
            assert_ended(&ended, 1, told);
        }
        for piece in ["secret/", "secret%", "letters"] {
            assert!(!ended.stderr.contains(piece), "{}", ended.stderr);
        }
        assert_eq!(ended.stdout, "");
    }
}

#[test]
fn a_failure_tells_its_cause_and_never_the_password() {
    let guarded = guarded::shared();
    let (_listens, silent) = silent();
    let nobody = nobody().to_string();
    let server = format!("127.0.0.1:{}", guarded.cluster.port());
    let other = guarded.folder.path().join("other.pem");
    let verified = format!("sslmode=verify-ca&sslrootcert={}", other.display());
    for (role, host, parameters, told) in [
        (ROLE, &nobody, "", &[&nobody, "Connection refused"][..]),
        (ROLE, &server, "", &["password authentication failed for user \"tokenwright\""]),
        ("postgres", &server, "", &["database \"unknown\" does not exist"]),
        (ROLE, &"nowhere.invalid".to_owned(), "", &["nowhere.invalid:5432: "]),
        (ENCRYPTED, &server, "sslmode=disable", &["user \"encrypted\"", "no encryption"]),
        (ROLE, &server, &verified, &[&server, "certificate: UnknownIssuer"]),
        (ROLE, &silent.to_string(), "connect_timeout=1", &["did not answer in time"]),
    ] {
        let url = format!("postgres://{role}:secret%2Fletters@{host}/unknown?{parameters}");
        assert_fails_with(&url, "text", told);
        let url =
            format!("postgres://{role}@{host}/unknown?password=secret%2Fletters&{parameters}");
        assert_fails_with(&url, "json", told);
    }
}

#[test]
fn parameters_of_libpq_are_heeded_or_refused_by_their_names() {
    let with = |parameter: &str| {
        let url = format!("postgres://u:hidden@h/n?{parameter}");
        DatabaseUrl::parse(&url).map_err(|refusal| refusal.to_string())
    };
    for parameter in [
        "user=u",
        "password=hidden",
        "dbname=n",
        "hostaddr=192.0.2.1",
        "channel_binding=require",
        "connect_timeout=2",
        "options=-csearch_path%3Ds",
        "application_name=a",
        "keepalives=1",
        "keepalives_idle=10",
        "keepalives_interval=10",
        "keepalives_count=3",
        "tcp_user_timeout=1000",
        "sslmode=require",
        "sslnegotiation=direct",
        "sslrootcert=/f",
        "target_session_attrs=read-write",
        "load_balance_hosts=random",
    ] {
        assert!(with(parameter).is_ok(), "{parameter}");
    }
    for name in [
        "sslcert",
        "sslkey",
        "sslpassword",
        "sslcertmode",
        "sslcrl",
        "sslcrldir",
        "sslsni",
        "sslcompression",
        "sslkeylogfile",
        "ssl_min_protocol_version",
        "ssl_max_protocol_version",
        "requiressl",
        "requirepeer",
        "require_auth",
        "gssencmode",
        "gssdelegation",
        "gsslib",
        "krbsrvname",
        "passfile",
        "service",
        "servicefile",
        "client_encoding",
        "fallback_application_name",
        "replication",
        "scram_client_key",
        "scram_server_key",
        "min_protocol_version",
        "max_protocol_version",
        "oauth_issuer",
        "oauth_client_id",
        "oauth_client_secret",
    ] {
        let refusal = with(&format!("{name}=hidden")).unwrap_err();
        assert!(refusal.contains(&format!("`{name}`")), "{refusal}");
        assert!(!refusal.contains("hidden"), "{refusal}");
    }
    for (parameter, name) in [
        ("sslmode=allow", "`sslmode`"),
        ("sslmode=hidden", "`sslmode`"),
        ("channel_binding=hidden", "`channel_binding`"),
        ("target_session_attrs=standby", "`target_session_attrs`"),
        ("tcp_user_timeout=hidden", "`tcp_user_timeout`"),
    ] {
        let refusal = with(parameter).unwrap_err();
        assert!(refusal.contains(name), "{refusal}");
        assert!(!refusal.contains("hidden"), "{refusal}");
    }
    let url = "postgres://u:hidden@h/n?sslmode=verify-full&sslcert=/c.pem&sslkey=/k.pem";
    let folder = tempfile::tempdir().unwrap();
    let ended = Binary::new(folder.path(), &["serve", "--database-url", url]).run();
    assert_ended(&ended, 2, "`sslcert`");
    assert!(!ended.stderr.contains("hidden"), "{}", ended.stderr);
}

/// Asks who the caller is. Returns the status of the answer, which reveals nothing about the
/// database.
async fn status(server: &Server, token: &str) -> u16 {
    let query = "{ currentApiToken { name } }";
    let answer = server.graphql(token, query, json!({})).await;
    for told in ["refused", "password", "127.0.0.1"] {
        assert!(!answer.text.contains(told), "{}", answer.text);
    }
    answer.status.as_u16()
}

async fn until_status(server: &Server, token: &str, expected: u16) {
    let asking = async { while status(server, token).await != expected {} };
    tokio::time::timeout(Duration::from_secs(60), asking).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_server_tells_what_it_lost_its_database_for_and_never_the_password() {
    let cluster = Cluster::start(&[]);
    let database = TestDatabase::on(&cluster);
    assert_ended(&Binary::on(&database, &["migrate"]).run(), 0, "");
    let token = administrator(&database, "caller");
    let servers = ["text", "json"].map(|format| {
        let log = ["--log", "trace", "--log-format", format];
        Binary::on(&database, &["serve"]).args(&log).serve()
    });
    for server in &servers {
        assert_eq!(status(server, &token).await, 200);
    }
    cluster.stop_immediately();
    for server in &servers {
        // The first one meets a connection that ends under it.
        for _ in 0..2 {
            assert_eq!(status(server, &token).await, 503);
            assert_eq!(server.get("/readyz").await.status, 503);
        }
        server.running.until(|said| said.err().contains("Connection refused"));
    }
    let hba = "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n";
    std::fs::write(cluster.data().join("pg_hba.conf"), hba).unwrap();
    cluster.run();
    for server in &servers {
        until_status(server, &token, 200).await;
    }
    let changed = format!(
        "ALTER ROLE {ROLE} PASSWORD 'another one'; \
         SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{ROLE}'"
    );
    sql::run(&cluster.url_as("postgres", "postgres"), &changed).unwrap();
    for server in servers {
        until_status(&server, &token, 503).await;
        assert_eq!(status(&server, &token).await, 503);
        server.running.until(|said| said.err().contains("password authentication failed"));
        let ended = server.stop();
        assert_ended(&ended, 0, "");
        assert!(!ended.stderr.contains(PASSWORD), "{}", ended.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_hosts_the_first_one_that_can_be_written_to_is_used() {
    let (good, read_only) = (Cluster::start(&[]), Cluster::start(&[]));
    let database = TestDatabase::on(&good);
    let create = format!("CREATE DATABASE {}", database.name());
    sql::run(&read_only.url("postgres"), &create).unwrap();
    read_only.configure(&["default_transaction_read_only=on"]);
    read_only.stop_immediately();
    read_only.run();
    let (_listens, silent) = silent();
    let [good, read_only] =
        [&good, &read_only].map(|cluster| format!("127.0.0.1:{}", cluster.port()));
    let (nobody, silent) = (nobody().to_string(), silent.to_string());
    let with = |command: &[&str], hosts: &[&String]| {
        let hosts = hosts.iter().map(|host| host.as_str()).collect::<Vec<_>>().join(",");
        let name = database.name();
        let url =
            format!("postgres://{ROLE}:{PASSWORD}@{hosts}/{name}?target_session_attrs=read-write");
        Binary::new(database.folder(), command).args(&["--database-url", &url])
    };
    assert_ended(&with(&["migrate"], &[&nobody, &read_only, &good]).run(), 0, "applied ");
    let token = administrator(&database, "caller");
    for hosts in [
        &[&nobody, &good][..],
        &[&read_only, &good],
        &[&good, &nobody],
        &[&nobody, &read_only, &good, &nobody],
        &[&silent, &good],
    ] {
        let server = with(&["serve"], hosts).serve();
        let answer = server.graphql(&token, "{ currentApiToken { name } }", json!({})).await;
        assert_eq!(answer.data()["currentApiToken"]["name"], "caller", "{hosts:?}");
    }
    let ended = with(&["serve"], &[&nobody, &read_only, &nobody]).run();
    assert_ended(&ended, 1, &format!("{nobody}: error connecting to server: Connection refused"));
    assert_ended(&ended, 1, &format!("{read_only}: "));
    assert_ended(&ended, 1, "database does not allow writes");
}

#[test]
fn the_program_links_no_library_of_postgresql_and_none_for_tls() {
    let ldd = std::process::Command::new("ldd").arg(env!("CARGO_BIN_EXE_tokenwright")).output();
    let linked = String::from_utf8(ldd.unwrap().stdout).unwrap();
    assert!(linked.contains("libc."), "{linked}");
    for library in ["libpq", "libssl", "libcrypto"] {
        assert!(!linked.contains(library), "{linked}");
    }
}
