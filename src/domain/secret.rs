//! The bearer secret: its form, how it is made, and how it is read strictly.
//!
//! `twr_` + 22 base62 characters (the token's 128-bit id) + `_` + 43 base62 characters (256 random
//! bits) + 6 base62 characters (CRC-32 of all before): 76 characters, one canonical spelling. The
//! checksum lets a secret scanner tell a secret from a look-alike; it protects nothing.

mod stored;

use std::borrow::Cow;
use std::fmt;

use uuid::Uuid;
use zeroize::Zeroizing;

use super::base62;
use super::id::ApiTokenId;
use super::random::{RandomError, RandomSource};

pub use stored::{ReplacedSecret, SecretHash, SecretTag, StoredSecret};

/// Characters in a secret.
pub const LENGTH: usize = 76;

const PREFIX: &str = "twr_";
const ID_END: usize = PREFIX.len() + base62::WIDTH_128;
/// Behind the id and the underscore.
const PROOF_START: usize = ID_END + 1;
const RANDOM_LENGTH: usize = 43;
const CHECKSUM_LENGTH: usize = 6;
const CHECKSUM_START: usize = PROOF_START + RANDOM_LENGTH;

/// A full bearer string in clear, wiped from memory when dropped. `Debug` does not show it.
#[derive(Clone)]
pub struct PlaintextSecret {
    text: Zeroizing<String>,
    /// Part of the text, and no secret.
    token_id: ApiTokenId,
}

/// Why a text is not a secret. It goes to the log and never to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MalformedSecret {
    /// It does not have 76 characters.
    #[error("not {LENGTH} characters long")]
    Length,
    /// It has characters outside the alphabet.
    #[error("has a character that no secret has")]
    Alphabet,
    /// Prefix or separator are not where they belong.
    #[error("does not have the form of a secret")]
    Form,
    /// The checksum does not match.
    #[error("has a wrong checksum")]
    Checksum,
}

impl PlaintextSecret {
    /// Makes the secret of a token.
    ///
    /// # Errors
    /// When the random source does not deliver.
    pub fn generate(id: ApiTokenId, random: &dyn RandomSource) -> Result<Self, RandomError> {
        let drawn = Zeroizing::new(base62::random(RANDOM_LENGTH, random)?);
        let mut text = Zeroizing::new(String::with_capacity(LENGTH));
        text.push_str(PREFIX);
        text.push_str(&base62::encode(id.uuid().as_u128(), base62::WIDTH_128));
        text.push('_');
        text.push_str(&drawn);
        let checksum = checksum(&text);
        text.push_str(&checksum);
        Ok(Self { text, token_id: id })
    }

    /// Reads a presented text strictly: length, alphabet, prefix, checksum, in this order.
    ///
    /// # Errors
    /// The first of them that does not hold.
    pub fn parse(text: &str) -> Result<Self, MalformedSecret> {
        if text.len() != LENGTH {
            return Err(MalformedSecret::Length);
        }
        if !text.bytes().all(|byte| base62::is_digit(byte) || byte == b'_') {
            return Err(MalformedSecret::Alphabet);
        }
        let token_id = token_id(text).ok_or(MalformedSecret::Form)?;
        if text.get(CHECKSUM_START..) != text.get(..CHECKSUM_START).map(checksum).as_deref() {
            return Err(MalformedSecret::Checksum);
        }
        Ok(Self { text: Zeroizing::new(text.to_owned()), token_id })
    }

    /// The id of the token that this claims to be of.
    pub const fn token_id(&self) -> ApiTokenId {
        self.token_id
    }

    /// The 43 characters that are proven against the stored hash.
    pub fn proof(&self) -> &str {
        self.text.get(PROOF_START..CHECKSUM_START).unwrap_or_default()
    }

    /// The whole secret in clear: for the one response that shows it.
    pub fn reveal(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for PlaintextSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlaintextSecret(..)")
    }
}

/// The masked form of a token's secret: what is not secret about it, enough to match the two.
pub fn partial_token(id: ApiTokenId) -> String {
    let id = base62::encode(id.uuid().as_u128(), base62::WIDTH_128);
    format!("{PREFIX}{id}_******")
}

/// A text with what looks like a secret, or the start of one, masked behind the token's id: for
/// errors, which repeat names that a client sent.
pub fn masked(text: &str) -> Cow<'_, str> {
    if !text.contains(PREFIX) {
        return Cow::Borrowed(text);
    }
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(PREFIX) {
        let (before, found) = rest.split_at(start);
        let (word, after) = found.split_at(found.find(|c| !is_part(c)).unwrap_or(found.len()));
        masked.push_str(before);
        match word.get(..ID_END) {
            Some(visible) => masked.extend([visible, "_******"]),
            None => masked.push_str(word),
        }
        rest = after;
    }
    masked.push_str(rest);
    Cow::Owned(masked)
}

