//! The ground floor: types and pure rules, without input or output. Every layer may use it; it uses
//! none of them.

pub mod address;
pub mod api_token;
pub mod api_token_change;
pub mod audit;
pub mod base62;
pub mod catalogue;
pub mod client_network;
pub mod clock;
pub mod control;
pub mod cursor;
pub mod description;
pub mod disabler;
pub mod expiry_notice;
pub mod fault;
pub mod filter;
pub mod id;
pub mod idempotency;
pub mod label;
pub mod lifetime;
pub mod name;
pub mod order;
pub mod page;
pub mod permission;
pub mod policy;
pub mod principal;
pub mod random;
pub mod renewed_name;
pub mod revocation;
pub mod secret;
pub mod user;
pub mod verdict;
pub mod verification;
