//! What happens on a connection around its requests.

pub(super) mod activity;
pub(super) mod library_refusal;
pub(super) mod socket;
pub(super) mod unread_body;
