//! The HTTP side. actix-web is used only here.

mod authorize;
mod caller;
mod connection;
mod graphql;
mod health;
mod metrics;
mod oauth;
mod playground;
mod public_url;
mod pulse;
mod read_only;
mod refusal;
mod request;
mod server;
mod state;

pub use authorize::IdentityHeaders;
pub use metrics::{MetricsServer, MetricsState, bind as bind_metrics};
pub use public_url::{PublicUrl, PublicUrlError};
pub use pulse::Pulse;
pub use request::room::RequestRoom;
pub use request::web_origin::{AllowedOrigins, WebOrigin};
pub use server::{HttpServer, bind};
pub use state::{HttpSettings, HttpState, SocketLimits};
