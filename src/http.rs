//! The HTTP side: actix-web is known only here.

mod caller;
mod connection;
mod graphql;
mod health;
mod playground;
mod readable;
mod refusal;
mod request;
mod server;
mod state;

pub use request::web_origin::{AllowedOrigins, WebOrigin};
pub use server::{HttpServer, bind};
pub use state::{HttpSettings, HttpState};
