//! Reading certificate and key again: when they change, and when it is asked for.
//!
//! The files are looked at every few seconds instead of being watched: what renews certificates
//! replaces files, links or whole folders, and a watch would have to follow all of them.

use std::fs::Metadata;
use std::path::Path;
use std::pin::pin;
use std::time::{Duration, SystemTime};

use chrono::TimeDelta;
use tokio::time::{MissedTickBehavior, interval};

use super::pair::{Pair, warn_of_readers};
use super::{Tls, TlsFiles};

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(5);
/// How often an end that is near is warned about.
const REPEAT: TimeDelta = TimeDelta::days(1);

/// What a file is known by: each changes with what is written or put in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    modified: Option<SystemTime>,
    size: u64,
    inode: u64,
}

/// Both files; `None`: one that cannot be looked at.
type SeenPair = [Option<Seen>; 2];

impl Tls {
    /// Reads the files again over and over, when they have changed or it is asked for, until `stop`
    /// is ready. A pair that cannot be used is kept out: the one before stays.
    pub async fn keep(&self, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        warn_of_readers(&self.files.key);
        let mut due = interval(LOOK);
        due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // What was read at the start may have changed since: the first look reads again.
        let mut seen: Option<SeenPair> = None;
        let mut warned = self.clock.now();
        loop {
            let asked = tokio::select! {
                _ = due.tick() => false,
                () = self.reload.notified() => true,
                () = &mut stop => return,
            };
            let now = look(&self.files);
            if asked || seen != Some(now) {
                // Looked at before it is read: what changes meanwhile is found at the next look.
                let reported = seen.is_some() || asked;
                seen = Some(now);
                self.read_again(asked, reported);
            }
            if asked {
                self.reloaded.notify_waiters();
            }
            let time = self.clock.now();
            if time - warned >= REPEAT {
                self.shown.current().validity.warn(time, &self.files.certificate);
                warned = time;
            }
        }
    }

    /// Replaces the pair if there is another one that can be used.
    fn read_again(&self, asked: bool, reported: bool) {
        let certificate = &self.files.certificate;
        let pair = match Pair::read(&self.files) {
            Ok(pair) => pair,
            Err(error) => {
                tracing::error!(
                    "the certificate was not replaced: {error}; the one before stays in use"
                );
                return;
            }
        };
        if self.shown.current().key.cert == pair.key.cert {
            if asked {
                tracing::info!("the certificate {} is unchanged", certificate.display());
            }
            return;
        }
        let validity = pair.validity;
        self.metrics.certificate.set(validity.until);
        self.shown.replace(pair);
        if reported {
            tracing::info!(
                until = %crate::domain::clock::written(validity.until),
                "the certificate {} was replaced; new connections get the new one",
                certificate.display()
            );
        }
        validity.warn(self.clock.now(), certificate);
        warn_of_readers(&self.files.key);
    }
}

fn look(files: &TlsFiles) -> SeenPair {
    [&files.certificate, &files.key].map(|path| see(path))
}

fn see(path: &Path) -> Option<Seen> {
    let metadata = path.metadata().ok()?;
    let modified = metadata.modified().ok();
    Some(Seen { modified, size: metadata.len(), inode: inode(&metadata) })
}

#[cfg(unix)]
fn inode(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
const fn inode(_: &Metadata) -> u64 {
    0
}
