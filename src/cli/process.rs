//! What a server asks of the operating system before it starts.

use rustix::process::{
    DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit,
};

/// Allows as many descriptors as the system lets this process have, since every connection takes
/// one; the usual soft limit of 1,024 is for programs that use `select`. Returns how many there may
/// be then, `None`: any number.
pub(super) fn raise_descriptors() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    match setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }) {
        Ok(()) => limit.maximum,
        Err(error) => {
            tracing::warn!(%error, "the limit of descriptors remains at {:?}", limit.current);
            limit.current
        }
    }
}

/// Keeps the secrets that pass through this process out of memory dumps, and away from other
/// processes of the same user that would attach to it.
pub(super) fn forbid_dumps() {
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::warn!(%error, "memory dumps of this process are possible");
    }
}
