//! The credentials of a request: its `Authorization` header (RFC 6750 section 2.1, RFC 9110 section
//! 11.4).

use std::fmt;

use super::field_value::is_token;

/// What a request brings to authenticate itself.
///
/// Not comparable with `==`, which would compare secrets in variable time.
#[derive(Clone, Copy)]
pub enum Credentials<'a> {
    /// No `Authorization` header at all.
    None,
    /// The text after `Bearer` and its spaces, in any form, but never empty.
    Bearer(&'a str),
    /// The text after `Basic` and its spaces, in any form (RFC 7617).
    Basic(&'a str),
    /// Credentials for another scheme, such as `Digest`.
    OtherScheme,
    /// Several headers, something other than ASCII, no scheme, or `Bearer` with nothing behind it:
    /// `invalid_request` in the words of RFC 6750 section 3.1.
    Malformed,
}

/// A `Debug` that cannot leak the secret into a log.
impl fmt::Debug for Credentials<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::None => "None",
            Self::Bearer(_) => "Bearer(<redacted>)",
            Self::Basic(_) => "Basic(<redacted>)",
            Self::OtherScheme => "OtherScheme",
            Self::Malformed => "Malformed",
        })
    }
}

/// Reads the values of all `Authorization` headers of a request.
///
/// There must be exactly one: the field is not a list (RFC 9110 section 11.6.2), and of two, a
/// proxy on the way might have read the other one.
pub fn credentials<'a>(mut lines: impl Iterator<Item = &'a [u8]>) -> Credentials<'a> {
    match (lines.next(), lines.next()) {
        (None, _) => Credentials::None,
        (Some(line), None) => parse(line).unwrap_or(Credentials::Malformed),
        (Some(_), Some(_)) => Credentials::Malformed,
    }
}

/// `None` if malformed. The scheme is compared without regard to case (RFC 9110 section 11.1).
///
/// Any number of spaces separates it from the token (RFC 6750 section 2.1, RFC 9110 section 11.4).
fn parse(line: &[u8]) -> Option<Credentials<'_>> {
    let line = str::from_utf8(line).ok().filter(|line| line.is_ascii())?;
    let (scheme, token) = line.split_once(' ').unwrap_or((line, ""));
    let token = token.trim_start_matches(' ');
    if scheme.eq_ignore_ascii_case("Basic") {
        return Some(Credentials::Basic(token));
    }
    if !scheme.eq_ignore_ascii_case("Bearer") {
        return is_token(scheme.as_bytes()).then_some(Credentials::OtherScheme);
    }
    (!token.is_empty()).then_some(Credentials::Bearer(token))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(line: &[u8]) -> Credentials<'_> {
        credentials([line].into_iter())
    }

    #[test]
    fn no_header_is_no_credentials() {
        assert!(matches!(credentials(std::iter::empty()), Credentials::None));
    }

    #[test]
    fn scheme_is_read_in_any_case() {
        for line in ["Bearer twr_x", "bearer twr_x", "BEARER twr_x", "bEaReR twr_x"] {
            assert!(matches!(read(line.as_bytes()), Credentials::Bearer("twr_x")), "{line:?}");
        }
    }

    #[test]
    fn what_follows_the_spaces_is_handed_on_as_it_is() {
        assert!(matches!(read(b"Bearer  x"), Credentials::Bearer("x")));
        assert!(matches!(read(b"bearer      x y"), Credentials::Bearer("x y")));
        assert!(matches!(read(b"Bearer \tx"), Credentials::Bearer("\tx")));
        assert!(matches!(read(b"Bearer x "), Credentials::Bearer("x ")));
        assert!(matches!(read(b"Bearer x y"), Credentials::Bearer("x y")));
        assert!(matches!(read(b"Bearer x,Bearer y"), Credentials::Bearer("x,Bearer y")));
    }

    #[test]
    fn other_schemes_are_told_apart() {
        for line in ["Basic dXNlcjpwYXNz", "basic  dXNlcjpwYXNz"] {
            assert!(
                matches!(read(line.as_bytes()), Credentials::Basic("dXNlcjpwYXNz")),
                "{line:?}"
            );
        }
        for line in ["Basics x", "Negotiate", "Bearers x", "Token twr_x", "twr_x"] {
            assert!(matches!(read(line.as_bytes()), Credentials::OtherScheme), "{line:?}");
        }
    }

    #[test]
    fn malformed_lines() {
        for line in [
            "",
            " ",
            "Bearer",
            "bearer",
            "Bearer ",
            "Bearer   ",
            " Bearer x",
            "Bearer\tx",
            "Bearer:x",
            "Bearer é",
            "Basic é",
        ] {
            assert!(matches!(read(line.as_bytes()), Credentials::Malformed), "{line:?}");
        }
        assert!(matches!(read(b"Bearer \xff"), Credentials::Malformed));
    }

    #[test]
    fn several_headers_are_malformed_even_if_they_agree() {
        for second in ["Bearer x", "Bearer y", "Basic x", ""] {
            let lines = [&b"Bearer x"[..], second.as_bytes()];
            assert!(matches!(credentials(lines.into_iter()), Credentials::Malformed), "{second:?}");
        }
    }

    #[test]
    fn debug_hides_the_token() {
        assert_eq!(format!("{:?}", read(b"Bearer twr_secret")), "Bearer(<redacted>)");
        assert_eq!(format!("{:#?}", Some(read(b"Bearer twr_secret"))).matches("secret").count(), 0);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(lines in any::<Vec<Vec<u8>>>()) {
            let _ = credentials(lines.iter().map(Vec::as_slice));
        }

        #[test]
        fn every_ascii_token_is_handed_on(spaces in " {1,5}", token in "[!-~][ -~]{0,99}") {
            let line = format!("Bearer{spaces}{token}");
            let credentials = read(line.as_bytes());
            prop_assert!(matches!(credentials, Credentials::Bearer(read) if read == token));
        }
    }
}
