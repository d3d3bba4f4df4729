//! The rules for tokens.

use std::path::PathBuf;
use std::sync::Arc;

use chrono::TimeDelta;
use clap::Args;

use super::permissions::{self, PermissionsError};
use super::value::boolean;
use crate::domain::catalogue::Catalogue;
use crate::domain::lifetime::Lifetime;
use crate::service::{
    DEFAULT_COST, FailureLimits, LAST_USE_INTERVAL, MAX_COST, MIN_COST, Quotas, TokenRules,
};

/// Settings of tokens.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Tokens")]
pub struct TokenArgs {
    /// A permission catalogue (TOML) in place of the built-in one.
    #[arg(long, env = "TOKENWRIGHT_PERMISSIONS", value_name = "FILE")]
    pub permissions: Option<PathBuf>,

    /// Longest time from now to a token's expiry: `2y`, `6mo` (of the calendar), `90d`, `12h`.
    #[arg(
        long,
        env = "TOKENWRIGHT_MAX_LIFETIME",
        value_name = "DURATION",
        default_value = "2y",
        value_parser = Lifetime::parse
    )]
    pub max_lifetime: Lifetime,

    /// A token ends no later than the one that makes or renews it. Without this, tokens outlive
    /// their makers.
    #[arg(
        long,
        env = "TOKENWRIGHT_LIFETIME_WITHIN_MAKER",
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_value = "false",
        default_missing_value = "true",
        value_parser = boolean
    )]
    pub lifetime_within_maker: bool,

    /// Cost of bcrypt hashes, 4 to 14. A high cost slows down the creation of tokens and adds no
    /// protection, because a secret has 256 random bits.
    #[arg(
        long,
        env = "TOKENWRIGHT_BCRYPT_COST",
        value_name = "COST",
        default_value_t = DEFAULT_COST,
        value_parser = clap::value_parser!(u32).range(i64::from(MIN_COST)..=i64::from(MAX_COST))
    )]
    pub bcrypt_cost: u32,
}

/// The permissions alone, for commands to which no other setting of tokens matters.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Tokens")]
pub struct CatalogueArgs {
    /// A permission catalogue (TOML) in place of the built-in one.
    #[arg(long, env = "TOKENWRIGHT_PERMISSIONS", value_name = "FILE")]
    permissions: Option<PathBuf>,
}

impl CatalogueArgs {
    /// The settings of a command that makes no token.
    pub fn tokens(&self) -> TokenArgs {
        TokenArgs {
            permissions: self.permissions.clone(),
            max_lifetime: TimeDelta::days(1).into(),
            lifetime_within_maker: false,
            bcrypt_cost: DEFAULT_COST,
        }
    }
}

impl TokenArgs {
    /// The rules for tokens, without quotas and limits.
    pub fn rules(&self) -> TokenRules {
        TokenRules {
            max_lifetime: self.max_lifetime,
            lifetime_within_maker: self.lifetime_within_maker,
            bcrypt_cost: self.bcrypt_cost,
            last_use_interval: LAST_USE_INTERVAL,
            quotas: Quotas::NONE,
            failures: FailureLimits::NONE,
        }
    }

    /// Reads the catalogue.
    ///
    /// # Errors
    /// When the file cannot be read, or is not a valid catalogue.
    pub fn catalogue(&self) -> Result<Arc<Catalogue>, PermissionsError> {
        permissions::catalogue(self.permissions.as_deref()).map(Arc::new)
    }
}
