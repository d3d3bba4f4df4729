//! What surfaces share, whatever protocol they speak: the bounds on connections, and the sums of
//! refusals in the log.

mod admission;
mod refusal_sums;

pub use admission::{Admitted, ConnectionLimits, Connections};
pub use refusal_sums::RefusalSums;
