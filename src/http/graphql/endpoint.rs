//! `/graphql`: GraphQL over HTTP.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, VARY};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, middleware, web};

use super::answer_body::AnswerBody;
use super::cross_origin::cross_origin;
use super::negotiation::{MediaType, is_json, is_unencoded, negotiate};
use super::params;
use super::refusal::{GraphqlRefusal, refused_status};
use super::socket::{self, declined, is_offered, offer};
use crate::graphql::{GraphqlRequest, Introspection, Method, Notes, Outcome, RequestContext};
use crate::http::caller::{Caller, refused};
use crate::http::refusal::Refusal;
use crate::http::request::body::read_body;
use crate::http::request::path::GRAPHQL;
use crate::http::request::request_log::{refuse, span_of, verified};
use crate::http::request::room::{Answering, Share};
use crate::http::request::single_header::single_header;
use crate::http::state::HttpState;
use crate::service::Arrival;
use crate::surface::log_denial;

/// Routes of this endpoint.
pub(in crate::http) fn configure(config: &mut web::ServiceConfig) {
    let resource = web::resource(GRAPHQL)
        .wrap(middleware::from_fn(offer))
        .wrap(middleware::from_fn(cross_origin))
        .route(web::post().to(post))
        .route(web::get().to(get))
        .default_service(web::to(async || Refusal::MethodNotAllowed { allow: "GET, POST" }.json()));
    config.service(resource);
}

async fn post(
    request: HttpRequest,
    caller: Result<Caller, Refusal>,
    body: web::Payload,
    state: web::Data<HttpState>,
) -> HttpResponse {
    let limit = state.settings.request_timeout;
    let parameters = async |share: Share| {
        let headers = request.headers();
        let content_type = single_header(headers, CONTENT_TYPE);
        let json = content_type.is_some_and(|content_type| is_json(content_type.as_bytes()));
        let codings = headers.get_all(CONTENT_ENCODING).map(HeaderValue::as_bytes);
        if !json || !is_unencoded(codings) {
            return Err(Refusal::UnsupportedMediaType.into());
        }
        let body = read_body(headers, body, limit, &share).await?;
        let room = share.answering(body.bytes.len(), limit).await?;
        Ok(Parameters { request: params::from_body(&body.bytes)?, arrival: body.arrival, room })
    };
    answer(&request, caller, &state, Method::Post, parameters).await
}

async fn get(
    request: HttpRequest,
    caller: Result<Caller, Refusal>,
    body: web::Payload,
    state: web::Data<HttpState>,
) -> HttpResponse {
    if let (Some(limits), true) = (state.settings.subscriptions, is_offered(request.headers())) {
        return match caller {
            Ok(caller) => socket::open(&request, caller, body, &state, limits).await,
            Err(refusal) => declined(refusal),
        };
    }
    let parameters = async |share: Share| {
        // Any page can make a browser send a GET, though not with a bearer token.
        let mut sites = request.headers().get_all("sec-fetch-site");
        let elsewhere = sites.any(|site| site.as_bytes() == b"cross-site");
        if elsewhere && state.settings.allowed_origins.allowed(request.headers()).is_none() {
            return Err(Refusal::CrossSite.into());
        }
        let text = request.query_string();
        let room = share.answering(text.len(), state.settings.request_timeout).await?;
        let request = params::from_query_string(text)?;
        Ok(Parameters { request, arrival: Arrival::WithHead, room })
    };
    answer(&request, caller, &state, Method::Get, parameters).await
}

/// What was read of a request, and the room for it.
struct Parameters {
    request: GraphqlRequest,
    arrival: Arrival,
    room: Answering,
}

/// The first look at the caller comes first, so that no body is read for a refused one.
async fn answer(
    http: &HttpRequest,
    caller: Result<Caller, Refusal>,
    state: &HttpState,
    method: Method,
    parameters: impl AsyncFnOnce(Share) -> Result<Parameters, GraphqlRefusal>,
) -> HttpResponse {
    let media = negotiate(http.headers().get_all(ACCEPT).map(HeaderValue::as_bytes));
    let accepted = media.unwrap_or(MediaType::Json);
    let outcome: Result<_, GraphqlRefusal> = async {
        let caller = caller?;
        let anonymous = caller.is_anonymous();
        if anonymous && state.settings.introspection != Introspection::Public {
            return Err(Refusal::NoCredentials.into());
        }
        media.ok_or(Refusal::NotAcceptable)?;
        let share = state.room.share(caller.token_id());
        let Parameters { request, arrival, room: _until_the_end } = parameters(share).await?;
        let (caller, origin) = caller.admit(http, arrival, state).await?;
        let client = origin.client_address;
        let notes = Arc::<Notes>::default();
        let context = RequestContext { caller, origin, notes: Arc::clone(&notes) };
        let executed = state.engine.execute(request, method, context, || span_of(http)).await;
        log(http, &notes, state);
        match executed {
            Outcome::Executed { unauthenticated: true, .. } if anonymous => {
                Err(Refusal::NoCredentials.into())
            }
            Outcome::Unavailable => Err(Refusal::Unavailable.into()),
            Outcome::CallerRefused(refusal) => {
                Err(refused(http, refusal.into(), client, state).into())
            }
            Outcome::MutationByGet => Err(Refusal::MethodNotAllowed { allow: "POST" }.into()),
            Outcome::Refused { body } => Ok((refused_status(accepted), body)),
            Outcome::Executed { body, .. } => Ok((StatusCode::OK, body)),
        }
    }
    .await;
    let mut response = match outcome {
        Ok((status, body)) => HttpResponseBuilder::new(status)
            .content_type(accepted.content_type())
            .body(AnswerBody::from(body)),
        Err(refusal) => refusal.response(accepted),
    };
    response.headers_mut().insert(VARY, HeaderValue::from_static("Accept"));
    response
}

/// What the lines of the request are to say of what became of it.
fn log(http: &HttpRequest, notes: &Notes, state: &HttpState) {
    if notes.only_verifies() {
        verified(http);
    }
    if let Some(fields) = notes.take_refused() {
        refuse(http, fields);
    }
    for (client, denial) in notes.take_denials() {
        log_denial(&denial, client, &state.refusals, || span_of(http));
    }
}
