//! Tokenwright: a self-hosted authority for API tokens.
//!
//! # The layers
//!
//! A layer knows only the layers below it; `domain` and `wire` are the ground floor that all may stand on.
//!
//! | layer | what it does |
//! | --- | --- |
//! | [`cli`], [`config`], [`telemetry`] | commands, settings, the log |
//! | [`app`] | the composition root: settings to a server that listens |
//! | [`http`] | actix-web: authentication of requests, GraphQL over HTTP, health, the playground |
//! | [`graphql`] | async-graphql: the schema, its errors, its limits, validation |
//! | [`service`] | the use cases: who may do what, and what happens then |
//! | [`repository`] | queries in domain words, once for both databases |
//! | [`db`] | connections, transactions, column types, migrations |
//! | [`domain`] | types and pure rules |
//! | [`wire`] | what headers say, read from their bytes |
//!
//! # How to add a mutation
//!
//! 1. `domain`: the types and rules that it needs, with their tests.
//! 2. `repository`: its one transaction, as a `write_tx!` body, with the audit event in it.
//! 3. `service/my_mutation.rs`: `impl Service`, taking the principal; permission first, then all faults
//!    of the input together, then the repository.
//! 4. `graphql/schema/mutation/my_mutation.rs`: input, payload and resolver with its `Needs` guard; add it to
//!    `Mutation` in `graphql/schema/mutation.rs`.
//! 5. `cargo run -- schema > schema.graphql`, and `tests/it/my_mutation.rs` over HTTP.

pub mod app;
pub mod cli;
pub mod config;
pub mod db;
pub mod domain;
pub mod graphql;
pub mod http;
pub mod repository;
pub mod service;
pub mod telemetry;
pub mod wire;
