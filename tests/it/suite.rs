//! What is true over either database.

mod authentication;
pub mod cancellation;
mod client_address;
mod command_line;
mod create_api_token;
mod delete_api_token;
mod graphql_http;
mod last_use;
mod migrations;
mod no_escalation;
mod output;
mod page;
mod permission_catalogue;
mod permission_matrix;
mod reading;
mod renew_api_token;
mod root_fields;
mod schema;
mod secrets_stay_secret;
mod slow_clients;
mod update_api_token;
