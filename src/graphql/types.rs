//! The object types.

mod api_token;
mod node;
mod permission_info;
mod user;

pub(super) use api_token::ApiToken;
pub(super) use node::Node;
pub(super) use permission_info::PermissionInfo;
pub(super) use user::{User, UserInfo};
