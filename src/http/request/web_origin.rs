//! The web origins whose pages may use this server (RFC 6454, Fetch section 3.3).

use std::str::FromStr;

use actix_web::http::header::{HeaderMap, HeaderValue, ORIGIN};
use url::Url;

use super::single_header::single_header;

/// An origin as browsers write it in the header `Origin`: scheme, host, and the port where it is
/// not the scheme's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebOrigin(HeaderValue);

/// A text is not an origin that can be allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebOriginError {
    #[error("would allow every page; name each origin")]
    Any,
    #[error("is sent by any sandboxed page or local file; it cannot be allowed")]
    Null,
    #[error("is not an origin; write it like `https://app.example` or `http://localhost:3000`")]
    Form,
    #[error("must begin with `https://` or `http://`")]
    Scheme,
    /// It is compared with what browsers send, so only their spelling can match.
    #[error("is not written as browsers send it; write `{0}`")]
    Spelling(String),
}

impl FromStr for WebOrigin {
    type Err = WebOriginError;

    fn from_str(text: &str) -> Result<Self, WebOriginError> {
        match text {
            "null" => return Err(WebOriginError::Null),
            _ if text.contains('*') => return Err(WebOriginError::Any),
            _ => {}
        }
        let url = Url::parse(text).map_err(|_| WebOriginError::Form)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(WebOriginError::Scheme);
        }
        let origin = url.origin().ascii_serialization();
        // A host may contain `;` and the like where a list was meant.
        if !origin.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:/[]".contains(&byte)) {
            return Err(WebOriginError::Form);
        }
        if origin != text {
            return Err(WebOriginError::Spelling(origin));
        }
        origin.parse().map(Self).map_err(|_| WebOriginError::Form)
    }
}

/// The origins that the operator allows; none by default.
#[derive(Debug, Clone, Default)]
pub struct AllowedOrigins(Vec<WebOrigin>);

impl AllowedOrigins {
    /// Only these.
    pub const fn new(origins: Vec<WebOrigin>) -> Self {
        Self(origins)
    }

    pub(in crate::http) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The origin of the page that sends this request, if it is allowed. A browser sends it byte
    /// for byte as it is written here.
    pub(in crate::http) fn allowed(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = single_header(headers, ORIGIN)?;
        self.0.iter().any(|allowed| allowed.0 == *origin).then(|| origin.clone())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn origins_as_browsers_send_them() {
        for text in [
            "https://app.example",
            "https://app.example:8443",
            "http://localhost:3000",
            "http://127.0.0.1",
            "http://[2001:db8::1]:8080",
            "https://xn--bcher-kva.example",
        ] {
            assert_eq!(text.parse::<WebOrigin>().map(|origin| origin.0), Ok(text.parse().unwrap()));
        }
    }

    #[test]
    fn another_spelling_is_told_the_right_one() {
        for (text, right) in [
            ("https://app.example/", "https://app.example"),
            ("https://app.example/page?a#b", "https://app.example"),
            ("https://app.example?", "https://app.example"),
            ("https://app.example#", "https://app.example"),
            ("HTTPS://app.example", "https://app.example"),
            ("https://App.Example", "https://app.example"),
            ("https://app.example:443", "https://app.example"),
            ("http://app.example:80", "http://app.example"),
            ("http://app.example:", "http://app.example"),
            ("http://app.example:08080", "http://app.example:8080"),
            ("https://user:pass@app.example", "https://app.example"),
            ("https:app.example", "https://app.example"),
            ("https:\\\\app.example", "https://app.example"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
            ("http://127.1", "http://127.0.0.1"),
            ("http://[2001:db8:0::1]", "http://[2001:db8::1]"),
            (" https://app.example", "https://app.example"),
            ("https://app.\texample", "https://app.example"),
        ] {
            let expected = Err(WebOriginError::Spelling(right.to_owned()));
            assert_eq!(text.parse::<WebOrigin>(), expected, "{text:?}");
        }
    }

    #[test]
    fn what_cannot_be_allowed() {
        for (text, error) in [
            ("*", WebOriginError::Any),
            ("https://*", WebOriginError::Any),
            ("https://*.app.example", WebOriginError::Any),
            ("null", WebOriginError::Null),
            ("", WebOriginError::Form),
            ("app.example", WebOriginError::Form),
            ("//app.example", WebOriginError::Form),
            ("https://", WebOriginError::Form),
            ("https://app.example:99999", WebOriginError::Form),
            ("https://app.example:port", WebOriginError::Form),
            ("https://app example", WebOriginError::Form),
            ("https://app.example;http://localhost", WebOriginError::Form),
            ("https://app.example;b.example", WebOriginError::Form),
            ("localhost:3000", WebOriginError::Scheme),
            ("file:///index.html", WebOriginError::Scheme),
            ("ftp://app.example", WebOriginError::Scheme),
            ("chrome-extension://abc", WebOriginError::Scheme),
            ("data:text/html,x", WebOriginError::Scheme),
        ] {
            assert_eq!(text.parse::<WebOrigin>(), Err(error), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_survived_and_kept_as_it_is(text in any::<String>()) {
            if let Ok(origin) = text.parse::<WebOrigin>() {
                prop_assert_eq!(origin.0.as_bytes(), text.as_bytes());
            }
        }
    }
}
