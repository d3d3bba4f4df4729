//! What the tests share.

mod answer;
mod app;
mod binary;
mod catalogue;
mod clock;
mod database;
mod log;
mod raw;

pub use answer::Answer;
pub use app::{Options, TestApp};
pub use binary::{Binary, Ended, Server, administrator, migrated};
pub use catalogue::DEPRECATED_FIRST;
pub use clock::ManualClock;
pub use database::TestDatabase;
pub use log::Log;
pub use raw::exchange;
