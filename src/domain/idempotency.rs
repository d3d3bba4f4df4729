//! Keys with which a client makes it safe to send a request again.

use chrono::TimeDelta;
use sha2::{Digest, Sha256};

use super::fault::{Field, InputFault};
use super::id::UserId;

/// How long a key is kept.
pub const KEPT: TimeDelta = TimeDelta::days(1);
/// Longest key, in characters.
const MAX_LENGTH: usize = 200;

/// A key as a client chose it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Checks a key: 1 to 200 visible characters of ASCII, so that no proxy, log or client library
    /// changes it on its way.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Self, InputFault> {
        if (1..=MAX_LENGTH).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_graphic())
        {
            return Ok(Self(text.to_owned()));
        }
        let message = format!(
            "The idempotency key must have 1 to {MAX_LENGTH} visible ASCII characters, such as \
             those of a UUID."
        );
        Err(InputFault::invalid(Field::IdempotencyKey, "idempotency_key_syntax", message))
    }

    /// What is stored of the key. Each user has keys of its own.
    pub fn of(&self, user: UserId) -> Fingerprint {
        let hash = Sha256::new().chain_update(user.uuid().as_bytes()).chain_update(&self.0);
        Fingerprint(hash.finalize().into())
    }
}

/// The SHA-256 of a key or an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Of an input, in a form that differs where the inputs differ.
    pub fn of_input(input: &serde_json::Value) -> Self {
        Self(Sha256::digest(input.to_string()).into())
    }

    /// As it is stored.
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_1_to_200_visible_characters() {
        for text in ["k", "018f6b9e-7d7a-7cc0-8f3e-3a4d5b6c7d8e", "!~", &"k".repeat(200)] {
            assert!(IdempotencyKey::parse(text).is_ok(), "{text}");
        }
        for text in ["", " ", "a b", "a\n", "\u{7f}", "ä", "a\u{0}", &"k".repeat(201)] {
            let fault = IdempotencyKey::parse(text).unwrap_err();
            assert_eq!(fault.reason, "idempotency_key_syntax", "{text:?}");
        }
    }

    #[test]
    fn users_do_not_share_keys() {
        let user = |number| UserId::from_uuid(uuid::Uuid::from_u128(number));
        let key = |text| IdempotencyKey::parse(text).unwrap();
        assert_eq!(key("a").of(user(1)), key("a").of(user(1)));
        assert_ne!(key("a").of(user(1)), key("a").of(user(2)));
        assert_ne!(key("a").of(user(1)), key("b").of(user(1)));
    }
}
