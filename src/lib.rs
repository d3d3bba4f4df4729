//! Tokenwright: a self-hosted authority for API tokens.
//!
//! # The layers
//!
//! A layer knows only the layers below it; every layer may use `metrics`, `trace`, `domain` and
//! `wire`.
//!
//! | layer | what it does |
//! | --- | --- |
//! | [`cli`], [`config`], [`telemetry`] | commands, settings, the log, the export of traces |
//! | [`app`] | the composition root: settings to a server that listens |
//! | [`http`] | actix-web: the caller, GraphQL over HTTP, verification, health, the playground |
//! | [`grpc`] | tonic: Envoy's `ext_authz`, on a listener of its own |
//! | [`surface`] | what these two share: bounds on connections, sums of refusals |
//! | [`graphql`] | async-graphql: the schema, its errors, its limits, validation |
//! | [`service`] | the use cases: who may do what, and what happens then |
//! | [`repository`] | queries in domain words, once for both databases |
//! | [`db`] | connections, transactions, column types, migrations |
//! | [`metrics`] | what every layer counts about itself |
//! | [`trace`] | the spans of traces, and what they may say |
//! | [`domain`] | types and pure rules |
//! | [`wire`] | reading headers from their bytes |
//!
//! `docs/architecture.md` shows the way of a request and the rules of transactions and locks;
//! `CONTRIBUTING.md` has recipes for a query, a mutation, a setting and a migration.

pub mod app;
pub mod cli;
pub mod config;
pub mod db;
pub mod domain;
pub mod graphql;
pub mod grpc;
pub mod http;
pub mod metrics;
pub mod repository;
pub mod service;
pub mod surface;
pub mod telemetry;
pub mod trace;
pub mod wire;
