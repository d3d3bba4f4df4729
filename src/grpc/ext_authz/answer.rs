//! What Envoy is answered: the headers to hand on to the service, or the answer for the client.

use envoy_types::ext_authz::v3::pb::{
    CheckResponse, DeniedHttpResponse, HeaderAppendAction, HeaderValue, HeaderValueOption,
    HttpResponse, HttpStatus, OkHttpResponse,
};
use envoy_types::pb::google::rpc;
use tonic::Code;

use crate::domain::catalogue::Catalogue;
use crate::domain::verdict::TokenRefusal;
use crate::domain::verification::{Demand, Denial};
use crate::graphql::RETRY_AFTER;
use crate::wire::challenge;
use crate::wire::identity::NAMES;

/// Why a request does not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// One answer for unknown, wrong, expired, disabled and deleted.
    InvalidToken,
    /// The same, where too many tokens from one address, or in all, were not valid.
    TooManyFailures {
        /// In seconds.
        retry_after: u32,
    },
    MalformedCredentials,
    NoCredentials,
    AddressNotAllowed,
    /// The token lacks one of these permissions.
    PermissionMissing(Vec<String>),
    /// The route asks for nothing, or for something that is not known.
    InvalidDemand,
    /// No answer is possible now; it may be in a moment.
    Unavailable,
}

/// The answer that lets a request pass. Every header is set, so that none that a client sent under
/// the same name survives.
pub(super) fn allowed(identity: [String; NAMES.len()], request_id: &str) -> CheckResponse {
    let identity = NAMES.into_iter().zip(identity);
    let id = ("x-request-id", request_id.to_owned());
    let headers = identity.chain([id]).map(|(name, value)| set(name, value)).collect();
    let passes = OkHttpResponse { headers, ..OkHttpResponse::default() };
    respond(Code::Ok, HttpResponse::OkResponse(passes))
}

/// The refusal that follows from a decision.
pub(super) fn refusal(denial: &Denial, demand: &Demand, catalogue: &Catalogue) -> Refusal {
    match denial {
        Denial::Token(TokenRefusal::Invalid { .. }) => Refusal::InvalidToken,
        Denial::Token(TokenRefusal::TooManyFailures { retry_after, .. }) => {
            Refusal::TooManyFailures { retry_after: *retry_after }
        }
        Denial::Token(TokenRefusal::AddressNotAllowed { .. }) => Refusal::AddressNotAllowed,
        Denial::Demand { .. } => Refusal::InvalidDemand,
        Denial::PermissionMissing { .. } => {
            let asked = demand.permissions().map(|asked| catalogue.in_order(asked));
            let codes = asked.unwrap_or_default().into_iter().map(|entry| entry.code.to_string());
            Refusal::PermissionMissing(codes.collect())
        }
    }
}

impl Refusal {
    const fn code(&self) -> Code {
        match self {
            Self::InvalidToken | Self::NoCredentials => Code::Unauthenticated,
            Self::MalformedCredentials | Self::InvalidDemand => Code::InvalidArgument,
            Self::AddressNotAllowed | Self::PermissionMissing(_) => Code::PermissionDenied,
            Self::TooManyFailures { .. } => Code::ResourceExhausted,
            Self::Unavailable => Code::Unavailable,
        }
    }

    /// The status of the client's answer, as `/authorize` has it.
    const fn status(&self) -> i32 {
        match self {
            Self::InvalidToken | Self::NoCredentials => 401,
            Self::MalformedCredentials | Self::InvalidDemand => 400,
            Self::AddressNotAllowed | Self::PermissionMissing(_) => 403,
            Self::TooManyFailures { .. } => 429,
            Self::Unavailable => 503,
        }
    }

    fn challenge(&self) -> Option<String> {
        match self {
            Self::InvalidToken => Some(challenge::INVALID_TOKEN.to_owned()),
            Self::NoCredentials => Some(challenge::TOKEN_NEEDED.to_owned()),
            Self::MalformedCredentials => Some(challenge::INVALID_CREDENTIALS.to_owned()),
            Self::PermissionMissing(codes) => {
                let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
                Some(challenge::insufficient_scope(&codes))
            }
            Self::TooManyFailures { .. }
            | Self::AddressNotAllowed
            | Self::InvalidDemand
            | Self::Unavailable => None,
        }
    }

    /// Seconds until a retry may help.
    const fn retry_after(&self) -> Option<u32> {
        match self {
            Self::TooManyFailures { retry_after } => Some(*retry_after),
            Self::Unavailable => Some(RETRY_AFTER),
            _ => None,
        }
    }

    /// The answer that Envoy gives to the client.
    pub(super) fn answer(&self, request_id: &str) -> CheckResponse {
        let mut headers = vec![
            set("cache-control", "no-store".to_owned()),
            set("x-request-id", request_id.to_owned()),
        ];
        headers.extend(self.challenge().map(|challenge| set("www-authenticate", challenge)));
        headers.extend(self.retry_after().map(|after| set("retry-after", after.to_string())));
        let status = Some(HttpStatus { code: self.status() });
        let denied = DeniedHttpResponse { status, headers, body: String::new() };
        respond(self.code(), HttpResponse::DeniedResponse(denied))
    }
}

fn respond(code: Code, http: HttpResponse) -> CheckResponse {
    let status = Some(rpc::Status { code: code.into(), ..rpc::Status::default() });
    CheckResponse { status, http_response: Some(http), ..CheckResponse::default() }
}

/// A header that replaces every one of its name. An empty value counts.
fn set(name: &str, value: String) -> HeaderValueOption {
    let header = HeaderValue { key: name.to_owned(), value, ..HeaderValue::default() };
    HeaderValueOption {
        header: Some(header),
        append_action: HeaderAppendAction::OverwriteIfExistsOrAdd.into(),
        keep_empty_value: true,
        ..HeaderValueOption::default()
    }
}
