//! Headers that are no lists.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

/// The header, if it stands there once. Of several, another party on the way might have looked at the
/// one that this server would not.
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
