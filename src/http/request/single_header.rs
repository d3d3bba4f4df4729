//! Headers that are not lists.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

/// The value of the header, if it is sent exactly once. With several, a proxy on the way might read
/// another one than this server.
pub(in crate::http) fn single_header(
    headers: &HeaderMap,
    name: HeaderName,
) -> Option<&HeaderValue> {
    let mut lines = headers.get_all(name);
    match (lines.next(), lines.next()) {
        (Some(line), None) => Some(line),
        _ => None,
    }
}
