//! The values of `WWW-Authenticate` (RFC 6750 section 3), the same on every surface.

/// No credentials came, or credentials of another scheme: no error code then.
pub const TOKEN_NEEDED: &str = "Bearer realm=\"tokenwright\"";
/// A token came, and is not valid.
pub const INVALID_TOKEN: &str = "Bearer realm=\"tokenwright\", error=\"invalid_token\", \
                                 error_description=\"The token is not valid\"";
/// Credentials came that are not well-formed.
pub const INVALID_CREDENTIALS: &str = "Bearer realm=\"tokenwright\", error=\"invalid_request\", \
     error_description=\"One Authorization header with one token is needed\"";

/// Where a token may also come as the password of HTTP Basic (RFC 7617).
pub const BASIC: &str = "Basic realm=\"tokenwright\", charset=\"UTF-8\"";

/// The token lacks some of these permissions, all of which are needed (RFC 6750 section 3.1). Codes
/// have no characters that would end the quoted text.
pub fn insufficient_scope(codes: &[&str]) -> String {
    format!(
        "Bearer realm=\"tokenwright\", error=\"insufficient_scope\", \
         error_description=\"The token lacks a permission\", scope=\"{}\"",
        codes.join(" ")
    )
}
