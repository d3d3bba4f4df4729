//! Audit events.

mod list;
mod record;

pub use list::AuditEventList;
pub(super) use record::{date_at_tail, record};
