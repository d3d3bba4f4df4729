//! The object types.

mod api_token;
mod audit_event;
mod label;
mod node;
mod permission_info;
mod policy;
mod user;
mod verification;

pub(super) use api_token::{ApiToken, ApiTokenStatus};
pub(super) use audit_event::{AuditAction, AuditEvent};
pub(super) use label::{Label, LabelInput};
pub(super) use node::Node;
pub(super) use permission_info::PermissionInfo;
pub(super) use policy::{Policy, PolicyChange, PolicyRule};
pub(super) use user::{User, UserInfo};
pub(super) use verification::ApiTokenVerification;
