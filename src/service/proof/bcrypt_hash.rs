//! bcrypt, with a check of what is verified.

use bcrypt::Version;

use crate::domain::secret::SecretHash;

/// Cost of new hashes unless the operator sets another: about 1 ms.
pub const DEFAULT_COST: u32 = 4;
/// Lowest cost that bcrypt knows.
pub const MIN_COST: u32 = 4;
/// Highest accepted cost: about 1 s. A stored hash with a higher one is not even tried.
pub const MAX_COST: u32 = 14;

/// Hashes with the variant that refuses long inputs: bcrypt reads only 72 bytes and silently
/// ignores the rest.
pub(super) fn hash(secret: &str, cost: u32, salt: [u8; 16]) -> Option<SecretHash> {
    let parts = bcrypt::non_truncating_hash_with_salt(secret, cost, salt).ok()?;
    Some(SecretHash::new(parts.format_for_version(Version::TwoB)))
}

/// Has the hash a form and a cost that are tried? If not, its token is refused.
pub(super) fn is_tried(stored: &SecretHash) -> bool {
    let tried = stored.cost().is_some_and(|cost| (MIN_COST..=MAX_COST).contains(&cost));
    if !tried {
        tracing::error!("a stored secret hash has a wrong form or cost; its token is refused");
    }
    tried
}

/// Does the secret match a hash that is tried?
pub(super) fn verify(secret: &str, stored: &SecretHash) -> bool {
    bcrypt::non_truncating_verify(secret, stored.expose()).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verifies_what_it_hashed_and_nothing_else() {
        let stored = hash("secret", 4, [7; 16]).unwrap();
        assert_eq!(stored.cost(), Some(4));
        assert!(verify("secret", &stored));
        assert!(!verify("Secret", &stored));
    }

    #[test]
    fn does_not_try_a_hash_that_costs_too_much() {
        let stored = hash("secret", 4, [7; 16]).unwrap();
        let costly = stored.expose().replace("$04$", "$31$");
        assert!(!is_tried(&SecretHash::new(costly)));
        assert!(is_tried(&stored));
    }

    #[test]
    fn refuses_what_bcrypt_would_cut_off() {
        assert!(hash(&"x".repeat(73), 4, [0; 16]).is_none());
    }
}
