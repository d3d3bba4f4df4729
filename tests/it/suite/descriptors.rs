//! Connections and the descriptors that they take.

use std::process::Command;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{Binary, Server, connect_from, migrated};

const HALF: &[u8] = b"GET /livez HTTP/1.1\r\nHost: he";
const FIRST: &[u8] = b"GET /livez HTTP/1.1\r\nHost: here\r\n\r\n";
const WHOLE: &[u8] = b"GET /livez HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n";
/// Longer than the server waits for a head, so that what is open stays open.
const PATIENT: &[&str] = &["--request-timeout", "60s"];

/// The answer to a request from an address.
async fn asked_from(from: [u8; 4], server: &Server) -> String {
    let mut connection = connect_from(from, server.address).await;
    let mut answer = String::new();
    let _cut = connection.write_all(WHOLE).await;
    let _cut = connection.read_to_string(&mut answer).await;
    answer
}

/// Connections on which the next request has half a head. They are open when this returns, or
/// closed by the server.
async fn half_open(count: usize, from: [u8; 4], server: &Server) -> Vec<TcpStream> {
    let mut open = Vec::new();
    for _ in 0..count {
        let mut connection = connect_from(from, server.address).await;
        let _cut = connection.write_all(FIRST).await;
        let (mut answer, mut bytes) = (Vec::new(), [0; 1024]);
        while !answer.ends_with(b"ok\n") {
            let read = connection.read(&mut bytes).await.unwrap_or(0);
            if read == 0 {
                break;
            }
            answer.extend_from_slice(&bytes[..read]);
        }
        let _cut = connection.write_all(HALF).await;
        open.push(connection);
    }
    open
}

#[tokio::test(flavor = "multi_thread")]
async fn half_open_connections_of_one_address_stop_nobody_else() {
    let database = migrated();
    let server = Binary::on(&database, &["serve"]).args(PATIENT).serve();
    let open = half_open(600, [127, 0, 0, 1], &server).await;
    let answer = timeout(Duration::from_secs(20), asked_from([127, 0, 0, 2], &server)).await;
    assert!(answer.unwrap().ends_with("ok\n"));
    assert_eq!(asked_from([127, 0, 0, 1], &server).await, "", "512 are enough for one address");
    drop(open);
    let said = server.stop().stderr;
    assert!(said.contains("too many connections from this address"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn trusted_proxies_are_exempt_and_what_ends_makes_room() {
    let database = migrated();
    let bounds = ["--max-connections-per-address", "2", "--max-connections", "6"];
    let proxies = ["--trusted-proxies", "127.0.0.1"];
    let server =
        Binary::on(&database, &["serve"]).args(PATIENT).args(&bounds).args(&proxies).serve();
    let mut of_proxy = half_open(4, [127, 0, 0, 1], &server).await;
    let _others = half_open(2, [127, 0, 0, 2], &server).await;
    assert_eq!(asked_from([127, 0, 0, 3], &server).await, "", "all are taken");
    of_proxy.clear();
    let again = async {
        while !asked_from([127, 0, 0, 3], &server).await.ends_with("ok\n") {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(60), again).await.unwrap();
    assert_eq!(asked_from([127, 0, 0, 2], &server).await, "", "two are enough for one address");
}

/// The soft limit of descriptors is for programs of another time.
#[tokio::test(flavor = "multi_thread")]
async fn the_soft_limit_of_descriptors_is_raised_to_the_hard_one() {
    let database = migrated();
    let url = database.url_text();
    for command in ["serve", "dev"] {
        let limited = "ulimit -Sn 128 && ulimit -Hn 2048 && exec \"$0\" \"$@\"";
        let mut shell = Command::new("sh");
        shell.args(["-c", limited]).arg(env!("CARGO_BIN_EXE_tokenwright"));
        shell.args([command, "--database-url", &url]).current_dir(database.folder()).env_clear();
        let server = Binary::from(shell).serve();
        let process = server.running.id();
        let limits = std::fs::read_to_string(format!("/proc/{process}/limits")).unwrap();
        let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
        let numbers: Vec<&str> = line.split_whitespace().skip(3).take(2).collect();
        assert_eq!(numbers, ["2048", "2048"], "{line}");
        let open = half_open(300, [127, 0, 0, 1], &server).await;
        assert!(asked_from([127, 0, 0, 2], &server).await.ends_with("ok\n"));
        drop(open);
        server.stop();
    }
}

/// A limit that is far too low costs connections, and nothing that the server itself opens.
#[tokio::test(flavor = "multi_thread")]
async fn connections_leave_the_server_the_descriptors_that_it_needs() {
    let database = migrated();
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -n 64 && exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_tokenwright")]);
    shell.args(["serve", "--database-url", &database.url_text(), "--workers", "2"]);
    shell.args(PATIENT).args(["--metrics-listen", "127.0.0.1:0"]);
    shell.current_dir(database.folder()).env_clear();
    let server = Binary::from(shell).serve();
    let open = half_open(100, [127, 0, 0, 1], &server).await;
    let said = server.running.until(|said| said.err().contains("too many connections"));
    let text = said.err();
    assert!(
        text.contains("the limit of open files leaves room for 8 connections at once"),
        "{text}"
    );
    let metrics = text.split_once("Prometheus on ").unwrap().1.lines().next().unwrap();
    assert_eq!(reqwest::get(metrics).await.unwrap().status(), 200);
    drop(open);
    let again = async {
        while !asked_from([127, 0, 0, 3], &server).await.ends_with("ok\n") {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(60), again).await.unwrap();
    assert_eq!(server.get("/readyz").await.status, 200);
    let said = server.stop().stderr;
    assert!(!said.contains("open files (os error"), "{said}");
}
