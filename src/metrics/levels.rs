//! Numbers that go up and down, asked for when somebody reads them.

use super::labels::Hashing;

/// What is under way at one moment.
#[derive(Debug, Clone, Default)]
pub struct Levels {
    /// The kind of database.
    pub database: &'static str,
    /// Its connections, by what they are for.
    pub pools: Vec<PoolLevel>,
    /// Bytes that are free on its disk, if that is here and answers.
    pub free_space: Option<u64>,
    /// Hashes that are computed or wait for it.
    pub hashing: Vec<(Hashing, usize)>,
    /// Tokens whose last use is not stored yet.
    pub last_uses: usize,
    /// Sockets for subscriptions whose callers are known.
    pub sockets: usize,
}

/// The connections of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolLevel {
    /// What they are for.
    pub pool: &'static str,
    /// Connections that an operation uses.
    pub in_use: usize,
    /// Open connections that nobody uses.
    pub idle: usize,
    /// The most there may be.
    pub most: usize,
    /// Operations that wait for one.
    pub waiting: usize,
}
