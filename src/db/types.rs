//! Column types that both backends share: native in PostgreSQL, the nearest thing in SQLite. The
//! values are local newtypes, because foreign ones may not implement diesel's traits here.

mod id;
mod known;
mod labels;
mod lists;
mod moment;

pub use id::{DbId, Id};
pub use labels::{DbLabels, stored_label};
pub use lists::{DbNetworks, DbPermissions, DbTexts, NetworkList, TextList};
pub use moment::{DbInstant, Moment};
