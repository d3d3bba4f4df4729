//! Reads headers from their bytes. Like `domain`, it knows no other layer, and no HTTP library, so
//! that every surface reads the same bytes in the same way.

pub mod bearer;
pub mod field_value;
pub mod forwarded;
pub mod request_stream;
