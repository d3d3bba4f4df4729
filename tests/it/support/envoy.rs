//! Envoy, as far as it asks over gRPC.

use std::net::SocketAddr;

use envoy_types::ext_authz::v3::pb::{
    Address, CheckRequest, HeaderAppendAction, HeaderValue, HeaderValueOption, HttpResponse,
};
use envoy_types::pb::envoy::config::core::v3 as core;
use envoy_types::pb::envoy::service::auth::v3::AttributeContext;
use envoy_types::pb::envoy::service::auth::v3::attribute_context::{HttpRequest, Peer, Request};
use envoy_types::pb::envoy::service::auth::v3::authorization_client::AuthorizationClient;
use tonic::transport::Channel;
use tonic::{Code, Status};

use super::TestApp;

/// One connection of an Envoy.
#[derive(Clone)]
pub struct Envoy(AuthorizationClient<Channel>);

impl Envoy {
    /// Connects to an application.
    pub async fn of(app: &TestApp) -> Self {
        Self::connect(app.ext_authz).await
    }

    /// Connects to the server at this address.
    pub async fn connect(address: SocketAddr) -> Self {
        Self(AuthorizationClient::connect(format!("http://{address}")).await.unwrap())
    }

    /// What comes of a request that is described so.
    pub async fn ask(&self, said: &Said<'_>) -> Came {
        self.check(said.question()).await.unwrap()
    }

    /// What comes of any question, with the headers of gRPC itself as well.
    pub async fn check(
        &self,
        question: impl tonic::IntoRequest<CheckRequest>,
    ) -> Result<Came, Status> {
        let answer = self.0.clone().check(question).await?.into_inner();
        let passes = answer.status.unwrap().code == i32::from(Code::Ok);
        Ok(match answer.http_response.unwrap() {
            HttpResponse::OkResponse(ok) => {
                assert!(passes);
                Came { status: 200, headers: ok.headers.into_iter().map(read).collect() }
            }
            HttpResponse::DeniedResponse(denied) => {
                assert!(!passes);
                assert_eq!(denied.body, "");
                let headers = denied.headers.into_iter().map(read).collect();
                Came { status: denied.status.unwrap().code, headers }
            }
            HttpResponse::ErrorResponse(_) => panic!("an error"),
        })
    }
}

/// What Envoy says of a client's request.
#[derive(Clone, Default)]
pub struct Said<'a> {
    /// The address at the other end of its socket.
    pub source: &'a str,
    pub permissions: Option<&'a str>,
    pub headers: Vec<(&'a str, String)>,
    /// Are the headers sent as they are, in place of joined by commas?
    pub raw: bool,
}

/// What comes of it: a status, and the headers for the service or for the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Came {
    pub status: i32,
    pub headers: Vec<(String, String)>,
}

impl Came {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(key, _)| key == name);
        let value = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "{name} comes twice");
        value
    }
}

impl<'a> Said<'a> {
    /// A request with this token, which needs these permissions.
    pub fn bearer(token: &str, permissions: &'a str) -> Self {
        Self { permissions: Some(permissions), ..Self::default() }
            .from("192.0.2.1")
            .with("authorization", &format!("Bearer {token}"))
    }

    pub fn from(self, source: &'a str) -> Self {
        Self { source, ..self }
    }

    pub fn with(mut self, name: &'a str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub fn question(&self) -> CheckRequest {
        let mut http = HttpRequest { method: "POST".to_owned(), ..HttpRequest::default() };
        if self.raw {
            let line = |(name, value): &(&str, String)| HeaderValue {
                key: (*name).to_owned(),
                raw_value: value.clone().into_bytes(),
                ..HeaderValue::default()
            };
            let headers = self.headers.iter().map(line).collect();
            http.header_map = Some(core::HeaderMap { headers });
        } else {
            for (name, value) in &self.headers {
                let joined = http.headers.entry((*name).to_owned()).or_default();
                *joined =
                    if joined.is_empty() { value.clone() } else { format!("{joined},{value}") };
            }
        }
        let socket = core::SocketAddress {
            address: self.source.to_owned(),
            ..core::SocketAddress::default()
        };
        let address = Some(core::Address { address: Some(Address::SocketAddress(socket)) });
        let extensions = self.permissions.map(|codes| ("permissions".to_owned(), codes.to_owned()));
        let attributes = AttributeContext {
            source: Some(Peer { address, ..Peer::default() }),
            request: Some(Request { http: Some(http), ..Request::default() }),
            context_extensions: extensions.into_iter().collect(),
            ..AttributeContext::default()
        };
        CheckRequest { attributes: Some(attributes) }
    }
}

/// Every header must replace what the client sent, even if it is empty.
fn read(option: HeaderValueOption) -> (String, String) {
    assert_eq!(option.append_action(), HeaderAppendAction::OverwriteIfExistsOrAdd);
    assert!(option.keep_empty_value);
    let header = option.header.unwrap();
    (header.key, header.value)
}
