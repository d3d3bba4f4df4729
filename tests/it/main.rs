//! The integration suite: HTTP against the built application, over a real database. One file per
//! operation or concern.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test ends where something is not as it should be"
)]

mod authentication;
mod client_address;
mod command_line;
mod create_api_token;
mod graphql_http;
mod migrations;
mod no_escalation;
mod one_server;
mod output;
mod page;
mod permission_catalogue;
mod reading;
mod root_fields;
mod schema;
mod secrets_stay_secret;
mod slow_clients;
mod support;
