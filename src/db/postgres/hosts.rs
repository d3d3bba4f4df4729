//! Connecting to one of several hosts.

use std::time::{Duration, Instant};

use rand::seq::SliceRandom;
use tokio::time::timeout;
use tokio_postgres::config::{Host, LoadBalanceHosts};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, Connection, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::super::error::with_causes;

type Stream = <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream;

/// Connects to the first usable host. Each gets its share of the time, from its name to the end of
/// the greeting, so that a host that accepts and stays silent does not keep us from the next one.
///
/// # Errors
/// Why each host failed. tokio-postgres, given all of them, reports only the last one.
pub(super) async fn connect(
    hosts: &[Config],
    tls: &MakeRustlsConnect,
    wait: Duration,
) -> Result<(Client, Connection<Socket, Stream>), String> {
    let start = Instant::now();
    let mut failures = Vec::new();
    let count = u32::try_from(hosts.len()).unwrap_or(u32::MAX);
    for (host, untried) in in_order(hosts).into_iter().zip((1..=count).rev()) {
        let left = wait.saturating_sub(start.elapsed());
        let share = host.get_connect_timeout().copied().unwrap_or(left / untried);
        let cause = match timeout(share.min(left), host.connect(tls.clone())).await {
            Ok(Ok(connected)) => return Ok(connected),
            Ok(Err(error)) => with_causes(&error),
            Err(_) => "it did not answer in time".to_owned(),
        };
        failures.push(format!("{}: {cause}", name(host)));
    }
    Err(failures.join("; "))
}

fn in_order(hosts: &[Config]) -> Vec<&Config> {
    let mut hosts: Vec<&Config> = hosts.iter().collect();
    let at_random = |host: &&Config| host.get_load_balance_hosts() == LoadBalanceHosts::Random;
    if hosts.first().is_some_and(at_random) {
        #[expect(clippy::disallowed_methods, reason = "nothing but the load depends on it")]
        hosts.shuffle(&mut rand::rng());
    }
    hosts
}

/// As in the URL.
fn name(host: &Config) -> String {
    let port = host.get_ports().first().copied().unwrap_or(5432);
    match (host.get_hosts().first(), host.get_hostaddrs().first()) {
        (Some(Host::Tcp(name)), _) => format!("{name}:{port}"),
        (Some(Host::Unix(path)), _) => path.display().to_string(),
        (None, Some(address)) => format!("{address}:{port}"),
        (None, None) => "no host".to_owned(),
    }
}
