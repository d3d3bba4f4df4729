//! What the service manager learns of a server (`sd_notify(3)`): systemd, or what speaks its
//! protocol, such as podman. Without one, nothing is sent.
//!
//! The socket is opened once, at the start, and sending never waits: a flood that takes every
//! descriptor, or a manager that does not read, must not end what is alive. Crates for this open a
//! socket for each message.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::time::{MissedTickBehavior, interval};

use crate::http::Pulse;

/// The service manager, if there is one.
#[derive(Debug, Default)]
pub(super) struct ServiceManager {
    socket: Option<UnixDatagram>,
    watchdog: Option<Duration>,
}

impl ServiceManager {
    /// The one that the environment names. These variables are no settings: the manager sets them.
    pub(super) fn from_environment() -> Self {
        let Some(name) = std::env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty()) else {
            return Self::default();
        };
        match connect(&name) {
            Ok(socket) => Self { socket: Some(socket), watchdog: watchdog() },
            Err(error) => {
                tracing::warn!(%error, "NOTIFY_SOCKET cannot be used, so the service manager is \
                                        not informed");
                Self::default()
            }
        }
    }

    /// The server listens at this URL.
    pub(super) fn ready(&self, url: &str) {
        self.send(&format!("READY=1\nSTATUS=listening on {url}"));
    }

    /// The certificate is read again; meanwhile the server goes on serving.
    pub(super) fn reloading(&self) {
        let now = clock_gettime(ClockId::Monotonic);
        let micros = i128::from(now.tv_sec) * 1_000_000 + i128::from(now.tv_nsec) / 1_000;
        self.send(&format!("RELOADING=1\nMONOTONIC_USEC={micros}"));
    }

    /// The certificate was read again.
    pub(super) fn reloaded(&self) {
        self.send("READY=1");
    }

    /// The server ends.
    pub(super) fn stopping(&self, status: &str) {
        self.send(&format!("STOPPING=1\nSTATUS={status}"));
    }

    /// Says over and over that the server is alive, twice as often as the manager wants it
    /// (`WatchdogSec=`), each time only once all threads that serve have answered.
    pub(super) async fn keep_watchdog(&self, pulse: &Pulse) {
        let Some(limit) = self.watchdog else { return };
        let mut due = interval((limit / 2).max(Duration::from_millis(1)));
        due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            due.tick().await;
            pulse.felt().await;
            self.send("WATCHDOG=1");
        }
    }

    fn send(&self, state: &str) {
        let Some(socket) = &self.socket else { return };
        if let Err(error) = socket.send(state.as_bytes()) {
            tracing::debug!(%error, "the service manager was not informed");
        }
    }
}

/// A path, or after `@` a name without a file.
fn connect(name: &OsStr) -> std::io::Result<UnixDatagram> {
    let address = match name.as_bytes().strip_prefix(b"@") {
        Some(name) => without_file(name)?,
        None => SocketAddr::from_pathname(name)?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.connect_addr(&address)?;
    Ok(socket)
}

#[cfg(target_os = "linux")]
fn without_file(name: &[u8]) -> std::io::Result<SocketAddr> {
    use std::os::linux::net::SocketAddrExt;

    SocketAddr::from_abstract_name(name)
}

/// Only Linux has such names.
#[cfg(not(target_os = "linux"))]
fn without_file(_name: &[u8]) -> std::io::Result<SocketAddr> {
    Err(std::io::ErrorKind::Unsupported.into())
}

/// How often the manager wants to hear from this very process.
fn watchdog() -> Option<Duration> {
    let number = |name| std::env::var_os(name)?.to_str()?.parse::<u64>().ok();
    let process = u64::from(std::process::id());
    let for_us = number("WATCHDOG_PID").is_none_or(|id| id == process);
    number("WATCHDOG_USEC").filter(|micros| for_us && *micros > 0).map(Duration::from_micros)
}
