//! What a request costs: CPU time of the server process, as a multiple of what a bare actix-web handler
//! takes for a request of the same form in the same run.
//!
//! `cargo bench --bench requests`; reads `/proc`, so Linux only.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark ends where something is wrong, and prints its table"
)]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use actix_web::{App, HttpResponse, HttpServer, web};
use chrono::TimeDelta;
use tokenwright::domain::clock::{Clock, SystemClock};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const CONNECTIONS: usize = 8;
const READS: usize = 4_000;
const WRITES: usize = 100;
/// Clock ticks are hundredths of a second on every Linux in use.
const MICROS_PER_TICK: f64 = 10_000.0;

fn main() {
    if std::env::args().any(|argument| argument == "bare") {
        return serve_bare();
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(compare());
}

async fn compare() {
    let folder = tempfile::tempdir().unwrap();
    let tokenwright = env!("CARGO_BIN_EXE_tokenwright");
    let database = format!("sqlite:{}", folder.path().join("bench.db").display());
    let run = |arguments: &[&str]| {
        let mut command = Command::new(tokenwright);
        command.args(arguments).env("TOKENWRIGHT_DATABASE_URL", &database);
        command.env("TOKENWRIGHT_LOG", "warn").stderr(Stdio::piped());
        command
    };
    assert!(run(&["migrate"]).status().unwrap().success());
    let token = |name: &str, what: &[&str]| {
        let always = ["admin", "create-token", "--expires-in", "2d", "--name", name];
        let made = run(&[&always[..], what].concat()).output().unwrap();
        String::from_utf8(made.stdout).unwrap().trim().to_owned()
    };
    let all = token("all", &["--all-permissions"]);
    let one = token("one", &["--permission", "api.users.read"]);

    let bare = Server::start(Command::new(std::env::current_exe().unwrap()).arg("bare"));
    let ours = Server::start(&mut run(&["serve", "--listen", "127.0.0.1:0"]));
    let fields = r#"{"query":"{ currentApiToken { id name expiry } }"}"#;
    let expiry = (SystemClock.now() + TimeDelta::days(30)).format("%Y-%m-%dT%H:%M:%SZ");
    let create = |n| {
        let input =
            format!(r#"{{name: \"n{n}\", expiry: \"{expiry}\", permissions: [API_USERS_READ]}}"#);
        let create = format!(r#"createApiToken(input: {input}) {{ token }}"#);
        format!(r#"{{"query":"mutation {{ {create} }}"}}"#)
    };

    let base = bare.micros(READS, &one, |_| fields.to_owned()).await;
    println!("{:<44} {base:>8.1} us {:>7}", "bare actix-web handler", "1.0");
    let tell = |what: &str, micros: f64| {
        println!("{what:<44} {micros:>8.1} us {:>7.1}", micros / base);
    };
    let typename = r#"{"query":"{ __typename }"}"#;
    tell("{ __typename }, 1 permission", ours.micros(READS, &one, |_| typename.to_owned()).await);
    tell("{ __typename }, 64 permissions", ours.micros(READS, &all, |_| typename.to_owned()).await);
    tell(
        "currentApiToken, 3 fields, 1 permission",
        ours.micros(READS, &one, |_| fields.to_owned()).await,
    );
    tell("createApiToken", ours.micros(WRITES, &all, create).await);
}

/// A server process on a free port.
struct Server {
    process: Child,
    address: String,
}

impl Server {
    fn start(command: &mut Command) -> Self {
        let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let line = lines.find(|line| line.as_ref().unwrap().contains("listening on")).unwrap();
        let address = line.unwrap().rsplit('/').next().unwrap().to_owned();
        // What the server says later must be read, or it would wait for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, address }
    }

    /// CPU time of one request in microseconds, after a warm-up.
    async fn micros(&self, each: usize, token: &str, body: impl Fn(usize) -> String) -> f64 {
        self.load(each / 10, token, &|n| body(n + 1_000_000)).await;
        let before = self.ticks();
        self.load(each, token, &body).await;
        let ticks = self.ticks() - before;
        ticks * MICROS_PER_TICK / (CONNECTIONS * each) as f64
    }

    async fn load(&self, each: usize, token: &str, body: &impl Fn(usize) -> String) {
        let connections = (0..CONNECTIONS).map(async |connection| {
            let mut stream = TcpStream::connect(&self.address).await.unwrap();
            stream.set_nodelay(true).unwrap();
            for n in 0..each {
                request(&mut stream, token, &body(connection * each + n)).await;
            }
        });
        futures_util::future::join_all(connections).await;
    }

    fn ticks(&self) -> f64 {
        let path = format!("/proc/{}/stat", self.process.id());
        let stat = std::fs::read_to_string(path).unwrap();
        // The fields after the name of the process: its user and system time are the 12th and 13th.
        let fields = stat.rsplit(')').next().unwrap().split_whitespace();
        fields.skip(11).take(2).map(|ticks| ticks.parse::<f64>().unwrap()).sum()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// One request on a connection that stays open; it must be answered with 200 and without an error.
async fn request(stream: &mut TcpStream, token: &str, body: &str) {
    let head = format!(
        "POST /graphql HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::with_capacity(4096);
    loop {
        stream.read_buf(&mut answer).await.unwrap();
        let text = String::from_utf8_lossy(&answer).to_lowercase();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head.split("content-length: ").nth(1).unwrap().lines().next().unwrap();
        if body.len() >= length.parse::<usize>().unwrap() {
            assert!(head.starts_with("http/1.1 200") && !body.contains("\"errors\""), "{text}");
            return;
        }
    }
}

/// The least that actix-web can do with such a request: read the body, answer some JSON.
#[expect(clippy::print_stderr, reason = "says where it listens, as the real server does")]
fn serve_bare() {
    let answer = async |_body: web::Bytes| {
        HttpResponse::Ok().content_type("application/json").body(r#"{"data":{}}"#)
    };
    let app = move || App::new().route("/graphql", web::post().to(answer));
    actix_web::rt::System::new().block_on(async {
        let server = HttpServer::new(app).workers(2).bind("127.0.0.1:0").unwrap();
        eprintln!("listening on http://{}", server.addrs().first().unwrap());
        server.run().await.unwrap();
    });
}
