//! The program itself, run as an operator runs it: a process, a command line, an environment.

use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use reqwest::Client;
use serde_json::{Value, json};

use super::{Answer, TestDatabase};

/// Longest wait for anything: nothing takes that long, and no test hangs.
const LIMIT: Duration = Duration::from_secs(60);

/// A command line about to be run, in an environment with nothing in it.
pub struct Binary(Command);

/// A process that has ended.
#[derive(Debug)]
pub struct Ended {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// A process that may still run; killed when dropped.
pub struct Running {
    child: Child,
    output: Output,
}

/// A process that listens.
pub struct Server {
    pub address: SocketAddr,
    pub running: Running,
    http: Client,
}

/// Makes the database, as `tokenwright migrate` does it.
pub fn migrated() -> TestDatabase {
    let database = TestDatabase::new();
    let ended = Binary::on(&database, &["migrate"]).run();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    database
}

/// A token with every permission, as `tokenwright admin create-token` makes it: its secret.
pub fn administrator(database: &TestDatabase, name: &str) -> String {
    let arguments = ["admin", "create-token", "--all-permissions", "--name", name];
    let command = Binary::on(database, &arguments).args(&["--expires-in", "90d"]);
    let ended = command.run();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    ended.stdout.trim_end().to_owned()
}

/// It ended with this code, and said this on standard error.
#[track_caller]
pub fn assert_ended(ended: &Ended, code: i32, told: &str) {
    assert_eq!(ended.code, Some(code), "{}", ended.stderr);
    assert!(ended.stderr.contains(told), "{told}: {}", ended.stderr);
}

/// The names in a folder, sorted.
pub fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let name = |entry: std::fs::DirEntry| entry.file_name().into_string().unwrap();
    let mut names: Vec<String> = entries.map(|entry| name(entry.unwrap())).collect();
    names.sort();
    names
}

/// What a process has said so far.
#[derive(Debug, Clone, Default)]
pub struct Said {
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    /// How many of the two have ended.
    closed: u8,
}

type Output = Arc<(Mutex<Said>, Condvar)>;

impl From<Command> for Binary {
    /// A command that runs the program, such as a shell with limits of its own.
    fn from(command: Command) -> Self {
        Self(command)
    }
}

impl Binary {
    /// The program in this folder, with these arguments.
    pub fn new(folder: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tokenwright"));
        command.args(arguments).current_dir(folder).env_clear();
        Self(command)
    }

    /// The program on this database, in its folder.
    pub fn on(database: &TestDatabase, arguments: &[&str]) -> Self {
        let url = database.url_text();
        Self::new(database.folder(), arguments).args(&["--database-url", &url])
    }

    /// More arguments.
    pub fn args(mut self, arguments: &[&str]) -> Self {
        self.0.args(arguments);
        self
    }

    /// A variable of its environment.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.0.env(name, value);
        self
    }

    /// Runs it to its end.
    pub fn run(self) -> Ended {
        self.start().wait()
    }

    /// Starts it.
    pub fn start(mut self) -> Running {
        let mut child = self
            .0
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = Output::default();
        collect(child.stdout.take().unwrap(), &output, |said| &mut said.stdout);
        collect(child.stderr.take().unwrap(), &output, |said| &mut said.stderr);
        Running { child, output }
    }

    /// Starts it on a free port and waits until it listens.
    pub fn serve(self) -> Server {
        // A test may change as much as it likes.
        let most = u32::MAX.to_string();
        let unbound = ["CHANGES_PER_MINUTE", "FAILED_PROOFS", "FAILED_PROOFS_PER_ADDRESS"]
            .iter()
            .fold(self, |command, name| command.env(&format!("TOKENWRIGHT_MAX_{name}"), &most));
        // Notices are no events that a test expects; a flag turns them on.
        let quiet = unbound.env("TOKENWRIGHT_EXPIRY_NOTICES", "off");
        let running = quiet.args(&["--listen", "127.0.0.1:0"]).start();
        let address = running.listening();
        // Connections that stay open would hold up the end of the process.
        let http = Client::builder().pool_max_idle_per_host(0).build();
        Server { address: address.parse().unwrap(), running, http: http.unwrap() }
    }
}

