//! Users.

mod list;
mod read;

pub use list::UserList;
