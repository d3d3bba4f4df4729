//! What is true over SQLite alone: it is a file.

mod audit_export;
mod backup;
mod damage;
mod database;
mod disk_reserve;
mod file;
mod io_errors;
mod log_growth;
mod migrations;
mod one_server;
mod searches;
mod served_file;

pub use database::TestDatabase;
