//! The paths whose requests come often, and are seldom worth a line in the log.

/// Is the process alive?
pub(in crate::http) const LIVEZ: &str = "/livez";
/// Can it answer?
pub(in crate::http) const READYZ: &str = "/readyz";
/// Forward-auth, with or without something behind it.
pub(in crate::http) const AUTHORIZE: &str = "/authorize";

/// Is this the path of a probe?
pub(in crate::http) fn is_probe(path: &str) -> bool {
    matches!(path, LIVEZ | READYZ)
}

/// Is this a path of forward-auth?
pub(in crate::http) fn is_authorize(path: &str) -> bool {
    path.strip_prefix(AUTHORIZE).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
