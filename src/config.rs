//! Settings, one file per concern. Each is a flag, an environment variable and a key of the settings
//! file, in this order of precedence; clap does the reading, and the file only moves its defaults.

mod database;
mod file;
mod http;
mod log;
mod origins;
mod permissions;
mod proxies;
mod tokens;
mod value;

pub use database::DatabaseArgs;
pub use file::{FileError, path_of_file, with_environment_checked, with_file};
pub use http::HttpArgs;
pub use log::{LogArgs, LogFormat};
pub use origins::OriginList;
pub use permissions::PermissionsError;
pub use proxies::ProxyList;
pub use tokens::TokenArgs;
pub use value::{DatabaseUrlText, duration};
