//! Base62 in the order of ASCII (`0-9A-Za-z`), so that texts of one width sort as their numbers do.

use super::random::{RandomError, RandomSource};

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Characters that hold 128 bits.
pub const WIDTH_128: usize = 22;

/// Digits of which 64 bits hold all numbers.
const PART: usize = 10;
const BASE_OF_PARTS: u128 = 62_u128.pow(10);

const PAIRS: usize = 62 * 62;
/// The two digits of each number below [`PAIRS`].
static PAIR: [[u8; 2]; PAIRS] = pairs();

/// Largest multiple of 62 in a byte: random bytes from here on are dropped, because a remainder of
/// them would favour the first eight digits.
const UNBIASED: u8 = 248;

/// Writes `number` with `width` digits, zeros in front. Digits beyond the width are cut off.
pub fn encode(mut number: u128, width: usize) -> String {
    let mut digits = vec![b'0'; width];
    // Numbers of 128 bits are divided by software: once for many digits.
    for part in digits.rchunks_mut(PART) {
        let rest = number / BASE_OF_PARTS;
        let low = usize::try_from(number - rest * BASE_OF_PARTS);
        let mut low = low.unwrap_or_default();
        number = rest;
        for places in part.rchunks_mut(2) {
            let pair = PAIR.get(low % PAIRS);
            low /= PAIRS;
            if let Some(digits) = pair.and_then(|pair| pair.get(2 - places.len()..)) {
                places.copy_from_slice(digits);
            }
        }
    }
    String::from_utf8(digits).unwrap_or_default()
}

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
const fn pairs() -> [[u8; 2]; PAIRS] {
    let mut pairs = [[0; 2]; PAIRS];
    let mut number = 0;
    while number < PAIRS {
        pairs[number] = [ALPHABET[number / 62], ALPHABET[number % 62]];
        number += 1;
    }
    pairs
}

/// Reads a number. `None` for another character or more than 128 bits.
pub fn decode(text: &str) -> Option<u128> {
    text.as_bytes().chunks(PART).try_fold(0u128, |number, part| {
        let digits = part.iter().try_fold((0u64, 1u64), |(low, base), byte| {
            Some((low * 62 + value(*byte)?, base * 62))
        });
        let (low, base) = digits?;
        number.checked_mul(base.into())?.checked_add(low.into())
    })
}

/// Is this one of the 62 characters?
pub fn is_digit(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

/// Draws `length` characters, each of the 62 equally likely.
///
/// # Errors
/// When the random source does not deliver.
pub fn random(length: usize, source: &dyn RandomSource) -> Result<String, RandomError> {
    let mut text = String::with_capacity(length);
    let mut bytes = zeroize::Zeroizing::new([0u8; 64]);
    while text.len() < length {
        source.fill(bytes.as_mut_slice())?;
        let unbiased = bytes.iter().filter(|byte| **byte < UNBIASED);
        for byte in unbiased.take(length - text.len()) {
            text.push(char::from(digit(u64::from(byte % 62))));
        }
    }
    Ok(text)
}

fn digit(value: u64) -> u8 {
    usize::try_from(value).ok().and_then(|place| ALPHABET.get(place).copied()).unwrap_or(b'0')
}

fn value(byte: u8) -> Option<u64> {
    let offset = match byte {
        b'0'..=b'9' => byte - b'0',
        b'A'..=b'Z' => byte - b'A' + 10,
        b'a'..=b'z' => byte - b'a' + 36,
        _ => return None,
    };
    Some(u64::from(offset))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::random::SystemRandom;
    use super::*;

    proptest! {
        #[test]
        fn reads_what_it_wrote(number: u128) {
            prop_assert_eq!(decode(&encode(number, WIDTH_128)), Some(number));
        }

        #[test]
        fn sorts_as_numbers_do(a: u128, b: u128) {
            prop_assert_eq!(encode(a, WIDTH_128).cmp(&encode(b, WIDTH_128)), a.cmp(&b));
        }
    }

    #[test]
    fn writes_as_many_digits_as_asked_for() {
        for (number, width, text) in [
            (0, 0, ""),
            (61, 1, "z"),
            (62, 1, "0"),
            (62, 3, "010"),
            (62_u128.pow(10) + 63, 13, "0010000000011"),
            (u128::MAX, WIDTH_128, "7n42DGM5Tflk9n8mt7Fhc7"),
        ] {
            assert_eq!(encode(number, width), text);
        }
    }

    #[test]
    fn refuses_more_than_128_bits() {
        assert_eq!(decode("7n42DGM5Tflk9n8mt7Fhc7"), Some(u128::MAX));
        assert_eq!(decode("7n42DGM5Tflk9n8mt7Fhc8"), None);
        assert_eq!(decode(&"z".repeat(WIDTH_128)), None);
        assert_eq!(decode(&"z".repeat(WIDTH_128 + 20)), None);
        assert_eq!(decode("-"), None);
    }

    #[test]
    fn draws_every_character() {
        let text = random(62 * 200, &SystemRandom).unwrap();
        assert_eq!(text.len(), 62 * 200);
        for digit in ALPHABET {
            // Expected 200 times; the chance of under 90 is below one in 10^14.
            assert!(text.bytes().filter(|byte| byte == digit).count() > 90);
        }
    }
}
