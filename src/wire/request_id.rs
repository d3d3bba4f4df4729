//! The id that a proxy gave to a request.

/// The longest id that is handed on, in characters.
const MAX_LENGTH: usize = 64;

/// The id, if it is fit for a log: plain characters, and not too many.
pub fn fit_for_log(value: &[u8]) -> Option<&str> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let fits = (1..=MAX_LENGTH).contains(&value.len()) && value.iter().all(plain);
    str::from_utf8(value).ok().filter(|_| fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_and_short_ids_are_fit_for_a_log() {
        for id in ["a", "01JZ-x_y.z", "0123456789", &"x".repeat(64)] {
            assert_eq!(fit_for_log(id.as_bytes()), Some(id));
        }
        for id in ["", "a b", "a\n", "a\"", "é", "a,b", &"x".repeat(65)] {
            assert_eq!(fit_for_log(id.as_bytes()), None, "{id:?}");
        }
        assert_eq!(fit_for_log(b"\xff"), None);
    }
}
