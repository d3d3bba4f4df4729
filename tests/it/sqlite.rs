//! What is true over SQLite alone: it is a file.

mod database;
mod file;
mod migrations;
mod one_server;

pub use database::TestDatabase;
