//! What the tests share.

mod answer;
mod app;
mod clock;
mod database;

pub use answer::Answer;
pub use app::{Options, TestApp};
pub use clock::ManualClock;
pub use database::TestDatabase;
