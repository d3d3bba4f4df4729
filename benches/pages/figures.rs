//! What requests cost, round by round.

use std::time::Duration;

use super::operation::Operation;
use crate::support::cluster::Cluster;
use crate::support::{CONNECTIONS, Server, Tokenwright, cpu, load_over};

/// Rounds that count; one before them warms up.
const ROUNDS: usize = 5;

/// A server over so many tokens.
pub struct Candidate {
    size: usize,
    server: [Server; 1],
    caller: String,
}

/// What one kind of request came to over one size.
#[derive(Clone, Default)]
pub struct Figure {
    requests: usize,
    cpu: f64,
    took: Duration,
}

impl Candidate {
    /// Fills a migrated database, which has one token already, and serves it.
    pub fn new(size: usize, on: &Tokenwright, fill: impl Fn()) -> Self {
        let caller = on.token("caller", &["--all-permissions"]);
        fill();
        Self { size, server: [on.serve()], caller }
    }
}

impl Figure {
    /// Microseconds of CPU for a request.
    pub fn cpu(&self) -> f64 {
        self.cpu / self.requests as f64
    }

    /// Microseconds of a request, with as many at once as there are connections.
    pub fn wall(&self) -> f64 {
        self.took.as_secs_f64() * 1_000_000.0 / self.requests as f64
    }
}

/// The figures of each operation, and within them of each size.
pub async fn measure(
    candidates: &[Candidate],
    operations: &[Operation],
    cluster: Option<&Cluster>,
) -> Vec<Vec<Figure>> {
    let mut figures = vec![vec![Figure::default(); candidates.len()]; operations.len()];
    for round in 0..=ROUNDS {
        for (operation, figures) in operations.iter().zip(&mut figures) {
            if operation.is_slow && round != 1 {
                continue;
            }
            for (candidate, figure) in candidates.iter().zip(figures) {
                let sent = send(candidate, operation, round, cluster).await;
                if round > 0 {
                    figure.requests += sent.requests;
                    figure.cpu += sent.cpu;
                    figure.took += sent.took;
                }
            }
        }
    }
    figures
}

/// Sends the requests of a round.
async fn send(
    candidate: &Candidate,
    operation: &Operation,
    round: usize,
    cluster: Option<&Cluster>,
) -> Figure {
    let Candidate { size, server, caller } = candidate;
    let taken =
        || server[0].micros() + cluster.map_or(0.0, |cluster| cpu::of_postgres(&cluster.data()));
    let connections = if operation.is_slow { 1 } else { CONNECTIONS };
    let first = round * connections * operation.requests;
    let before = taken();
    let load = load_over(connections, server, operation.requests, caller, |n| {
        (operation.body)(first + n, *size)
    })
    .await;
    Figure { requests: load.requests, cpu: taken() - before, took: load.took }
}
