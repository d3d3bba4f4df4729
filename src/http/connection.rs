//! What happens on a connection around its requests.

pub(super) mod slow_heads;
pub(super) mod unread_body;
