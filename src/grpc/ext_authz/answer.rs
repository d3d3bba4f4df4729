//! What Envoy is answered: the headers to hand on to the service, or the answer for the client.

use envoy_types::ext_authz::v3::pb::{
    CheckResponse, DeniedHttpResponse, HeaderAppendAction, HeaderValue, HeaderValueOption,
    HttpResponse, HttpStatus, OkHttpResponse,
};
use envoy_types::pb::google::rpc;
use tonic::Code;

use crate::surface::GatewayRefusal;
use crate::wire::identity::NAMES;

/// The answer that lets a request pass. Every header is set, so that none that a client sent under
/// the same name survives.
pub(super) fn allowed(identity: [String; NAMES.len()], request_id: &str) -> CheckResponse {
    let identity = NAMES.into_iter().zip(identity);
    let id = ("x-request-id", request_id.to_owned());
    let headers = identity.chain([id]).map(|(name, value)| set(name, value)).collect();
    let passes = OkHttpResponse { headers, ..OkHttpResponse::default() };
    respond(Code::Ok, HttpResponse::OkResponse(passes))
}

/// The answer that Envoy gives to the client.
pub(super) fn refused(refusal: &GatewayRefusal, request_id: &str) -> CheckResponse {
    let mut headers = vec![
        set("cache-control", "no-store".to_owned()),
        set("x-request-id", request_id.to_owned()),
    ];
    let challenge = refusal.challenge();
    headers.extend(challenge.map(|challenge| set("www-authenticate", challenge.into_owned())));
    headers.extend(refusal.retry_after().map(|after| set("retry-after", after.to_string())));
    let status = Some(HttpStatus { code: refusal.status().into() });
    let denied = DeniedHttpResponse { status, headers, body: String::new() };
    respond(code(refusal), HttpResponse::DeniedResponse(denied))
}

/// Envoy takes every code but that of success for a refusal.
const fn code(refusal: &GatewayRefusal) -> Code {
    match refusal {
        GatewayRefusal::InvalidToken | GatewayRefusal::NoCredentials => Code::Unauthenticated,
        GatewayRefusal::MalformedCredentials | GatewayRefusal::InvalidDemand => {
            Code::InvalidArgument
        }
        GatewayRefusal::AddressNotAllowed | GatewayRefusal::PermissionMissing(_) => {
            Code::PermissionDenied
        }
        GatewayRefusal::TooManyFailures { .. } => Code::ResourceExhausted,
        GatewayRefusal::Unavailable => Code::Unavailable,
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
