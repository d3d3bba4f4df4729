//! bcrypt, with a check of what is verified and with refusals that all cost the same.

use bcrypt::Version;

use crate::domain::secret::SecretHash;

/// Cost of new hashes unless the operator sets another: about 1 ms.
pub const DEFAULT_COST: u32 = 4;
/// Lowest cost that bcrypt knows.
pub const MIN_COST: u32 = 4;
/// Highest accepted cost: about 1 s. A stored hash with a higher one is not even tried.
pub const MAX_COST: u32 = 14;

/// Hashes by the call that does not truncate: bcrypt reads 72 bytes, and says nothing of more.
pub(super) fn hash(secret: &str, cost: u32, salt: [u8; 16]) -> Option<SecretHash> {
    let parts = bcrypt::non_truncating_hash_with_salt(secret, cost, salt).ok()?;
    Some(SecretHash::new(parts.format_for_version(Version::TwoB)))
}

/// The cost of a stored hash that may be tried; `None` for one of another form or cost.
pub(super) fn usable_cost(hash: &SecretHash) -> Option<u32> {
    hash.cost().filter(|cost| (MIN_COST..=MAX_COST).contains(cost))
}

/// Does the secret match? A refusal costs what a hash of the `highest` cost does, whether there is
/// such a token or not and whatever its own cost is.
pub(super) fn verify(secret: &str, stored: Option<&SecretHash>, highest: u32) -> bool {
    let cost = stored.and_then(usable_cost);
    if stored.is_some() && cost.is_none() {
        tracing::error!("a stored secret hash has a wrong form or cost; its token is refused");
    }
    if let (Some(stored), Some(cost)) = (stored, cost) {
        if bcrypt::non_truncating_verify(secret, stored.expose()).unwrap_or(false) {
            return true;
        }
        // Each step of cost doubles the work: what is done and one of each from here on make it up.
        (cost..highest).for_each(|cost| spend(secret, cost));
    } else {
        spend(secret, highest);
    }
    false
}

fn spend(secret: &str, cost: u32) {
    std::hint::black_box(hash(secret, cost, [0; 16]));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verifies_what_it_hashed_and_nothing_else() {
        let stored = hash("secret", 4, [7; 16]).unwrap();
        assert_eq!(usable_cost(&stored), Some(4));
        assert!(verify("secret", Some(&stored), 6));
        assert!(!verify("Secret", Some(&stored), 6));
        assert!(!verify("secret", None, 4));
    }

    #[test]
    fn does_not_try_a_hash_that_costs_too_much() {
        let stored = hash("secret", 4, [7; 16]).unwrap();
        let dear = stored.expose().replace("$04$", "$31$");
        assert!(!verify("secret", Some(&SecretHash::new(dear)), 4));
    }

    #[test]
    fn refuses_what_bcrypt_would_cut_off() {
        assert!(hash(&"x".repeat(73), 4, [0; 16]).is_none());
    }
}
