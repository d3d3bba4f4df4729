//! What the tests share.

mod answer;
mod app;
mod binary;
mod catalogue;
mod clock;
mod log;
mod made;
mod raw;
mod wait;

pub(crate) use crate::TestDatabase;
pub use answer::Answer;
pub use app::{Options, TestApp};
pub use binary::{Binary, Ended, Server, administrator, assert_ended, files, migrated};
pub use catalogue::DEPRECATED_FIRST;
pub use clock::ManualClock;
pub use log::Log;
pub use made::{Made, UNKNOWN_TOKEN, made, stored, works};
pub use raw::exchange;
pub use wait::eventually;
