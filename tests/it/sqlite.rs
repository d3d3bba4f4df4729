//! What is true over SQLite alone: it is a file.

mod database;
mod file;
mod migrations;
mod one_server;
mod searches;

pub use database::TestDatabase;
