//! The gRPC side. tonic is used only here. Envoy asks on a listener of its own before each request
//! that it lets through.

mod ext_authz;
mod server;
mod socket;
mod state;

pub use server::{GrpcServer, bind};
pub use state::GrpcState;
