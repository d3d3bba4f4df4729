//! Audit events.

mod list;

pub use list::AuditEventList;
