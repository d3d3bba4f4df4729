//! What the tests share.

mod answer;
mod app;
mod binary;
mod catalogue;
mod clock;
mod envoy;
mod log;
mod made;
mod process;
mod random;
mod raw;
mod rows;
mod undone;
mod wait;
mod walk;
mod websocket;

pub(crate) use crate::TestDatabase;
pub use answer::Answer;
pub use app::{Options, TestApp};
pub use binary::{Binary, Ended, Running, Server, administrator, assert_ended, files, migrated};
pub use catalogue::DEPRECATED_FIRST;
pub use clock::{Follower, ManualClock};
pub use envoy::{Came, Envoy, Said};
pub use log::Log;
pub use made::{Made, UNKNOWN_TOKEN, made, made_at, set_policy, stored, works, works_at};
pub use process::{cpu_time, peak_mib, resident_mib};
pub use random::{Random, SeededRandom};
pub use raw::{connect_from, exchange};
pub use rows::{EventRow, TokenRow};
pub use undone::{migration_names, undo_migrations};
pub use wait::eventually;
pub use walk::{Page, Walk};
pub use websocket::{Heard, OFFER, WebSocket};
