//! Limits on what tokens make and change, and on proofs that fail.

use clap::Args;

use crate::service::{FailureLimits, Quotas};

/// Settings of quotas.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Quotas")]
pub struct QuotaArgs {
    /// Most live tokens in all.
    #[arg(
        long,
        env = "TOKENWRIGHT_MAX_TOKENS",
        value_name = "NUMBER",
        default_value_t = 1_000_000,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    max_tokens: u32,

    /// Most live tokens that one token has created or renewed.
    #[arg(
        long,
        env = "TOKENWRIGHT_MAX_TOKENS_PER_MAKER",
        value_name = "NUMBER",
        default_value_t = 10_000,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    max_tokens_per_maker: u32,

    /// Most creations, renewals and changes by one token in a minute. Deleting and disabling are
    /// not counted.
    #[arg(
        long,
        env = "TOKENWRIGHT_MAX_CHANGES_PER_MINUTE",
        value_name = "NUMBER",
        default_value_t = 600,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    max_changes_per_minute: u32,

    /// Most secrets from one client address, or from one network of 64 bits in IPv6, that are not
    /// valid in a minute, on each instance. Valid ones are never limited.
    #[arg(
        long,
        env = "TOKENWRIGHT_MAX_FAILED_PROOFS_PER_ADDRESS",
        value_name = "NUMBER",
        default_value_t = 60,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    max_failed_proofs_per_address: u32,

    /// The same from all addresses together.
    #[arg(
        long,
        env = "TOKENWRIGHT_MAX_FAILED_PROOFS",
        value_name = "NUMBER",
        default_value_t = 6_000,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    max_failed_proofs: u32,

    /// MiB of free disk below which tokens can only be deleted and disabled; SQLite only, 0: none.
    #[arg(long, env = "TOKENWRIGHT_DISK_RESERVE_MIB", value_name = "MIB", default_value_t = 64)]
    disk_reserve_mib: u32,
}

impl QuotaArgs {
    /// The quotas.
    pub fn quotas(&self) -> Quotas {
        Quotas {
            live_tokens: self.max_tokens.into(),
            live_tokens_of_maker: self.max_tokens_per_maker.into(),
            changes_per_minute: self.max_changes_per_minute,
            disk_reserve: u64::from(self.disk_reserve_mib) * 1024 * 1024,
        }
    }

    /// The limits on proofs that fail.
    pub fn failures(&self) -> FailureLimits {
        FailureLimits {
            per_address: self.max_failed_proofs_per_address,
            overall: self.max_failed_proofs,
        }
    }
}
