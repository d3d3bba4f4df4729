//! What surfaces share, whatever protocol they speak: the bounds on connections, and what the
//! log says of refusals.

mod admission;
mod denial_log;
mod refusal_sums;

pub use admission::{Admitted, ConnectionLimits, Connections};
pub use denial_log::log_denial;
pub use refusal_sums::RefusalSums;
