//! KnownCredentials that were read before. One counts only if the database says, in the very request,
//! that nothing was committed since.

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::db::Stamp;
use crate::domain::api_token::Credential;
use crate::domain::clock::Instant;
use crate::domain::id::ApiTokenId;
use crate::domain::label::Label;

/// Bytes of all credentials that are kept.
const MAX_BYTES: u64 = 32 * 1024 * 1024;
/// Bytes of a credential without what it has many of; sets of permissions are shared.
const BYTES: usize = 1_000;
/// Bytes of a network in its list. Long lists are shared.
const NETWORK: usize = 64;
const LONG_LIST: usize = 16;
/// Bytes of a label, beside its texts.
const LABEL: usize = 48;

/// KnownCredentials, by who read them: stamps of two readers cannot be compared.
pub(in crate::repository) struct KnownCredentials(Cache<(u32, ApiTokenId), Known, Weight>);

/// A credential, and the version of the database that it is of.
#[derive(Clone)]
struct Known {
    version: i32,
    row: Row,
}

/// What a credential is judged by.
#[derive(Clone)]
pub(super) struct Row {
    pub(super) credential: Arc<Credential>,
    /// The latest time that the database was told.
    pub(super) mark: Instant,
}

#[derive(Clone)]
struct Weight;

impl Weighter<(u32, ApiTokenId), Known> for Weight {
    fn weight(&self, _: &(u32, ApiTokenId), known: &Known) -> u64 {
        let token = &known.row.credential.token;
        let networks = token.allowed_addresses.iter().len().min(LONG_LIST);
        let label = |label: &Label| LABEL + label.key.len() + label.value.len();
        let labels: usize = token.labels.iter().map(label).sum();
        let bytes = BYTES + token.description.len() + labels + networks * NETWORK;
        bytes.try_into().unwrap_or(u64::MAX)
    }
}

impl KnownCredentials {
    pub(in crate::repository) fn new() -> Self {
        let usual = usize::try_from(MAX_BYTES).unwrap_or(usize::MAX) / BYTES;
        Self(Cache::with_weighter(usual, MAX_BYTES, Weight))
    }

    /// The row, if it was read under this stamp.
    pub(super) fn get(&self, id: ApiTokenId, stamp: Stamp) -> Option<Row> {
        let known = self.0.get(&(stamp.reader, id))?;
        (known.version == stamp.version).then_some(known.row)
    }

    /// Keeps a row that was read after the stamp was taken. In this order a commit in between only
    /// makes it look older than it is.
    pub(super) fn keep(&self, id: ApiTokenId, stamp: Stamp, row: Row) {
        let known = Known { version: stamp.version, row };
        self.0.insert((stamp.reader, id), known);
    }
}
