//! What headers say, read from their bytes. Ground floor like `domain`: it knows no HTTP library and no
//! other layer, so that every surface reads the same bytes in the same way.

pub mod bearer;
pub mod field_value;
pub mod forwarded;
pub mod request_stream;
