//! What every surface does with a request before and after its own work.

pub(super) mod body;
pub(super) mod path;
pub(super) mod request_log;
pub(super) mod room;
pub(super) mod single_header;
pub(super) mod web_origin;
