//! What is true over SQLite alone: it is a file.

mod backup;
mod database;
mod disk_reserve;
mod file;
mod log_growth;
mod migrations;
mod one_server;
mod searches;
mod served_file;

pub use database::TestDatabase;
