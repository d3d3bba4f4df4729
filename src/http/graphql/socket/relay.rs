//! The life of one socket, between its client and the handler.

use std::collections::HashSet;
use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use actix_http::ws::Message;
use actix_web::web::{self, Bytes};
use serde_json::{Map, Value};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, timeout};
use tracing::field::{Empty, display};
use tracing::{Instrument, Span};

use super::caller;
use super::close::Close;
use super::handler::Handler;
use super::incoming::{Came, Incoming};
use super::message::{self, ClientMessage, HandlerMessage};
use super::outgoing::ToClient;
use crate::domain::principal::Origin;
use crate::graphql::{Delivery, ErrorCode, Subscriptions};
use crate::http::connection::activity::{Activity, Busy};
use crate::http::graphql::params;
use crate::http::state::{HttpState, SocketLimits};
use crate::service::LiveCaller;

/// Bytes of a message of whom nobody knows yet.
const FIRST: usize = 4 * 1024;
/// Bytes of every other message: as many as a body has.
const MOST: usize = 64 * 1024;
/// How long a client may leave what is sent to it.
const TAKEN: Duration = Duration::from_secs(10);
/// How often a client is asked whether it is there.
const ASKED: Duration = Duration::from_secs(25);
/// How long it may say nothing: more than twice as long.
const SILENT: Duration = Duration::from_secs(60);
/// How long the end of a socket may take.
const FAREWELL: Duration = Duration::from_secs(1);

/// One socket.
pub(super) struct Relay {
    incoming: Incoming,
    to_client: ToClient,
    handler: Handler,
    subscriptions: Subscriptions,
    origin: Origin,
    state: web::Data<HttpState>,
    limits: SocketLimits,
    activity: Activity,
    busy: Busy,
    /// Known from `connection_init` on.
    caller: Option<Arc<LiveCaller>>,
    /// Subscriptions that have not ended, by their ids.
    open: HashSet<String>,
    /// What the handler has to say before the next message of the client is read.
    awaited: Option<Awaited>,
    /// When the client last said something.
    heard: Instant,
}

/// What the handler answers to a message.
#[derive(Debug, PartialEq, Eq)]
enum Awaited {
    Acknowledgement,
    End(String),
}

/// What happens next.
enum Next {
    Came(Came),
    Said(Bytes),
    Due,
}

impl Relay {
    #[expect(clippy::too_many_arguments, reason = "the parts of one socket, put together once")]
    pub(super) fn new(
        payload: web::Payload,
        to_client: ToClient,
        handler: Handler,
        subscriptions: Subscriptions,
        origin: Origin,
        state: web::Data<HttpState>,
        limits: SocketLimits,
        activity: Activity,
    ) -> Self {
        Self {
            incoming: Incoming::new(payload, FIRST),
            to_client,
            handler,
            subscriptions,
            origin,
            state,
            limits,
            busy: activity.clone().begin(),
            activity,
            caller: None,
            open: HashSet::new(),
            awaited: None,
            heard: Instant::now(),
        }
    }

    /// Relays until the socket is closed.
    pub(super) async fn run(mut self) {
        let span = tracing::info_span!(
            "socket",
            request_id = self.origin.request_id.as_deref().unwrap_or_default(),
            client = self.origin.client_address.map(display),
            token = Empty,
            user = Empty
        );
        async {
            let close = self.relay().await;
            self.log(close);
            self.part(close).await;
        }
        .instrument(span)
        .await;
    }

    async fn relay(&mut self) -> Close {
        let mut deadline = pin!(sleep(self.state.settings.request_timeout));
        let mut due = interval_at(Instant::now() + ASKED, ASKED);
        due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let closing = self.state.closing.clone();
        loop {
            let caller = self.caller.clone();
            let ended = async {
                match &caller {
                    Some(caller) => caller.ended().await,
                    None => pending().await,
                }
            };
            let next = tokio::select! {
                ending = ended => return ending.into(),
                () = closing.cancelled() => return Close::GoingAway,
                () = &mut deadline, if caller.is_none() => return Close::InitTooLate,
                came = self.incoming.next(), if self.awaited.is_none() => came.map(Next::Came),
                said = self.handler.next() => said.map(Next::Said),
                _ = due.tick() => Ok(Next::Due),
            };
            let done = match next {
                Ok(Next::Came(came)) => self.came(came).await,
                Ok(Next::Said(said)) => self.said(said).await,
                Ok(Next::Due) => self.ask().await,
                Err(close) => Err(close),
            };
            if let Err(close) = done {
                return close;
            }
        }
    }

