//! Clients that create and delete tokens in parallel, while other things happen.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::ledger::Ledger;
use super::writer::{Outcome, Writer};
use crate::support::Server;

const CLIENTS: usize = 4;
/// Longest wait for something to be acknowledged.
const PATIENCE: Duration = Duration::from_secs(60);
/// A client that was refused waits for as long before it tries again.
const PAUSE: Duration = Duration::from_millis(20);

/// Clients at work until they are stopped.
pub struct Load {
    stop: Arc<AtomicBool>,
    clients: JoinSet<()>,
    /// How many writes of each client were acknowledged.
    acknowledged: Vec<Arc<AtomicUsize>>,
}

impl Load {
    /// Starts clients of these instances.
    pub fn start(servers: &[&Server], token: &str, ledger: &Arc<Ledger>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (mut clients, mut acknowledged) = (JoinSet::new(), Vec::new());
        for server in servers.iter().cycle().take(CLIENTS) {
            let writer = Writer::new(server.address, token);
            let (ledger, stop) = (Arc::clone(ledger), Arc::clone(&stop));
            let count = Arc::new(AtomicUsize::new(0));
            acknowledged.push(Arc::clone(&count));
            clients.spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    count.fetch_add(write(&writer, &ledger).await, Ordering::Relaxed);
                }
            });
        }
        Self { stop, clients, acknowledged }
    }

    /// Waits until so many more writes of every client were acknowledged.
    pub async fn acknowledged(&self, more: usize) {
        let counts = || self.acknowledged.iter().map(|count| count.load(Ordering::Relaxed));
        let (before, asked): (Vec<usize>, _) = (counts().collect(), Instant::now());
        while counts().zip(&before).any(|(now, then)| now < then + more) {
            assert!(asked.elapsed() < PATIENCE, "some client gets nothing acknowledged");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits for the last answers.
    pub async fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.clients.join_all().await;
    }
}

/// Creates a token, and deletes every second one; reports how many writes were acknowledged.
async fn write(writer: &Writer, ledger: &Ledger) -> usize {
    let (number, name) = ledger.next_name();
    let token = match writer.create(&name).await {
        Outcome::Done(token) => token,
        Outcome::Unknown => {
            ledger.unknown_outcome();
            return 0;
        }
        Outcome::NotDone => {
            ledger.refused(name);
            tokio::time::sleep(PAUSE).await;
            return 0;
        }
    };
    let kept = number.is_multiple_of(2);
    let deletion = if kept { Outcome::NotDone } else { writer.delete(&token.id).await };
    match deletion {
        Outcome::Done(()) => {
            ledger.deleted(token);
            return 2;
        }
        Outcome::NotDone => ledger.live(token),
        Outcome::Unknown => ledger.unknown_outcome(),
    }
    1
}
