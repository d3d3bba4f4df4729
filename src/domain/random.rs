//! The only place that asks for randomness.

use rand::TryRng;
use rand::rngs::SysRng;

/// Where random bytes come from. Handed in, so that a test can repeat itself.
pub trait RandomSource: Send + Sync {
    /// Fills `bytes` with unpredictable bytes.
    ///
    /// # Errors
    /// When the source cannot deliver; nothing secret may be made then.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError>;
}

/// The random source did not deliver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the random source of the operating system did not answer")]
pub struct RandomError;

/// The random source of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl RandomSource for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        SysRng.try_fill_bytes(bytes).map_err(|_| RandomError)
    }
}
