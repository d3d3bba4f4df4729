//! HTTP Basic (RFC 7617), as far as a token can be its password.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The password in what follows `Basic`: what is behind the first colon. The user name may be
/// anything.
pub fn password(credentials: &str) -> Option<Zeroizing<String>> {
    let decoded = Zeroizing::new(BASE64.decode(credentials).ok()?);
    let (_, password) = str::from_utf8(&decoded).ok()?.split_once(':')?;
    (!password.is_empty()).then(|| Zeroizing::new(password.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_behind_the_first_colon() {
        let read = |text: &str| password(text).map(|password| password.to_string());
        for (text, expected) in [
            ("dXNlcjpwYXNz", Some("pass")),   // user:pass
            ("OnBhc3M=", Some("pass")),       // :pass
            ("OnBhc3M", Some("pass")),        // without padding
            ("dTpwOmE6c3M=", Some("p:a:ss")), // u:p:a:ss
            ("dXNlcg==", None),               // user
            ("dXNlcjo=", None),               // user:
            ("dXNlcjr/", None),               // not UTF-8
            ("dXNlcjpwYXNz dXNlcjpwYXNz", None),
            ("user:pass", None),
            ("", None),
        ] {
            assert_eq!(read(text).as_deref(), expected, "{text}");
        }
    }
}
