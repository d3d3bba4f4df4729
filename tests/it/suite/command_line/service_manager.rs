//! What the service manager learns of a server, and how a server ends behind a load balancer.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use crate::support::{Binary, assert_ended, migrated};

/// The socket at which a service manager listens, and what `NOTIFY_SOCKET` names it.
struct Manager(UnixDatagram, String);

impl Manager {
    fn at(path: &std::path::Path) -> Self {
        Self(UnixDatagram::bind(path).unwrap(), path.to_str().unwrap().to_owned()).patient()
    }

    fn without_a_file(name: &str) -> Self {
        let address = SocketAddr::from_abstract_name(name).unwrap();
        Self(UnixDatagram::bind_addr(&address).unwrap(), format!("@{name}")).patient()
    }

    fn patient(self) -> Self {
        self.0.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        self
    }

    fn informed_by(&self, server: Binary) -> Binary {
        server.env("NOTIFY_SOCKET", &self.1)
    }

    /// The next message.
    fn next(&self) -> std::io::Result<String> {
        let mut bytes = [0; 4096];
        let length = self.0.recv(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes[..length]).into_owned())
    }

    /// The next message with this line.
    fn until(&self, line: &str) -> String {
        loop {
            let message = self.next().unwrap();
            if message.lines().any(|found| found == line) {
                return message;
            }
        }
    }
}

#[test]
fn the_service_manager_learns_of_start_reload_and_end() {
    let database = migrated();
    let manager = Manager::at(&database.folder().join("notify"));
    let server = manager.informed_by(Binary::on(&database, &["serve"]));
    let server = server.env("WATCHDOG_USEC", "2000000").serve();
    let first = manager.next().unwrap();
    let ready = format!("READY=1\nSTATUS=listening on http://{}", server.address);
    assert_eq!(first, ready, "nothing comes before it is ready");
    for _ in 0..2 {
        manager.until("WATCHDOG=1");
    }
    server.running.signal("HUP");
    let reloading = manager.until("RELOADING=1");
    let began = reloading.lines().find_map(|line| line.strip_prefix("MONOTONIC_USEC="));
    let uptime = std::fs::read_to_string("/proc/uptime").unwrap();
    let uptime: f64 = uptime.split(' ').next().unwrap().parse().unwrap();
    // In microseconds, as systemd compares it with its own clock.
    let began = began.unwrap().parse::<u64>().unwrap();
    assert!(Duration::from_micros(began).as_secs_f64() <= uptime + 1.0, "{reloading}");
    manager.until("READY=1");
    server.running.signal("TERM");
    manager.until("STOPPING=1");
    assert_ended(&server.running.wait(), 0, "shutting down");
}

#[test]
fn a_socket_without_a_file_is_reached_and_one_that_is_not_there_is_reported() {
    let database = migrated();
    let manager = Manager::without_a_file(&format!("tokenwright-{}", std::process::id()));
    let server = manager.informed_by(Binary::on(&database, &["serve"])).serve();
    manager.until("READY=1");
    assert_ended(&server.stop(), 0, "shutting down");
    let nobody = Binary::on(&database, &["serve"]).env("NOTIFY_SOCKET", "/nowhere/notify");
    assert_ended(&nobody.serve().stop(), 0, "NOTIFY_SOCKET cannot be used");
}

#[test]
fn a_process_that_is_stopped_gives_no_sign_of_life() {
    let database = migrated();
    let manager = Manager::at(&database.folder().join("notify"));
    let server = manager.informed_by(Binary::on(&database, &["serve"]));
    let server = server.env("WATCHDOG_USEC", "20000").serve();
    manager.until("WATCHDOG=1");
    server.running.signal("STOP");
    let status = format!("/proc/{}/status", server.running.id());
    while !std::fs::read_to_string(&status).unwrap().contains("T (stopped)") {
        std::thread::yield_now();
    }
    manager.0.set_nonblocking(true).unwrap();
    while manager.next().is_ok() {}
    for _ in 0..1000 {
        assert!(manager.next().is_err(), "it is stopped");
        std::thread::yield_now();
    }
    manager.0.set_nonblocking(false).unwrap();
    server.running.signal("CONT");
    manager.until("WATCHDOG=1");
    assert_ended(&server.stop(), 0, "shutting down");
}

#[test]
fn the_watchdog_of_another_process_is_not_ours() {
    let database = migrated();
    let manager = Manager::at(&database.folder().join("notify"));
    let server = manager.informed_by(Binary::on(&database, &["serve"]));
    let server = server.env("WATCHDOG_USEC", "1000").env("WATCHDOG_PID", "1").serve();
    manager.until("READY=1");
    server.running.signal("HUP");
    manager.until("RELOADING=1");
    server.running.signal("TERM");
    let mut messages = String::new();
    while !messages.contains("STOPPING=1") {
        messages.push_str(&manager.next().unwrap());
    }
    assert!(!messages.contains("WATCHDOG"), "{messages}");
    assert_ended(&server.running.wait(), 0, "shutting down");
}

/// Load balancers learn from `/readyz` that a server is about to end, and need time for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_not_ready_for_a_while_before_it_ends() {
    let database = migrated();
    let manager = Manager::at(&database.folder().join("notify"));
    let serve = Binary::on(&database, &["serve", "--shutdown-delay", "1h"]);
    let server = manager.informed_by(serve).serve();
    assert_eq!(server.get("/readyz").await.status, 200);
    server.running.signal("TERM");
    server.running.until(|said| said.err().contains("not ready any longer"));
    manager.until("STOPPING=1");
    let ready = server.get("/readyz").await;
    assert_eq!(ready.status, 503);
    assert_eq!(ready.errors(), ["UNAVAILABLE unavailable"]);
    let listen = server.address.to_string();
    let check = Binary::new(database.folder(), &["healthcheck", "--listen", &listen]);
    assert_ended(&check.run(), 1, "503");
    for _ in 0..3 {
        assert_eq!(server.get("/livez").await.status, 200);
        assert_eq!(server.get("/authorize").await.status, 401, "everything else is served");
    }
    // A hang-up does not end the wait; another signal does.
    server.running.signal("HUP");
    server.running.until(|said| said.err().contains("SIGHUP is ignored"));
    assert_eq!(server.get("/livez").await.status, 200);
    server.running.signal("INT");
    assert_ended(&server.running.wait(), 0, "shutting down");
}

#[test]
fn the_delay_ends_by_itself() {
    let serve = ["serve", "--shutdown-delay", "10ms"];
    let ended = Binary::on(&migrated(), &serve).serve().stop();
    assert_ended(&ended, 0, "not ready any longer");
    assert_ended(&ended, 0, "shutting down");
    let too_long = Binary::on(&migrated(), &["serve", "--shutdown-delay", "2d"]).run();
    assert_ended(&too_long, 2, "must be 0s to 1day");
}
