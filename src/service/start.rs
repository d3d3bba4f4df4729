//! What a server does once, before it answers requests.

mod clock;
mod name_keys;
mod stored_permissions;

pub use stored_permissions::UnknownPermissions;
