//! The database that is measured, and what it takes.

use std::path::PathBuf;

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use tempfile::TempDir;

use super::cluster::Cluster;
use super::rows::{POSTGRES, SQLITE};
use super::{Tokenwright, cpu, sql};

/// A database of its own.
pub struct Store {
    pub name: &'static str,
    pub on: Tokenwright,
    /// A token that may do everything. Rows have the hash of its secret.
    pub caller: String,
    place: Place,
}

enum Place {
    File(TempDir),
    Cluster(Cluster),
}

impl Store {
    /// One of each kind that the command line asks for; of both, if it asks for none.
    pub fn asked() -> impl Iterator<Item = Self> {
        let asked = |name: &str| std::env::args().any(|argument| argument == name);
        let both = !asked("sqlite") && !asked("postgres");
        let sqlite = (both || asked("sqlite")).then_some(Self::sqlite as fn() -> Self);
        let postgres = (both || asked("postgres")).then_some(Self::postgres as fn() -> Self);
        // One after the other: an idle server takes memory, too.
        sqlite.into_iter().chain(postgres).map(|make| make())
    }

    fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let on = Tokenwright::on_file(&folder.path().join("bench.db"));
        Self::new("SQLite", on, Place::File(folder))
    }

    /// Started with the installed programs, as the tests do.
    fn postgres() -> Self {
        let cluster = Cluster::start(&["max_wal_size=4GB"]);
        sql::run(&cluster.url("postgres"), "CREATE DATABASE bench").unwrap();
        Self::new("PostgreSQL", Tokenwright::on(cluster.url("bench")), Place::Cluster(cluster))
    }

    fn new(name: &'static str, on: Tokenwright, place: Place) -> Self {
        let on = on.with_default_log();
        let caller = on.token("caller", &["--all-permissions"]);
        Self { name, on, caller, place }
    }

    /// The same kind, empty.
    pub fn another(&self) -> Self {
        match self.place {
            Place::File(_) => Self::sqlite(),
            Place::Cluster(_) => Self::postgres(),
        }
    }

    /// Adds so many tokens without labels, with their users and audit events, by SQL.
    pub fn fill(&self, tokens: usize) {
        match &self.place {
            Place::File(_) => self.file().batch_execute(&SQLITE.tokens(tokens)).unwrap(),
            Place::Cluster(cluster) => {
                let url = cluster.url("bench");
                sql::run(&url, &POSTGRES.tokens(tokens)).unwrap();
                sql::run(&url, "VACUUM (ANALYZE) users, api_tokens, audit_events").unwrap();
            }
        }
    }

    /// The bytes of all tables and indexes.
    pub fn bytes(&self) -> u64 {
        match &self.place {
            Place::File(_) => {
                self.file().batch_execute("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
                self.path().metadata().unwrap().len()
            }
            Place::Cluster(cluster) => {
                let size = "SELECT pg_database_size('bench')::text";
                sql::run(&cluster.url("bench"), size).unwrap()[0].parse().unwrap()
            }
        }
    }

    /// MiB of the write-ahead log of SQLite; that of PostgreSQL is its own business.
    pub fn log_mebibytes(&self) -> f64 {
        match &self.place {
            Place::File(folder) => {
                let log = folder.path().join("bench.db-wal");
                log.metadata().unwrap().len() as f64 / (1024.0 * 1024.0)
            }
            Place::Cluster(_) => 0.0,
        }
    }

    /// The CPU time of the database's own processes so far, in microseconds.
    pub fn micros(&self) -> f64 {
        match &self.place {
            Place::File(_) => 0.0,
            Place::Cluster(cluster) => cpu::of_postgres(&cluster.data()),
        }
    }

    fn file(&self) -> SqliteConnection {
        SqliteConnection::establish(self.path().to_str().unwrap()).unwrap()
    }

    fn path(&self) -> PathBuf {
        let Place::File(folder) = &self.place else { panic!("it is no file") };
        folder.path().join("bench.db")
    }
}
