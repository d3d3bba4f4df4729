//! How SQLite finds what a thread that serves requests reads by itself: by indexes, or the thread would
//! be kept from all its other requests.

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use diesel::sql_types::Text;
use diesel::{Connection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use tokio::runtime::Handle;

use super::Repository;
use crate::db::{Database, DatabaseUrl, PoolSettings, migrate};
use crate::domain::clock::{Clock, SteadyClock, SystemClock};
use crate::domain::id::{ApiTokenId, UserId};
use crate::domain::random::SystemRandom;
use crate::domain::secret::{PlaintextSecret, SecretTag};
use crate::metrics::Metrics;

thread_local! {
    /// What this thread has asked a database.
    static ASKED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

fn noting() -> Option<Box<dyn Instrumentation>> {
    Some(Box::new(|event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            ASKED.with_borrow_mut(|asked| asked.push(query.to_string()));
        }
    }))
}

/// The only statement that this thread ran of its own since it was last asked.
fn statement() -> String {
    let mut asked = ASKED.take();
    asked.retain(|text| !text.contains("PRAGMA"));
    assert_eq!(asked.len(), 1, "{asked:?}");
    asked.remove(0)
}

fn count_in(folder: &Path, word: &str) -> usize {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let count = |path: std::path::PathBuf| match path.is_dir() {
        true => count_in(&path, word),
        false => std::fs::read_to_string(&path).unwrap().matches(word).count(),
    };
    entries.map(count).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_in_place_is_found_by_indexes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.db");
    let url = DatabaseUrl::parse(&format!("sqlite:{}", path.display())).unwrap();
    migrate(&url).await.unwrap();
    set_default_instrumentation(noting).unwrap();
    let long = Duration::from_secs(10);
    let settings = PoolSettings {
        connections: 1,
        wait: long,
        statement_timeout: long,
        idle_transaction_timeout: long,
    };
    let metrics = Arc::<Metrics>::default();
    let database = Database::open(&url, settings, 1, Handle::current(), metrics).unwrap();
    let clock = Arc::new(SteadyClock::new(Arc::new(SystemClock)));
    let repository = Repository::new(database, clock);
    repository.prepare_thread().unwrap();
    let id = ApiTokenId::generate(SystemClock.now(), &SystemRandom).unwrap();
    let tag = SecretTag::of(&PlaintextSecret::generate(id, &SystemRandom).unwrap());
    ASKED.take();

    assert!(repository.credential(id, &tag).await.unwrap().is_none());
    let credential = statement();
    assert!(repository.api_token(id).await.unwrap().is_none());
    let api_token = statement();
    assert!(repository.user(UserId::SYSTEM).await.unwrap().is_some());
    let user = statement();
    assert!(repository.name_holder("nobody").await.unwrap().is_none());
    let statements = [credential, api_token, user, statement()];

    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/repository");
    let others = ["point", "!("].concat();
    assert_eq!(count_in(&here, &others), statements.len(), "each read in place is listed above");
    let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    for statement in statements {
        let plan = sql_query(format!("EXPLAIN QUERY PLAN {statement}"));
        let steps = plan.load::<Step>(&mut connection).unwrap();
        assert!(!steps.is_empty());
        for Step { detail } in steps {
            let is_found = detail.starts_with("SEARCH ") && detail.contains(" USING ");
            // That table has one row.
            let is_one = detail.starts_with("SCALAR SUBQUERY") || detail == "SCAN audit_tail";
            assert!(is_found || is_one, "{statement}: {detail}");
        }
    }
}