    async fn came(&mut self, came: Came) -> Result<(), Close> {
        self.heard = Instant::now();
        match came {
            Came::Ping(bytes) => self.send(Message::Pong(bytes), None).await,
            Came::Pong => Ok(()),
            Came::Closing => Err(Close::ByClient),
            // Boxed where much is done: the future of a socket that waits is to be small.
            Came::Text(text) => match ClientMessage::read(&text)? {
                ClientMessage::ConnectionInit { payload } => Box::pin(self.begin(payload)).await,
                ClientMessage::Subscribe { id, payload } => {
                    Box::pin(self.subscribe(id, payload)).await
                }
                ClientMessage::Complete { id } if self.open.contains(&id) => {
                    self.handler.send(message::complete(&id)).await?;
                    self.awaited = Some(Awaited::End(id));
                    Ok(())
                }
                // It has ended, and the client did not know yet.
                ClientMessage::Complete { .. } | ClientMessage::Pong => Ok(()),
                ClientMessage::Ping => self.text(message::PONG.to_owned()).await,
            },
        }
    }

    async fn begin(&mut self, payload: Option<Value>) -> Result<(), Close> {
        if self.caller.is_some() {
            return Err(Close::InitTwice);
        }
        let caller = caller::admit(payload, &self.origin, &self.state, self.limits).await?;
        if let Some(own) = caller.admitted().principal().api_token() {
            Span::current().record("token", display(own.id)).record("user", display(own.user_id));
        }
        self.subscriptions.belong_to(Arc::clone(&caller));
        self.caller = Some(caller);
        self.incoming.allow(MOST);
        self.awaited = Some(Awaited::Acknowledgement);
        self.handler.send(message::INIT.to_owned()).await
    }

    async fn subscribe(&mut self, id: String, payload: Map<String, Value>) -> Result<(), Close> {
        if self.caller.is_none() {
            return Err(Close::Unauthorized);
        }
        if self.open.contains(&id) {
            return Err(Close::IdInUse);
        }
        let request = params::from_object(payload).map_err(|_| Close::BadMessage)?;
        if self.open.len() >= self.limits.subscriptions {
            return self.text(message::error(&id, &too_many())).await;
        }
        match self.subscriptions.open(request).await {
            Ok(()) => {
                self.handler.send(message::subscribe(&id)).await?;
                self.open.insert(id);
                Ok(())
            }
            Err(errors) => self.text(message::error(&id, &errors)).await,
        }
    }

    /// Passes on what the handler says, unless the client has ended the subscription meanwhile.
    async fn said(&mut self, said: Bytes) -> Result<(), Close> {
        let text = String::from_utf8(said.into()).map_err(|_| Close::Defect)?;
        let HandlerMessage { kind, id } = serde_json::from_str(&text).map_err(|_| Close::Defect)?;
        match (kind, &self.awaited) {
            ("connection_ack", Some(Awaited::Acknowledgement)) => {
                self.awaited = None;
                self.text(text).await
            }
            ("next", awaited) => {
                let delivery = self.subscriptions.taken();
                if matches!(awaited, Some(Awaited::End(ending)) if *ending == id) {
                    return Ok(());
                }
                self.send(Message::Text(text.into()), delivery).await
            }
            ("complete", Some(Awaited::End(ending))) if *ending == id => {
                self.awaited = None;
                self.open.remove(&id);
                Ok(())
            }
            ("complete", _) => {
                self.open.remove(&id);
                self.text(text).await
            }
            _ => Err(Close::Defect),
        }
    }

    async fn ask(&self) -> Result<(), Close> {
        if self.heard.elapsed() > SILENT {
            return Err(Close::Silent);
        }
        self.send(Message::Ping(Bytes::new()), None).await
    }

    async fn text(&self, text: String) -> Result<(), Close> {
        self.send(Message::Text(text.into()), None).await
    }

    async fn send(&self, message: Message, delivery: Option<Delivery>) -> Result<(), Close> {
        tokio::select! {
            sent = self.to_client.send(message, delivery, TAKEN) => sent,
            () = self.state.closing.cancelled() => Err(Close::GoingAway),
        }
    }

    /// A line for each socket that had a caller. Strangers cannot flood the log.
    fn log(&self, close: Close) {
        let reason = close.reason();
        let is_worth_it = self.caller.is_some()
            || self.state.refusals.is_first(self.origin.client_address, reason);
        if is_worth_it {
            tracing::info!(reason, "socket closed");
        } else {
            tracing::debug!(reason, "socket closed");
        }
    }

    /// Sends the Close frame, gives the client time to read it, and ends the connection.
    async fn part(mut self, close: Close) {
        if let Some(frame) = close.frame() {
            let frame = Message::Close(Some(frame));
            let sent = self.to_client.send(frame, None, FAREWELL).await;
            if sent.is_ok() && close != Close::ByClient {
                let _too_late = timeout(FAREWELL, self.incoming.ended()).await;
            }
        }
        // What was sent is written first.
        drop(self.to_client);
        self.activity.end();
        drop(self.busy);
    }
}

/// The error of a subscription too many.
fn too_many() -> Value {
    serde_json::json!([{
        "message": "There are as many subscriptions on this socket as the server allows; end one.",
        "extensions": {
            "code": ErrorCode::RateLimited.as_str(),
            "reason": "subscription_limit",
        },
    }])
}
