//! Subscriptions over WebSocket.

use clap::Args;

use super::value::boolean;
use crate::http::SocketLimits;
use crate::service::LiveLimits;

/// Settings of subscriptions.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Subscriptions")]
pub struct SubscriptionArgs {
    /// Serve subscriptions over WebSocket at `/graphql`. On in `dev`, off in `serve` unless set.
    #[arg(
        long,
        env = "TOKENWRIGHT_SUBSCRIPTIONS",
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = boolean
    )]
    pub subscriptions: Option<bool>,

    /// Most sockets at once; further ones are closed. Each is a connection of `max-connections`.
    #[arg(
        long,
        env = "TOKENWRIGHT_MAX_SOCKETS",
        value_name = "NUMBER",
        default_value_t = 512,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub max_sockets: u32,

    /// Most sockets at once with one token.
    #[arg(
        long,
        env = "TOKENWRIGHT_MAX_SOCKETS_PER_TOKEN",
        value_name = "NUMBER",
        default_value_t = 64,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub max_sockets_per_token: u32,

    /// Most subscriptions at once on one socket.
    #[arg(
        long,
        env = "TOKENWRIGHT_MAX_SUBSCRIPTIONS_PER_SOCKET",
        value_name = "NUMBER",
        default_value_t = 16,
        value_parser = clap::value_parser!(u16).range(1..=1000)
    )]
    pub max_subscriptions_per_socket: u16,
}

impl SubscriptionArgs {
    /// The limits, if there are to be subscriptions.
    pub fn limits(&self, by_default: bool) -> Option<SocketLimits> {
        let number = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let limits = SocketLimits {
            sockets: LiveLimits {
                all: number(self.max_sockets),
                per_token: number(self.max_sockets_per_token),
            },
            subscriptions: self.max_subscriptions_per_socket.into(),
        };
        self.subscriptions.unwrap_or(by_default).then_some(limits)
    }
}
