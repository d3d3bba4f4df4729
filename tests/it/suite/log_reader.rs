//! What the log does to the server, and the server to the log.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Command, Stdio};

use crate::support::{Binary, Server, administrator, migrated};

/// A server whose log nobody reads, once it listens.
struct Unread {
    child: Child,
    log: BufReader<ChildStderr>,
    address: String,
    metrics: String,
}

impl Unread {
    fn start(database: &crate::TestDatabase) -> Self {
        let url = database.url_text();
        let mut child = Command::new(env!("CARGO_BIN_EXE_tokenwright"))
            .args(["serve", "--listen", "127.0.0.1:0", "--log", "info,tokenwright=debug"])
            .args(["--database-url", &url, "--metrics-listen", "127.0.0.1:0"])
            .current_dir(database.folder())
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let (mut line, mut metrics) = (String::new(), String::new());
        let address = loop {
            line.clear();
            assert!(log.read_line(&mut line).unwrap() > 0, "it does not listen");
            if let Some((_, url)) = line.trim_end().split_once("listening for Prometheus on ") {
                url.clone_into(&mut metrics);
            }
            if let Some((_, address)) = line.trim_end().split_once("listening on http://") {
                break address.to_owned();
            }
        };
        Self { child, log, address, metrics }
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        let _gone_already = self.child.kill();
        let _status = self.child.wait();
    }
}

/// A pipe that nobody empties holds a few hundred lines; the queue behind it some thousands.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_nobody_reads_stops_nothing_and_says_what_it_lost() {
    const REQUESTS: usize = 4_000;
    let database = migrated();
    let token = administrator(&database, "administrator");
    let mut server = Unread::start(&database);
    let http = reqwest::Client::new();
    let url = format!("http://{}", server.address);
    for _ in 0..REQUESTS {
        let query = http.get(format!("{url}/graphql?query=%7BcurrentUser%7Bname%7D%7D"));
        let answer = query.bearer_auth(&token).send().await.unwrap();
        assert!(answer.text().await.unwrap().contains("administrator"));
    }
    assert_eq!(http.get(format!("{url}/livez")).send().await.unwrap().status(), 200);
    // The watch over the log counts them within a second.
    let lost = async || {
        let text = reqwest::get(&server.metrics).await.unwrap().text().await.unwrap();
        let line =
            text.lines().find_map(|line| line.strip_prefix("tokenwright_log_lines_lost_total "));
        line.unwrap().parse::<f64>().unwrap()
    };
    while lost().await == 0.0 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    // Whoever reads again learns what is missing.
    let told = tokio::task::spawn_blocking(move || {
        let mut line = String::new();
        while !line.contains("lines of the log were lost") {
            line.clear();
            assert!(server.log.read_line(&mut line).unwrap() > 0, "the log has ended");
        }
        line
    });
    let told = told.await.unwrap();
    assert!(told.contains("WARN") && told.contains("lines="), "{told}");
}

async fn serve(database: &crate::TestDatabase) -> Server {
    let database = Binary::on(database, &["serve", "--introspection", "public"]);
    database.serve()
}

#[tokio::test(flavor = "multi_thread")]
async fn probes_have_no_lines() {
    let database = migrated();
    let server = serve(&database).await;
    for path in ["/livez", "/readyz", "/nothing"] {
        server.get(path).await;
    }
    let said = server.stop().stderr;
    assert_eq!(said.matches("answered").count(), 1, "{said}");
    assert!(said.contains("shutting down"), "the last lines are there: {said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_refusals_is_a_sum() {
    const BOGUS: usize = 40;
    let database = migrated();
    let server = serve(&database).await;
    let secret = format!("twr_{}", "0".repeat(72));
    for _ in 0..BOGUS {
        let request = server.request(reqwest::Method::GET, "/graphql").bearer_auth(&secret);
        assert_eq!(request.send().await.unwrap().status(), 401);
    }
    let said = server.stop().stderr;
    assert_eq!(said.matches("authentication refused").count(), 1, "{said}");
    assert_eq!(said.matches("status=401").count(), 1, "{said}");
    let sums: usize = said
        .lines()
        .filter(|line| line.contains("refused again") && line.contains("not valid"))
        .map(|line| line.split("count=").nth(1).unwrap().trim().parse::<usize>().unwrap())
        .sum();
    assert_eq!(sums, BOGUS - 1, "{said}");
    assert!(said.contains("client=127.0.0.1"), "{said}");
}

/// What is not HTTP is counted with the address that sent it, not logged as an error without one.
#[tokio::test(flavor = "multi_thread")]
async fn garbage_is_no_error_of_the_server() {
    let database = migrated();
    let server = serve(&database).await;
    for _ in 0..20 {
        let mut connection: TcpStream = server.connect();
        connection.write_all(b"\x16\x03\x01 this is no HTTP\r\n\r\n").unwrap();
        let mut answer = String::new();
        let _cut = connection.read_to_string(&mut answer);
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    }
    let said = server.stop().stderr;
    assert!(!said.contains("ERROR"), "{said}");
    assert_eq!(said.matches("refused by the HTTP library").count(), 1, "{said}");
    assert!(said.contains("refused again"), "{said}");
}
