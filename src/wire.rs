//! Reads and writes headers as bytes. Like `domain`, it knows no other layer, and no HTTP library,
//! so that every surface reads the same bytes in the same way.

pub mod basic;
pub mod bearer;
pub mod challenge;
pub mod demand;
pub mod field_value;
pub mod forwarded;
pub mod identity;
pub mod request_id;
pub mod request_stream;
