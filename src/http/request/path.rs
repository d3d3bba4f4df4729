//! The paths whose requests come often, and are seldom worth a line in the log; and what requests
//! are counted as.

use crate::metrics::Endpoint;

/// Is the process alive?
pub(in crate::http) const LIVEZ: &str = "/livez";
/// Can it answer?
pub(in crate::http) const READYZ: &str = "/readyz";
/// Forward-auth, with or without something behind it.
pub(in crate::http) const AUTHORIZE: &str = "/authorize";

/// GraphQL.
pub(in crate::http) const GRAPHQL: &str = "/graphql";
/// Token introspection.
pub(in crate::http) const INTROSPECT: &str = "/oauth2/introspect";
/// Token revocation.
pub(in crate::http) const REVOKE: &str = "/oauth2/revoke";
/// OAuth metadata; the path of `public-url` may follow.
pub(in crate::http) const METADATA: &str = "/.well-known/oauth-authorization-server";
/// The start of the paths of the playground's parts.
const PLAYGROUND: &str = "/playground/";

/// What a request to this path is counted as. Paths of clients are no names for numbers.
pub(in crate::http) fn endpoint(path: &str) -> Endpoint {
    match path {
        GRAPHQL => Endpoint::Graphql,
        LIVEZ | READYZ => Endpoint::Probe,
        INTROSPECT => Endpoint::Introspect,
        REVOKE => Endpoint::Revoke,
        "/" => Endpoint::Playground,
        _ if is_authorize(path) => Endpoint::Authorize,
        _ if path.starts_with(METADATA) => Endpoint::Metadata,
        _ if path.starts_with(PLAYGROUND) => Endpoint::Playground,
        _ => Endpoint::Other,
    }
}

/// Is this a path of forward-auth?
fn is_authorize(path: &str) -> bool {
    path.strip_prefix(AUTHORIZE).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
