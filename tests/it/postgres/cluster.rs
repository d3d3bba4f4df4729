//! PostgreSQL servers of the tests' own, made with the installed programs in a folder that is
//! thrown away.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use super::sql;

/// The user and group `nobody`: PostgreSQL refuses to be run by root.
const NOBODY: u32 = 65534;
/// The role that the tests use: it may make databases and is no superuser.
pub const ROLE: &str = "tokenwright";
/// Its password, which no log may show.
pub const PASSWORD: &str = "a-password-for-tests";
/// Longest wait for a server.
const PATIENCE: Duration = Duration::from_secs(60);
/// Durability is left out where no test takes the server away.
const IN_A_HURRY: &[&str] = &["fsync=off", "full_page_writes=off", "synchronous_commit=off"];
/// What every cluster is set to.
const ALWAYS: &[&str] = &[
    "listen_addresses='127.0.0.1'",
    "unix_socket_directories=''",
    "max_connections=400",
    "log_min_messages=info",
    "log_lock_waits=on",
];

/// A cluster in a folder of its own. It ends with the value, or with this process, however that
/// ends.
pub struct Cluster {
    folder: PathBuf,
    port: u16,
    watchdog: Option<(Child, ChildStdin)>,
}

impl Cluster {
    /// A server with durable commits, with these settings in addition to the usual ones.
    pub fn start(settings: &[&str]) -> Self {
        let cluster = Self::without_data();
        let arguments = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-sync"];
        cluster.program("initdb", &arguments);
        cluster.configure(ALWAYS);
        cluster.configure(settings);
        cluster.run();
        let url = cluster.url_as("postgres", "postgres");
        let role = format!("CREATE ROLE {ROLE} LOGIN CREATEDB PASSWORD '{PASSWORD}'");
        sql::run(&url, &role).unwrap();
        cluster
    }

