use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::{Principal, Question};

/// More than are in use within seconds; further ones are not remembered.
const MAX_ENTRIES: usize = 10_000;

/// Tokens that were found active a moment ago.
pub(crate) struct Cache {
    time: Duration,
    entries: Mutex<HashMap<Question, (Instant, Arc<Principal>)>>,
}

impl Cache {
    pub(crate) fn new(time: Duration) -> Self {
        Self { time, entries: Mutex::default() }
    }

    pub(crate) fn get(&self, question: &Question) -> Option<Arc<Principal>> {
        let entries = self.entries();
        let (since, principal) = entries.get(question)?;
        let alive = principal.expiry > now();
        (alive && since.elapsed() < self.time).then(|| principal.clone())
    }

    /// `asked`: when the question was asked. The answer may be as old as that.
    pub(crate) fn put(&self, question: Question, asked: Instant, principal: Arc<Principal>) {
        let mut entries = self.entries();
        if entries.len() >= MAX_ENTRIES {
            entries.retain(|_, (since, _)| since.elapsed() < self.time);
        }
        if entries.len() < MAX_ENTRIES {
            entries.insert(question, (asked, principal));
        }
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<Question, (Instant, Arc<Principal>)>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[expect(clippy::disallowed_methods, reason = "a service asks its own clock")]
fn now() -> SystemTime {
    SystemTime::now()
}
