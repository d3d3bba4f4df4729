//! Server processes.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::cpu;

/// Whoever takes no more than so many microseconds of CPU within this time has nothing to do.
const RESTING: Duration = Duration::from_millis(500);
const TICKS: f64 = 20_000.0;

/// The program on a database.
pub struct Tokenwright {
    url: String,
    settings: Vec<String>,
    log: &'static str,
}

/// A server process on a free port.
pub struct Server {
    process: Child,
    pub address: String,
    /// Where Envoy asks over gRPC; empty where it cannot.
    pub ext_authz: String,
    /// Where Prometheus asks; empty where it cannot.
    pub metrics: String,
}

impl Tokenwright {
    /// On a new SQLite file.
    pub fn on_file(path: &Path) -> Self {
        Self::on(format!("sqlite:{}", path.display()))
    }

    /// On an empty database, which is migrated.
    pub fn on(url: String) -> Self {
        let on = Self { url, settings: Vec::new(), log: "warn" };
        assert!(on.command(&["migrate"]).status().unwrap().success());
        on
    }

    /// The same with settings that `serve` and `admin create-token` know.
    pub fn with(mut self, settings: &[&str]) -> Self {
        self.settings = settings.iter().map(ToString::to_string).collect();
        self
    }

    /// The same with the log that a server writes unless it is told otherwise.
    pub const fn with_default_log(mut self) -> Self {
        self.log = "info";
        self
    }

    /// Makes a token on the command line; its secret.
    pub fn token(&self, name: &str, permissions: &[&str]) -> String {
        let always = ["admin", "create-token", "--expires-in", "2d", "--name", name];
        let mut command = self.command(&[&always[..], permissions].concat());
        let made = command.args(&self.settings).output().unwrap();
        String::from_utf8(made.stdout).unwrap().trim().to_owned()
    }

    /// Starts an instance.
    pub fn serve(&self) -> Server {
        self.serve_with(&[])
    }

    /// The same with settings that only `serve` knows.
    pub fn serve_with(&self, settings: &[&str]) -> Server {
        let mut command = self.command(&["serve", "--listen", "127.0.0.1:0"]);
        command.args(settings);
        let unbound = u32::MAX.to_string();
        for quota in ["MAX_TOKENS", "MAX_TOKENS_PER_MAKER", "MAX_CHANGES_PER_MINUTE"] {
            command.env(format!("TOKENWRIGHT_{quota}"), &unbound);
        }
        Server::start(command.args(&self.settings))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tokenwright"));
        command.args(arguments).env("TOKENWRIGHT_DATABASE_URL", &self.url);
        command.env("TOKENWRIGHT_LOG", self.log).stderr(Stdio::piped());
        command
    }
}

impl Server {
    /// Starts it and waits until it listens.
    pub fn start(command: &mut Command) -> Self {
        let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let (mut ext_authz, mut metrics) = (String::new(), String::new());
        let address = loop {
            let line = lines.next().unwrap().unwrap();
            if let Some((_, address)) = line.split_once("listening for ext_authz on ") {
                address.clone_into(&mut ext_authz);
            }
            if let Some((_, url)) = line.split_once("listening for Prometheus on http://") {
                url.trim_end_matches("/metrics").clone_into(&mut metrics);
            }
            if let Some((_, address)) = line.split_once("listening on http://") {
                break address.to_owned();
            }
        };
        // What the server says later must be read, or it would wait for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, address, ext_authz, metrics }
    }

    /// The CPU time that it has taken so far, in microseconds.
    pub fn micros(&self) -> f64 {
        cpu::micros(self.process.id())
    }

    /// Waits until it has next to nothing to do.
    pub async fn rests(&self) {
        loop {
            let before = self.micros();
            tokio::time::sleep(RESTING).await;
            if self.micros() - before <= TICKS {
                return;
            }
        }
    }
}

impl Server {
    /// The memory that it has now, in MiB.
    pub fn mebibytes(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()));
        let status = status.unwrap();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        resident.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
    }

    /// The files and connections that it has open.
    pub fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.process.id())).unwrap().count()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}
