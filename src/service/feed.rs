//! New audit events, for whoever follows them as they come.
//!
//! One task of an instance reads them, however many follow, and keeps the last ones for all. Who
//! begins at an earlier place, or falls behind, reads for itself until it has caught up.
//!
//! None is missed. Events are committed in the order of their places (`repository::audit`). Whoever
//! joins is counted before it reads what it has missed, and a feed that rests begins again at the
//! newest event of that moment: so what a follower does not find in the database comes by the feed.

use std::collections::VecDeque;
use std::ops::Bound;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::broadcast::{Receiver, Sender, channel};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{MissedTickBehavior, interval};

use super::{EXPORT_PAGE, ReadError, Service};
use crate::db::DbError;
use crate::domain::audit::AuditEvent;
use crate::domain::cursor::Position;
use crate::domain::filter::{AuditEventFilter, FollowedEvents};
use crate::domain::order::Direction;
use crate::domain::page::{Row, Scan};
use crate::domain::permission::required;
use crate::domain::principal::Principal;
use crate::metrics::Duty;
use crate::repository::List;

/// How often new events are looked for while somebody follows.
const TICK: Duration = Duration::from_millis(250);
/// Events that are kept for those that follow.
const KEPT: usize = 256;
/// Events that one follower reads at once: an event has up to a hundred kilobytes.
const PAGE: usize = 20;

/// An event that is shared by all who follow.
pub type FollowedEvent = Arc<Row<AuditEvent>>;

/// What reads new events.
#[derive(Debug)]
pub(super) struct Feed {
    /// The last event that was read.
    place: Mutex<Option<Position>>,
    followers: Sender<FollowedEvent>,
}

impl Default for Feed {
    fn default() -> Self {
        Self { place: Mutex::default(), followers: channel(KEPT).0 }
    }
}

/// The events after a place, as they come.
pub struct Following {
    service: Arc<Service>,
    wanted: FollowedEvents,
    place: Option<Position>,
    /// Read from the database, and not taken yet.
    read: VecDeque<FollowedEvent>,
    has_caught_up: bool,
    feed: Receiver<FollowedEvent>,
}

impl Service {
    /// Follows the events after a place; from now on where there is none.
    ///
    /// # Errors
    /// When the caller may not read tokens, or the database does not answer.
    pub async fn follow_audit_events(
        self: &Arc<Self>,
        principal: &Principal,
        wanted: FollowedEvents,
        after: Option<Position>,
    ) -> Result<Following, ReadError> {
        principal.require(required::API_TOKENS_READ)?;
        let feed = self.join().await?;
        let place = match after {
            Some(after) => Some(after),
            None => self.newest_event().await?,
        };
        let service = Arc::clone(self);
        Ok(Following { service, wanted, place, read: VecDeque::new(), has_caught_up: false, feed })
    }

    /// Reads new events, over and over until `stop` is ready.
    pub async fn keep_feed(&self, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        let mut due = interval(TICK);
        due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = due.tick() => {
                    if let Err(error) = self.feed_followers().await {
                        self.metrics.duty_failures.count(Duty::Feed);
                        tracing::warn!(%error, "new events are not read yet");
                    }
                }
                () = &mut stop => return,
            }
        }
    }

    async fn feed_followers(&self) -> Result<(), DbError> {
        let mut place = self.feed.place.lock().await;
        while self.feed.followers.receiver_count() > 0 {
            let rows = self.export_audit_events(place.as_ref()).await?;
            let count = rows.len();
            for row in rows {
                *place = Some(row.position.clone());
                let _nobody_follows = self.feed.followers.send(Arc::new(row));
            }
            if count < EXPORT_PAGE {
                break;
            }
        }
        Ok(())
    }

    /// The first who joins has the feed begin at the newest event.
    async fn join(&self) -> Result<Receiver<FollowedEvent>, DbError> {
        let mut place: MutexGuard<'_, Option<Position>> = self.feed.place.lock().await;
        if self.feed.followers.receiver_count() == 0 {
            *place = self.newest_event().await?;
        }
        Ok(self.feed.followers.subscribe())
    }

    async fn newest_event(&self) -> Result<Option<Position>, DbError> {
        let newest = Scan { direction: Direction::Descending, limit: 1, ..Scan::all() };
        let list = self.repository.audit_event_list(AuditEventFilter::default());
        Ok(list.scan(newest).await?.into_iter().next().map(|row| row.position))
    }
}

impl Following {
    /// The next event; it is waited for. `None`: the server ends.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn next(&mut self) -> Result<Option<FollowedEvent>, DbError> {
        loop {
            if let Some(row) = self.read.pop_front() {
                return Ok(Some(row));
            }
            if !self.has_caught_up {
                self.catch_up().await?;
                continue;
            }
            match self.feed.recv().await {
                Ok(row) if self.place.as_ref() < Some(&row.position) => {
                    self.place = Some(row.position.clone());
                    if self.wanted.includes(&row.value) {
                        return Ok(Some(row));
                    }
                }
                Ok(_read_before) => {}
                Err(RecvError::Lagged(_)) => self.has_caught_up = false,
                Err(RecvError::Closed) => return Ok(None),
            }
        }
    }

    /// Reads the next events from the database.
    async fn catch_up(&mut self) -> Result<(), DbError> {
        let above = self.place.clone().map_or(Bound::Unbounded, Bound::Excluded);
        let next = Scan { above, limit: PAGE, ..Scan::all() };
        let list = self.service.repository.audit_event_list(self.wanted.in_database());
        let rows = list.scan(next).await?;
        self.has_caught_up = rows.len() < PAGE;
        for row in rows {
            self.place = Some(row.position.clone());
            if self.wanted.includes(&row.value) {
                self.read.push_back(Arc::new(row));
            }
        }
        Ok(())
    }
}
