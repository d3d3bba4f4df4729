//! What surfaces share, whatever protocol they speak: the bounds on connections, TLS, why a gateway
//! lets a request not pass, and what the log says of refusals.

mod admission;
mod denial_log;
mod gateway_refusal;
mod refusal_sums;
mod tls;

pub use admission::{Admitted, ConnectionLimits, Connections};
pub use denial_log::log_denial;
pub use gateway_refusal::{GatewayRefusal, presented};
pub use refusal_sums::RefusalSums;
pub use tls::{Protocol, Tls, TlsError, TlsFiles, Transport, read_validity};
