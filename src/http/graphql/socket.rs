//! Subscriptions over WebSocket, by the protocol graphql-transport-ws
//! (<https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>).
//!
//! async-graphql-actix-web handles the subscriptions, behind a relay, which is all that the client
//! meets. The relay bounds what comes, in size, number and time; finds the caller; keeps to the
//! rules of the protocol; and closes with the codes that clients act on. The handler gets only messages
//! that passed, one at a time, and neither the token nor a document.
//!
//! | part | what it does |
//! | --- | --- |
//! | [`offer`] | judges the offer of a WebSocket |
//! | [`incoming`] | frames of the client to messages, within bounds |
//! | [`message`] | messages, as clients and the handler write them |
//! | [`outgoing`] | what is sent to the client, one piece at a time |
//! | [`handler`] | the handler, as its client meets it |
//! | [`caller`] | the token of `connection_init` |
//! | [`relay`] | the life of one socket |
//! | [`close`] | why a socket is closed |

mod caller;
mod close;
mod handler;
mod incoming;
mod message;
mod offer;
mod outgoing;
mod relay;

use actix_web::{HttpRequest, HttpResponse, rt, web};

pub(super) use self::offer::{declined, is_offered, offer};
use self::outgoing::outgoing;
use self::relay::Relay;
use crate::graphql::Subscriptions;
use crate::http::caller::Caller;
use crate::http::connection::activity::Activity;
use crate::http::refusal::Refusal;
use crate::http::state::{HttpState, SocketLimits};

/// Accepts an offer that was judged. The token is one of `connection_init`; here, the head has only
/// told from where the client comes.
pub(super) async fn open(
    request: &HttpRequest,
    caller: Caller,
    payload: web::Payload,
    state: &web::Data<HttpState>,
    limits: SocketLimits,
) -> HttpResponse {
    let Some(activity) = request.conn_data::<Activity>().cloned() else {
        return declined(Refusal::Unavailable);
    };
    let subscriptions = Subscriptions::new(state.engine.clone(), caller.origin.clone());
    let (response, handler) = match handler::start(request, subscriptions.clone()).await {
        Ok(started) => started,
        Err(_not_well_formed) => return declined(Refusal::HandshakeBroken),
    };
    let (to_client, body) = outgoing();
    let relay = Relay::new(
        payload,
        to_client,
        handler,
        subscriptions,
        caller.origin,
        state.clone(),
        limits,
        activity,
    );
    rt::spawn(relay.run());
    response.set_body(body).map_into_boxed_body()
}
