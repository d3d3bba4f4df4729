//! What Envoy asks, as far as it is to be believed.

use std::net::IpAddr;

use envoy_types::ext_authz::v3::pb::{Address, CheckRequest};
use envoy_types::pb::envoy::service::auth::v3::AttributeContext;
use envoy_types::pb::envoy::service::auth::v3::attribute_context::HttpRequest;

use crate::grpc::state::GrpcState;
use crate::wire::forwarded::{ForwardedHeader, client_address};
use crate::wire::request_id;

/// The key of a route's context extensions that names the permissions it needs.
const PERMISSIONS: &str = "permissions";

/// One question.
pub(super) struct Question<'a> {
    attributes: Option<&'a AttributeContext>,
    client: Option<IpAddr>,
    trusted: bool,
}

impl<'a> Question<'a> {
    /// Reads a question of this peer. The address that Envoy saw at its own socket is believed if
    /// the peer is a trusted proxy; otherwise the peer counts as the client. The client's headers
    /// are asked for the address only if that socket's other end is a trusted proxy itself.
    pub(super) fn new(asked: &'a CheckRequest, peer: Option<IpAddr>, state: &GrpcState) -> Self {
        let attributes = asked.attributes.as_ref();
        let proxies = &state.trusted_proxies;
        let trusted = peer.is_some_and(|peer| proxies.contains(peer));
        let mut question =
            Self { attributes, client: peer.map(|peer| peer.to_canonical()), trusted };
        if trusted {
            let name = match state.forwarded_header {
                ForwardedHeader::XForwardedFor => "x-forwarded-for",
                ForwardedHeader::Forwarded => "forwarded",
            };
            let lines = question.header(name);
            question.client =
                client_address(question.source(), proxies, state.forwarded_header, lines);
        }
        question
    }

    /// The end client's address; `None`: it is not known.
    pub(super) const fn client(&self) -> Option<IpAddr> {
        self.client
    }

    /// Is the peer a trusted proxy?
    pub(super) const fn is_trusted(&self) -> bool {
        self.trusted
    }

    /// The values of the client's `Authorization` headers.
    pub(super) fn authorization(&self) -> impl Iterator<Item = &'a [u8]> {
        self.header("authorization")
    }

    /// The permissions that the route needs, all of them. They come from Envoy's own settings, never
    /// from the client's request.
    pub(super) fn permissions(&self) -> impl Iterator<Item = &'a str> {
        let extensions = self.attributes.map(|attributes| &attributes.context_extensions);
        let codes = extensions.and_then(|extensions| extensions.get(PERMISSIONS));
        codes.into_iter().flat_map(|codes| codes.split_ascii_whitespace())
    }

    /// The id that Envoy gave to the client's request.
    pub(super) fn request_id(&self) -> Option<&'a str> {
        let mut lines = self.header("x-request-id").filter(|_| self.trusted);
        lines.next().filter(|_| lines.next().is_none()).and_then(request_id::fit_for_log)
    }

    /// The address at the other end of Envoy's socket.
    fn source(&self) -> Option<IpAddr> {
        match self.attributes?.source.as_ref()?.address.as_ref()?.address.as_ref()? {
            Address::SocketAddress(socket) => socket.address.parse().ok(),
            _ => None,
        }
    }

    /// The lines of a header of the client's request. Envoy sends them in one of two forms: joined
    /// by commas, or, where its `encode_raw_headers` is set, as they are.
    fn header(&self, name: &'static str) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let joined = self.http().and_then(|http| http.headers.get(name));
        let raw = self.http().and_then(|http| http.header_map.as_ref());
        let raw = raw.into_iter().flat_map(|map| &map.headers);
        let raw = raw.filter(move |line| line.key.eq_ignore_ascii_case(name));
        let raw = raw.map(|line| match line.raw_value.as_slice() {
            [] => line.value.as_bytes(),
            bytes => bytes,
        });
        joined.map(|line| line.as_bytes()).into_iter().chain(raw)
    }

    fn http(&self) -> Option<&'a HttpRequest> {
        self.attributes?.request.as_ref()?.http.as_ref()
    }
}