impl Said {
    /// Standard output as text.
    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Standard error as text.
    pub fn err(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// The address for Envoy, in a line before that of HTTP.
    pub fn asked_at(&self) -> Option<SocketAddr> {
        let text = self.err();
        let mut lines = text.lines();
        let found = lines.find_map(|line| line.split_once("listening for ext_authz on "));
        found.map(|(_, address)| address.parse().unwrap())
    }

    /// The address in the line that says so, once that line is whole.
    fn listens_at(&self) -> Option<String> {
        let text = self.err();
        let (whole, _) = text.rsplit_once('\n')?;
        let mut lines = whole.lines();
        let url = lines.find_map(|line| Some(line.split_once("listening on ")?.1));
        Some(url?.split_once("://")?.1.to_owned())
    }
}

impl Running {
    /// Waits until what it has said is enough.
    pub fn until(&self, enough: impl Fn(&Said) -> bool) -> Said {
        self.within(LIMIT, &enough).unwrap_or_else(|said| {
            panic!("waited in vain:\n{}\n{}", said.out(), said.err());
        })
    }

    /// Waits until it says where it listens; the part after `http://`.
    pub fn listening(&self) -> String {
        let said = self.until(|said| said.listens_at().is_some() || said.closed == 2);
        said.listens_at().unwrap_or_else(|| panic!("it does not listen: {}", said.err()))
    }

    /// The number of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal, such as `TERM`.
    pub fn signal(&self, name: &str) {
        // The shell has the command built in; a small system may lack the program.
        let kill = format!("kill -s {name} {}", self.id());
        let sent = Command::new("sh").args(["-c", &kill]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits for its end.
    pub fn wait(self) -> Ended {
        self.wait_at_most(LIMIT)
    }

    /// Waits for its end, which must not take longer than this.
    pub fn wait_at_most(mut self, limit: Duration) -> Ended {
        let said = self.within(limit, &|said| said.closed == 2);
        let said =
            said.unwrap_or_else(|said| panic!("it does not end:\n{}\n{}", said.out(), said.err()));
        Ended { code: self.child.wait().unwrap().code(), stdout: said.out(), stderr: said.err() }
    }

    fn within(&self, limit: Duration, enough: &dyn Fn(&Said) -> bool) -> Result<Said, Said> {
        let (said, changed) = &*self.output;
        let said = said.lock().unwrap();
        let waited = changed.wait_timeout_while(said, limit, |said| !enough(said));
        let (said, timeout) = waited.unwrap();
        if timeout.timed_out() { Err(said.clone()) } else { Ok(said.clone()) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _gone_already = self.child.kill();
        let _status = self.child.wait();
    }
}

impl Server {
    /// Sends a document with variables and a token.
    pub async fn graphql(&self, token: &str, query: &str, variables: Value) -> Answer {
        let body = json!({ "query": query, "variables": variables });
        let url = format!("http://{}/graphql", self.address);
        let request = self.http.post(url).bearer_auth(token).json(&body);
        Answer::of(request.send().await.unwrap()).await
    }

    /// Gets a path.
    pub async fn get(&self, path: &str) -> Answer {
        let url = format!("http://{}{path}", self.address);
        Answer::of(self.http.get(url).send().await.unwrap()).await
    }

    /// A request that the test finishes itself, to a path.
    pub fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("http://{}{path}", self.address))
    }

    /// A connection for bytes of the test's own.
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream
    }

    /// Ends it by SIGTERM.
    pub fn stop(self) -> Ended {
        self.running.signal("TERM");
        self.running.wait()
    }
}

fn collect(
    mut from: impl Read + Send + 'static,
    output: &Output,
    field: fn(&mut Said) -> &mut Vec<u8>,
) {
    let output = Arc::clone(output);
    std::thread::spawn(move || {
        let (said, changed) = &*output;
        let mut bytes = [0; 8192];
        loop {
            let read = from.read(&mut bytes).unwrap_or(0);
            let mut said = said.lock().unwrap();
            field(&mut said).extend_from_slice(&bytes[..read]);
            said.closed += u8::from(read == 0);
            changed.notify_all();
            if read == 0 {
                return;
            }
        }
    });
}
