//! The end of tokens: finding those that come to it, and making the notices of it.

mod ending;
mod insert_notices;
mod looks;
mod notices;

pub use ending::EndingToken;
pub use looks::Look;
pub use notices::Noticed;
