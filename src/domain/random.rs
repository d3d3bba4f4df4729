//! The only place that asks for randomness.

use std::sync::{Arc, Mutex};

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

/// Bytes that are drawn at once.
const AHEAD: usize = 1_000;

/// Random bytes for what is no secret, such as the ids of requests. Many are drawn from another
/// source at once, as each call of the operating system costs as much as a short id.
pub struct DrawnAhead {
    source: Arc<dyn RandomSource>,
    left: Mutex<Vec<u8>>,
}

impl DrawnAhead {
    /// Draws from this source.
    pub const fn new(source: Arc<dyn RandomSource>) -> Self {
        Self { source, left: Mutex::new(Vec::new()) }
    }
}

impl RandomSource for DrawnAhead {
    /// Each byte is handed out once. Nobody waits for another thread.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        let Ok(mut left) = self.left.try_lock() else { return self.source.fill(bytes) };
        if bytes.len() > AHEAD {
            return self.source.fill(bytes);
        }
        if left.len() < bytes.len() {
            let mut drawn = vec![0; AHEAD];
            self.source.fill(&mut drawn)?;
            *left = drawn;
        }
        let rest = left.len() - bytes.len();
        if let Some(last) = left.get(rest..) {
            bytes.copy_from_slice(last);
        }
        left.truncate(rest);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// Counts up, in pieces of four bytes.
    #[derive(Default)]
    struct Counting(AtomicU32);

    impl RandomSource for Counting {
        fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
            for piece in bytes.chunks_mut(4) {
                let number = self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes();
                piece.copy_from_slice(&number[..piece.len()]);
            }
            Ok(())
        }
    }

    #[test]
    fn no_byte_is_handed_out_twice() {
        let ahead = DrawnAhead::new(Arc::new(Counting::default()));
        let drawn = Mutex::new(HashSet::new());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..2_000 {
                        let mut bytes = [0; 8];
                        ahead.fill(&mut bytes).unwrap();
                        assert!(drawn.lock().unwrap().insert(bytes));
                    }
                });
            }
        });
        let mut many = vec![0; 2 * AHEAD];
        ahead.fill(&mut many).unwrap();
        assert!(many.iter().any(|byte| *byte != 0));
    }
}
