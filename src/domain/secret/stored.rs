//! What the database holds of a secret: a tag, which decides whether a presented one is genuine, and
//! a bcrypt hash, which confirms it.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::PlaintextSecret;
use crate::domain::base62;

/// The stored form of a secret.
#[derive(Debug, Clone)]
pub struct StoredSecret {
    /// The bcrypt hash, which must not contradict the tag.
    pub hash: SecretHash,
    /// `None` for a token that has not proven its secret since tags were introduced.
    pub tag: Option<SecretTag>,
}

/// A stored form that takes the place of another one of the same secret.
#[derive(Debug, Clone)]
pub struct ReplacedSecret {
    /// The hash that the secret was proven against.
    pub before: SecretHash,
    /// The form that is stored from now on.
    pub now: StoredSecret,
}

/// A bcrypt hash; empty once the token is deleted. `Debug` does not show it.
#[derive(Clone)]
pub struct SecretHash(String);

/// SHA-256 of the 43 random characters of a secret.
///
/// A plain hash is enough: 256 random bits cannot be guessed from it (OWASP ASVS 5.0, 6.5.2, and
/// NIST SP 800-63B accept one from 112 bits on). Without a key there is none to keep or lose.
/// `Debug` does not show it.
#[derive(Clone, Copy)]
pub struct SecretTag([u8; 32]);

impl SecretHash {
    /// Wraps what the hash function made or the database holds; [`Self::cost`] checks it.
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The cost of a well-formed `$2b$` hash; `None` for anything else.
    pub fn cost(&self) -> Option<u32> {
        let (cost, rest) = self.0.strip_prefix("$2b$")?.split_once('$')?;
        let well_formed = cost.len() == 2
            && rest.len() == 53
            && rest.bytes().all(|byte| base62::is_digit(byte) || matches!(byte, b'.' | b'/'));
        cost.parse().ok().filter(|_| well_formed)
    }

    /// The hash for the database and the hash function.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Are the two the same? In constant time.
    pub fn is_same(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl SecretTag {
    /// What the secret of an unknown token is compared with: no known input has this tag.
    const OF_NOTHING: Self = Self([0; 32]);

    /// The tag of a secret.
    pub fn of(secret: &PlaintextSecret) -> Self {
        Self(Sha256::digest(secret.proof().as_bytes()).into())
    }

    /// Wraps what the database holds. Bytes of another length are no secret's tag.
    pub fn stored(bytes: &[u8]) -> Self {
        bytes.try_into().map_or(Self::OF_NOTHING, Self)
    }

    /// The tag for the database.
    pub const fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// Are the two the same? Takes constant time, even where there is nothing to compare with.
    pub fn is_same(&self, stored: Option<&Self>) -> bool {
        let known = stored.is_some();
        let same = self.0.ct_eq(&stored.unwrap_or(&Self::OF_NOTHING).0);
        known & bool::from(same)
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(..)")
    }
}

impl fmt::Debug for SecretTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretTag(..)")
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::id::ApiTokenId;
    use crate::domain::random::SystemRandom;

    fn secret() -> PlaintextSecret {
        let id = ApiTokenId::from_uuid(Uuid::from_u128(1));
        PlaintextSecret::generate(id, &SystemRandom).unwrap()
    }

    #[test]
    fn a_tag_is_of_one_secret_alone() {
        let (one, other) = (secret(), secret());
        let tag = SecretTag::of(&one);
        assert!(tag.is_same(Some(&SecretTag::of(&one))));
        assert!(!tag.is_same(Some(&SecretTag::of(&other))));
        assert!(!tag.is_same(None));
        assert!(!SecretTag::OF_NOTHING.is_same(None));
        assert!(!tag.is_same(Some(&SecretTag::stored(b"short"))));
        assert!(tag.is_same(Some(&SecretTag::stored(tag.expose()))));
    }

    #[test]
    fn a_tag_shows_nothing_of_the_secret() {
        let secret = secret();
        let tag = SecretTag::of(&secret);
        let proof = secret.proof().as_bytes();
        assert!(!proof.windows(4).any(|part| tag.expose().windows(4).any(|bytes| bytes == part)));
    }

    #[test]
    fn debug_shows_nothing() {
        let stored = StoredSecret {
            hash: SecretHash::new("$2b$".into()),
            tag: Some(SecretTag::of(&secret())),
        };
        let shown = "StoredSecret { hash: SecretHash(..), tag: Some(SecretTag(..)) }";
        assert_eq!(format!("{stored:?}"), shown);
    }

    #[test]
    fn a_stored_hash_is_checked_for_its_form() {
        let hash = format!("$2b$04${}", "a".repeat(53));
        assert_eq!(SecretHash::new(hash.clone()).cost(), Some(4));
        for wrong in
            [hash.replace("2b", "2y"), hash.replace("04", "4"), format!("{hash}a"), String::new()]
        {
            assert_eq!(SecretHash::new(wrong).cost(), None);
        }
    }
}
