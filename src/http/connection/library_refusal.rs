//! The refusals that the HTTP library writes by itself, because there is no request yet that a
//! handler could answer: a head that is malformed, too large or too slow. It has no hook for them,
//! so they are replaced as they are written: by our own, with a body, an id, and a line in the log
//! with the client's address.

use std::net::IpAddr;

use actix_web::web;

use crate::domain::id::request_id;
use crate::http::refusal::{JSON, Refusal, RefusalBody};
use crate::http::request::room::RequestRoom;
use crate::http::state::HttpState;

/// Longest head of such a refusal.
const MAX_HEAD: usize = 256;
/// The start of each, and our refusal in its place.
const KNOWN: [(&[u8], Refusal); 3] = [
    (b"HTTP/1.1 400 Bad Request\r\n", Refusal::NotHttp),
    (b"HTTP/1.1 408 Request Timeout\r\n", Refusal::HeadTooSlow),
    (b"HTTP/1.1 431 Request Header Fields Too Large\r\n", Refusal::HeadTooLarge),
];

/// Writes our refusals on one connection.
pub(in crate::http) struct Refuser {
    state: web::Data<HttpState>,
    peer: Option<IpAddr>,
}

/// Our refusal in place of the library's.
pub(super) struct Replacement {
    /// The length of the library's.
    pub(super) replaced: usize,
    pub(super) text: Vec<u8>,
}

/// Where the library's refusal starts, if what it writes ends with one. None of our answers ends
/// like this: they have an id, and JSON has no line breaks.
pub(super) fn at_end(bytes: &[u8]) -> Option<(usize, Refusal)> {
    if !bytes.ends_with(b"\r\n\r\n") {
        return None;
    }
    let earliest = bytes.len().saturating_sub(MAX_HEAD);
    let tail = bytes.get(earliest..)?;
    // Looked for by its first character: all answers without a body come this far, most without it.
    if !tail.contains(&b'H') {
        return None;
    }
    let starts = tail.iter().enumerate().rev().filter(|(_, byte)| **byte == b'H');
    let mut heads = starts.filter_map(|(start, _)| Some((start, tail.get(start..)?)));
    let (start, head) = heads.find(|(_, head)| head.starts_with(b"HTTP/1.1 "))?;
    let (_, refusal) = KNOWN.into_iter().find(|(line, _)| head.starts_with(line))?;
    let has = |line: &[u8]| head.windows(line.len()).any(|window| window == line);
    let is_bare = has(b"content-length: 0\r\n") && !has(b"x-request-id:");
    is_bare.then_some((earliest + start, refusal))
}

impl Refuser {
    /// For the connection of this peer.
    pub(in crate::http) const fn new(state: web::Data<HttpState>, peer: Option<IpAddr>) -> Self {
        Self { state, peer }
    }

    /// The memory for what arrives.
    pub(super) fn room(&self) -> &RequestRoom {
        &self.state.room
    }

    /// Our refusal in place of this one, which keeps the library's own header lines.
    pub(super) fn replace(&self, head: &[u8], refusal: Refusal) -> Replacement {
        let id = request_id(self.state.clock.now(), self.state.id_random.as_ref()).ok();
        let id = id.unwrap_or_default();
        self.log(&id, refusal);
        let body = RefusalBody::from(refusal).text();
        let head_text = String::from_utf8_lossy(head);
        let lines = head_text.trim_end().split("\r\n");
        let mut text: String = lines
            .filter(|line| !line.starts_with("content-length:"))
            .flat_map(|line| [line, "\r\n"])
            .collect();
        for (name, value) in [
            ("content-type", JSON),
            ("content-length", &body.len().to_string()),
            ("x-request-id", &id),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-store"),
        ] {
            text.extend([name, ": ", value, "\r\n"]);
        }
        text.extend(["\r\n", &body]);
        Replacement { replaced: head.len(), text: text.into_bytes() }
    }

    fn log(&self, request_id: &str, refusal: Refusal) {
        self.state.service.metrics().not_requests.count(());
        let client = self.peer.map(tracing::field::display);
        if self.state.refusals.is_first(self.peer, &refusal.to_string()) {
            tracing::info!(request_id, client, reason = %refusal, "refused by the HTTP library");
        } else {
            tracing::debug!(request_id, client, reason = %refusal, "refused by the HTTP library");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bare_refusals_at_the_end_are_found() {
        let bare = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\ndate: x\r\n\r\n";
        assert_eq!(at_end(bare.as_bytes()), Some((0, Refusal::NotHttp)));
        let before = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok\n";
        let both = format!("{before}{bare}");
        assert_eq!(at_end(both.as_bytes()), Some((before.len(), Refusal::NotHttp)));
        for other in [
            "",
            "\r\n\r\n",
            before,
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\n{}",
            "HTTP/1.1 400 Bad Request\r\nx-request-id: a\r\ncontent-length: 0\r\n\r\n",
        ] {
            assert_eq!(at_end(other.as_bytes()), None, "{other}");
        }
    }
}
