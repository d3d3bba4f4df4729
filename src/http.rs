//! The HTTP side: actix-web is known only here.

mod bearer;
mod connections;
mod cross_origin;
mod field_value;
mod forwarded;
mod graphql_endpoint;
mod graphql_params;
mod health;
mod negotiation;
mod playground;
mod principal;
mod readable;
mod refusal;
mod request_log;
mod server;
mod single_header;
mod state;
mod unread_body;
mod web_origin;

pub use forwarded::{ForwardedHeader, TrustedProxies};
pub use server::{HttpServer, bind};
pub use state::{HttpSettings, HttpState};
pub use web_origin::{AllowedOrigins, WebOrigin};
