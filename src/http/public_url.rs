//! The URL at which clients reach this server, which is also the issuer of its tokens (RFC 8414
//! section 2).

use std::fmt;
use std::str::FromStr;

use url::Url;

/// A URL, exactly as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    text: String,
    /// Without a slash at its end; empty where there is none.
    path: String,
}

/// A text is no such URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PublicUrlError {
    /// It is no URL, or has characters that a URL has not.
    #[error("is not a URL; write it like `https://tokens.example`")]
    Form,
    /// It has another scheme.
    #[error("must begin with `https://` or `http://`")]
    Scheme,
    /// It has parts that an issuer must not have.
    #[error("must have no user, query and fragment")]
    Extra,
}

impl FromStr for PublicUrl {
    type Err = PublicUrlError;

    fn from_str(text: &str) -> Result<Self, PublicUrlError> {
        let url = Url::parse(text).map_err(|_| PublicUrlError::Form)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(PublicUrlError::Scheme);
        }
        let has_user = !url.username().is_empty() || url.password().is_some();
        if has_user || text.contains(['?', '#']) {
            return Err(PublicUrlError::Extra);
        }
        // It is repeated to clients, which compare it as a text.
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) || text.contains(['"', '\\', '{']) {
            return Err(PublicUrlError::Form);
        }
        Ok(Self { text: text.to_owned(), path: url.path().trim_end_matches('/').to_owned() })
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PublicUrl {
    /// The text, exactly as it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its path, without a slash at its end.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The URL of an endpoint.
    pub(super) fn join(&self, path: &str) -> String {
        format!("{}{path}", self.text.trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_kept_as_it_was_given() {
        for (text, path, endpoint) in [
            ("https://tokens.example", "", "https://tokens.example/x"),
            ("https://tokens.example/", "", "https://tokens.example/x"),
            ("https://Tokens.example:443/a/B/", "/a/B", "https://Tokens.example:443/a/B/x"),
            ("http://localhost:8080", "", "http://localhost:8080/x"),
        ] {
            let url: PublicUrl = text.parse().unwrap();
            assert_eq!((url.as_str(), url.path(), url.join("/x").as_str()), (text, path, endpoint));
        }
    }

    #[test]
    fn what_is_no_such_url_says_why() {
        use PublicUrlError::{Extra, Form, Scheme};
        for (text, error) in [
            ("", Form),
            ("tokens.example", Form),
            ("https://", Form),
            ("https://tokens example", Form),
            ("https://tokens.example/ä", Form),
            ("https://tokens.example/{x}", Form),
            ("ftp://tokens.example", Scheme),
            ("https://user@tokens.example", Extra),
            ("https://tokens.example?a", Extra),
            ("https://tokens.example/#", Extra),
        ] {
            assert_eq!(text.parse::<PublicUrl>(), Err(error), "{text}");
        }
    }
}
