//! From the text of a request to its answer.
//!
//! | step | where |
//! | --- | --- |
//! | parameters | [`request`] |
//! | parsed once, measured, validated, kept | [`document`] |
//! | the one operation that runs, in the engine's own tree, with its variables | [`operation`] |
//! | run, and every field guarded | [`execution`] |
//! | what the answer may cost | [`budget`] |
//! | its JSON | [`answer`] |

mod answer;
pub(super) mod budget;
mod document;
mod execution;
mod introspection;
mod limits;
mod lines;
mod operation;
mod request;
mod request_error;

pub use self::answer::Answer;
pub use self::document::{Documents, Transport};
pub use self::execution::{Delivery, Engine, Outcome, Subscriptions};
pub use self::introspection::Introspection;
pub use self::request::{GraphqlRequest, Method};
