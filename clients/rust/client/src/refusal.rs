/// Why a request must not pass, with the answer that RFC 6750 section 3 asks for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The request has no bearer token: 401.
    #[error("A bearer token is needed")]
    TokenMissing,
    /// Several `Authorization` headers, or one that is not well-formed: 400.
    #[error("One Authorization header with one bearer token is needed")]
    InvalidRequest,
    /// The token is unknown, wrong, expired, disabled or deleted, or not allowed from the address
    /// of the client: 401. Tokenwright's log says which.
    #[error("The token is not valid here")]
    InvalidToken,
    /// The token is valid, and may not do this: 403.
    #[error("The token lacks a permission")]
    InsufficientScope {
        /// The permissions that are needed, separated by spaces.
        scope: String,
    },
    /// Too many wrong secrets came from this client: 429.
    #[error("Too many failed attempts")]
    TooManyFailures {
        /// Seconds until another attempt may succeed.
        retry_after: u32,
    },
    /// Tokenwright did not say whether the token is valid: 503. The log of this service says why.
    #[error("The token cannot be checked now")]
    Unavailable,
}

impl Refusal {
    /// The HTTP status.
    pub const fn status(&self) -> u16 {
        match self {
            Self::InvalidRequest => 400,
            Self::TokenMissing | Self::InvalidToken => 401,
            Self::InsufficientScope { .. } => 403,
            Self::TooManyFailures { .. } => 429,
            Self::Unavailable => 503,
        }
    }

    /// The reason for programs.
    pub const fn error(&self) -> &'static str {
        match self {
            Self::TokenMissing => "token_missing",
            Self::InvalidRequest => "invalid_request",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope { .. } => "insufficient_scope",
            Self::TooManyFailures { .. } => "too_many_failures",
            Self::Unavailable => "unavailable",
        }
    }

    /// The value of the header `WWW-Authenticate`, where there is one.
    pub fn challenge(&self) -> Option<String> {
        match self {
            // No error code where no token came (RFC 6750 section 3.1).
            Self::TokenMissing => Some("Bearer".to_owned()),
            Self::InsufficientScope { scope } => Some(format!(
                "Bearer error=\"insufficient_scope\", error_description=\"{self}\", \
                 scope=\"{scope}\""
            )),
            Self::InvalidRequest | Self::InvalidToken => {
                Some(format!("Bearer error=\"{}\", error_description=\"{self}\"", self.error()))
            }
            Self::TooManyFailures { .. } | Self::Unavailable => None,
        }
    }

    /// The value of the header `Retry-After` in seconds, where there is one.
    pub const fn retry_after(&self) -> Option<u32> {
        match self {
            Self::TooManyFailures { retry_after } => Some(*retry_after),
            Self::Unavailable => Some(1),
            _ => None,
        }
    }

    /// The headers of the answer, by their names in lower case.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, String)> + use<> {
        let always = [
            ("content-type", "application/json".to_owned()),
            ("cache-control", "no-store".to_owned()),
        ];
        let challenge = self.challenge().map(|value| ("www-authenticate", value));
        let retry = self.retry_after().map(|seconds| ("retry-after", seconds.to_string()));
        always.into_iter().chain(challenge).chain(retry)
    }

    /// The body of the answer, in JSON.
    pub fn body(&self) -> String {
        // Neither text needs to be escaped.
        format!("{{\"error\":\"{}\",\"error_description\":\"{self}\"}}", self.error())
    }
}
