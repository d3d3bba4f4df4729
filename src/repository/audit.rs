//! Audit events.

mod list;
mod log;
mod record;

pub use list::AuditEventList;
pub(super) use record::{FEW, date_at_tail, record, record_each};
