//! Where Envoy asks over gRPC.

use clap::Args;

use super::listen::ListenAddress;

/// Settings of the gRPC side.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "gRPC")]
pub struct GrpcArgs {
    /// Where to listen for Envoy's `ext_authz` over gRPC; port 0 takes a free one. Off
    /// unless set. Name Envoy in `trusted-proxies`, or it counts as the client.
    #[arg(long, env = "TOKENWRIGHT_EXT_AUTHZ_LISTEN", value_name = "ADDRESS:PORT")]
    pub ext_authz_listen: Option<ListenAddress>,
}
