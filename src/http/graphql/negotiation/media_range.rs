//! The elements of an `Accept` header (RFC 9110 section 12.5.1).

use super::{MediaType, is_utf8};
use crate::wire::field_value::{parameters, split_unquoted};

/// One element of an `Accept` header that covers some type of ours.
pub(super) struct MediaRange {
    pub(super) extent: Extent,
    pub(super) names_charset: bool,
    /// In thousandths. Zero means "not acceptable" (RFC 9110 section 12.4.2).
    pub(super) weight: u16,
}

impl MediaRange {
    pub(super) fn parse(element: &[u8]) -> Option<Self> {
        let mut parts = split_unquoted(element, b';');
        let extent = Extent::parse(parts.next()?)?;
        let mut names_charset = false;
        let mut weight = None;
        for parameter in parameters(parts) {
            let parameter = parameter?;
            // `q` is the weight in any position (RFC 9110 section 12.5.1).
            if parameter.is("q") {
                if weight.replace(parse_weight(&parameter.value)?).is_some() {
                    return None;
                }
            } else if parameter.is("charset") {
                if !is_utf8(&parameter) {
                    return None;
                }
                names_charset = true;
            }
        }
        Some(Self { extent, names_charset, weight: weight.unwrap_or(1000) })
    }
}

/// What a range covers, from the most specific to the least, which is the order of precedence (RFC
/// 9110 section 12.5.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Extent {
    One(MediaType),
    Application,
    Anything,
}

impl Extent {
    /// Type and subtype are compared without regard to case (RFC 9110 section 8.3.1).
    fn parse(range: &[u8]) -> Option<Self> {
        let is = |name: &str| range.eq_ignore_ascii_case(name.as_bytes());
        if is("*/*") {
            Some(Self::Anything)
        } else if is("application/*") {
            Some(Self::Application)
        } else {
            MediaType::ALL.into_iter().find(|media_type| is(media_type.essence())).map(Self::One)
        }
    }

    pub(super) fn covers(self, media_type: MediaType) -> bool {
        match self {
            Self::One(only) => only == media_type,
            Self::Application | Self::Anything => true,
        }
    }
}

/// A weight in thousandths: 0 to 1 with at most three decimals (RFC 9110 section 12.4.2).
///
/// The zero before the point may be missing: `*/*; q=.2` is what `HttpURLConnection` sends by
/// default before Java 19.
fn parse_weight(text: &[u8]) -> Option<u16> {
    let (whole, rest) = match text {
        [b'0', rest @ ..] => (0, rest),
        [b'1', rest @ ..] => (1000, rest),
        [b'.', _, ..] => (0, text),
        _ => return None,
    };
    let decimals = if rest.is_empty() { rest } else { rest.strip_prefix(b".")? };
    if decimals.len() > 3 || !decimals.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let places = [100, 10, 1];
    let fraction: u16 =
        decimals.iter().zip(places).map(|(digit, place)| u16::from(digit - b'0') * place).sum();
    Some(whole + fraction).filter(|&weight| weight <= 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights() {
        for (text, expected) in [
            ("0", 0),
            ("0.", 0),
            ("0.000", 0),
            ("0.001", 1),
            ("0.05", 50),
            ("0.5", 500),
            ("0.999", 999),
            (".2", 200),
            ("1", 1000),
            ("1.", 1000),
            ("1.000", 1000),
        ] {
            assert_eq!(parse_weight(text.as_bytes()), Some(expected), "{text:?}");
        }
        for text in [
            "", ".", "1.001", "1.999", "0.0000", "2", "00", "01", "0,5", "0.x", "+1", "-0", " 1",
            "0.5 ", "1e0",
        ] {
            assert_eq!(parse_weight(text.as_bytes()), None, "{text:?}");
        }
    }
}