/// The id of the token that a text of the right length claims to be the secret of; `None` when it
/// does not have the form of a secret.
fn token_id(text: &str) -> Option<ApiTokenId> {
    text.strip_prefix(PREFIX)?;
    let id = base62::decode(text.get(PREFIX.len()..ID_END)?)?;
    let rest = text.get(ID_END..)?.strip_prefix('_')?;
    rest.bytes().all(base62::is_digit).then(|| ApiTokenId::from_uuid(Uuid::from_u128(id)))
}

fn checksum(text: &str) -> String {
    base62::encode(crc32fast::hash(text.as_bytes()).into(), CHECKSUM_LENGTH)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::random::SystemRandom;
    use super::*;

    fn secret_of(number: u128) -> PlaintextSecret {
        PlaintextSecret::generate(ApiTokenId::from_uuid(Uuid::from_u128(number)), &SystemRandom)
            .unwrap()
    }

    proptest! {
        #[test]
        fn reads_what_it_made(number: u128) {
            let secret = secret_of(number);
            let read = PlaintextSecret::parse(secret.reveal()).unwrap();
            prop_assert_eq!(read.token_id().uuid().as_u128(), number);
            prop_assert_eq!(read.proof(), secret.proof());
            prop_assert_eq!(read.proof().len(), RANDOM_LENGTH);
        }

        #[test]
        fn one_changed_character_is_refused(
            number: u128,
            place in 0..LENGTH,
            other in "[0-9A-Za-z_]",
        ) {
            let secret = secret_of(number);
            let mut text = secret.reveal().to_owned();
            text.replace_range(place..=place, &other);
            prop_assert_eq!(PlaintextSecret::parse(&text).is_ok(), text == secret.reveal());
        }

        #[test]
        fn no_text_brings_it_down(text: String) {
            prop_assert!(PlaintextSecret::parse(&text).is_err());
        }

        #[test]
        fn no_text_of_the_right_length_brings_it_down(
            text in "\\PC{60,76}|twr_[0-9A-Za-z]{22}_[0-9A-Za-z]{49}",
        ) {
            let _refused = PlaintextSecret::parse(&text).is_err();
        }
    }

    #[test]
    fn tells_what_is_wrong_in_order() {
        let secret = secret_of(7);
        let text = secret.reveal();
        let refusal = |text: &str| PlaintextSecret::parse(text).unwrap_err();
        assert_eq!(refusal(&text[1..]), MalformedSecret::Length);
        assert_eq!(refusal(&format!("{text}0")), MalformedSecret::Length);
        assert_eq!(refusal(&text.replace('_', "-")), MalformedSecret::Alphabet);
        assert_eq!(refusal(&text.replace("twr_", "twx_")), MalformedSecret::Form);
        assert_eq!(refusal(&text.to_uppercase()), MalformedSecret::Form);
        let wrong = if text.ends_with('0') { "1" } else { "0" };
        assert_eq!(refusal(&format!("{}{wrong}", &text[..75])), MalformedSecret::Checksum);
    }

    #[test]
    fn an_id_of_more_than_128_bits_is_refused() {
        let mut text = format!("twr_{}_{}", "z".repeat(22), "0".repeat(43));
        text.push_str(&checksum(&text));
        assert_eq!(PlaintextSecret::parse(&text).unwrap_err(), MalformedSecret::Form);
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", secret_of(1)), "PlaintextSecret(..)");
    }

    #[test]
    fn the_partial_token_has_nothing_of_the_secret() {
        let secret = secret_of(99);
        let partial = partial_token(secret.token_id());
        assert!(secret.reveal().starts_with(partial.trim_end_matches('*')));
        assert_eq!(partial.trim_end_matches('*').len(), ID_END + 1);
    }

    #[test]
    fn masks_whole_secrets_and_their_starts() {
        // An id that looks like the start of another secret.
        let id = "0352l0xq7mCkXb5K8eJtwr";
        let secret = format!("twr_{id}_{}", "S".repeat(49));
        let shown = format!("twr_{id}_******");
        assert_eq!(masked(&format!("no \"{secret}\" here")), format!("no \"{shown}\" here"));
        assert_eq!(masked(&secret[..40]), shown);
        assert_eq!(masked("twr_short twr_"), "twr_short twr_");
        assert_eq!(masked("nothing"), "nothing");
    }
}