    /// A folder that is gone with the last of cluster and process.
    pub(super) fn without_data() -> Self {
        let folder = tempfile::Builder::new().prefix("tokenwright-pg-").tempdir().unwrap().keep();
        std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o700)).unwrap();
        if is_root() {
            chown(&folder, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let mut cluster = Self { folder, port: free_port(), watchdog: None };
        cluster.watchdog = Some(cluster.watched());
        cluster
    }

    /// The port on the loopback address.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of a database here.
    pub fn url(&self, database: &str) -> String {
        self.url_as(ROLE, database)
    }

    /// The same as another role.
    pub fn url_as(&self, role: &str, database: &str) -> String {
        format!("postgres://{role}:{PASSWORD}@127.0.0.1:{}/{database}", self.port)
    }

    /// The URL of a database here and on a standby, for whichever of them is the primary.
    pub fn url_with(&self, standby: &Self, database: &str) -> String {
        let hosts = format!("127.0.0.1:{},127.0.0.1:{}", self.port, standby.port());
        let attributes = "target_session_attrs=read-write";
        format!("postgres://{ROLE}:{PASSWORD}@{hosts}/{database}?{attributes}")
    }

    /// Adds lines to the configuration.
    pub fn configure(&self, settings: &[&str]) {
        let path = self.data().join("postgresql.conf");
        let text = std::fs::read_to_string(&path).unwrap() + &settings.join("\n") + "\n";
        std::fs::write(path, text).unwrap();
    }

    /// Starts the server, also after a stop.
    pub fn run(&self) {
        let log = self.log_file();
        let port = format!("-p {}", self.port);
        let log = log.to_str().unwrap();
        self.program("pg_ctl", &["start", "--wait", "--silent", "--log", log, "--options", &port]);
    }

    /// Ends the server as a loss of power would, but for the disk's cache.
    pub fn stop_immediately(&self) {
        self.program("pg_ctl", &["stop", "--wait", "--silent", "--mode=immediate"]);
    }

    /// A standby of this server; see [`Self::follow`].
    pub fn synchronous_standby(&self) -> Self {
        let standby = Self::without_data();
        standby.follow(self);
        standby
    }

    /// Becomes a standby, in place of what is here: from now on the primary acknowledges nothing
    /// before the standby has it, too.
    pub fn follow(&self, primary: &Self) {
        if self.data().exists() {
            std::fs::remove_dir_all(self.data()).unwrap();
        }
        let address = format!("host=127.0.0.1 port={} user=postgres", primary.port());
        let arguments = ["--write-recovery-conf", "--checkpoint=fast", "--no-sync", "--dbname"];
        self.program("pg_basebackup", &[&arguments[..], &[&address]].concat());
        self.run();
        primary.configure(&["synchronous_standby_names='*'"]);
        primary.program("pg_ctl", &["reload", "--silent"]);
        primary.until("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'");
    }

    /// Lets a standby be the primary.
    pub fn promote(&self) {
        self.program("pg_ctl", &["promote", "--wait", "--silent"]);
    }

    /// Waits until a query has a row.
    pub fn until(&self, query: &str) {
        let url = self.url_as("postgres", "postgres");
        let asked = Instant::now();
        while sql::run(&url, query).unwrap().is_empty() {
            assert!(asked.elapsed() < PATIENCE, "in vain: {query}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The folder of everything that is the server's.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What the server has logged.
    pub fn log(&self) -> Vec<u8> {
        std::fs::read(self.log_file()).unwrap()
    }

    /// The folder of the data.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn log_file(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// Runs one of the server's programs on the data to its end.
    pub fn program(&self, name: &str, arguments: &[&str]) {
        let mut command = unprivileged(&programs().join(name));
        command.arg("--pgdata").arg(self.data()).args(arguments);
        let ended = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        // Its standard error is not waited for: the server inherits it.
        let mut running = ended.spawn().unwrap();
        let status = running.wait().unwrap();
        if !status.success() {
            let told = BufReader::new(running.stderr.unwrap()).lines().map_while(Result::ok);
            let log = std::fs::read(self.log_file()).unwrap_or_default();
            let log = String::from_utf8_lossy(&log);
            panic!("{name} {arguments:?}: {}\n{log}", told.collect::<Vec<_>>().join("\n"));
        }
    }

    /// A process that ends the server and removes the folder when this process is gone: no
    /// destructor runs where a test is killed, or where the value is static.
    fn watched(&self) -> (Child, ChildStdin) {
        let script = "read -r _; \
                      \"$1/pg_ctl\" stop --pgdata \"$2/data\" --silent --mode=immediate; \
                      rm -rf \"$2\"";
        let mut command = unprivileged(Path::new("/bin/sh"));
        command.args(["-c", script, "sh"]).arg(programs()).arg(&self.folder);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.process_group(0).spawn().unwrap();
        let stdin = child.stdin.take().unwrap();
        (child, stdin)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some((mut child, stdin)) = self.watchdog.take() {
            drop(stdin);
            child.wait().unwrap();
        }
    }
}

/// The server that most tests share, for as long as this process lives.
pub fn shared() -> &'static Cluster {
    static SHARED: OnceLock<Cluster> = OnceLock::new();
    SHARED.get_or_init(|| Cluster::start(IN_A_HURRY))
}

/// A program as the user that runs the servers.
pub(super) fn unprivileged(program: &Path) -> Command {
    let mut command = Command::new(program);
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    // A folder that everybody may enter.
    command.current_dir("/").env("LC_ALL", "C");
    command
}

/// Does this process own what only root owns?
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;

    static ROOT: OnceLock<bool> = OnceLock::new();
    *ROOT.get_or_init(|| tempfile::tempfile().unwrap().metadata().unwrap().uid() == 0)
}

/// Where PostgreSQL's programs are: on the path, or where Debian puts them, the newest first.
pub(super) fn programs() -> &'static Path {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    FOUND.get_or_init(|| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let on_path = std::env::split_paths(&path).collect::<Vec<_>>();
        let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
        let mut debian: Vec<PathBuf> = versions.map(|entry| entry.unwrap().path()).collect();
        debian.sort_by_key(|path| path.file_name().unwrap().to_str().unwrap().parse().unwrap_or(0));
        let debian = debian.into_iter().rev().map(|path| path.join("bin"));
        let here = |folder: &PathBuf| {
            ["initdb", "pg_ctl", "pg_basebackup"].iter().all(|name| folder.join(name).exists())
        };
        let found = on_path.into_iter().chain(debian).find(here);
        found.unwrap_or_else(|| panic!("initdb, pg_ctl and pg_basebackup are not installed"))
    })
}

/// A port that nobody listens on, from below those that connections leave from: it must still be
/// free when a stopped server starts again.
pub(super) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % 10_000).unwrap();
    loop {
        let port = 15_000 + (first + NEXT.fetch_add(1, Ordering::Relaxed)) % 10_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
