//! The integration suite: HTTP against the built application, over a real database. One file per
//! operation or concern.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test ends where something is not as it should be"
)]

mod create_api_token;
mod support;
