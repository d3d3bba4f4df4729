//! Settings, one file per concern. Each is a flag, an environment variable and a key of the
//! settings file, in this order of precedence; [`read_settings`] brings them into one form, which
//! clap reads.

mod audit;
mod database;
mod environment;
mod file;
mod file_mode;
mod grpc;
mod http;
mod inspection;
mod listen;
mod log;
mod metrics;
mod origins;
mod permissions;
mod proxies;
mod quotas;
mod settings;
mod subscriptions;
mod suggestion;
mod tls;
mod tokens;
mod traces;
mod value;

pub use audit::AuditArgs;
pub use database::DatabaseArgs;
pub use file::FileError;
pub use grpc::GrpcArgs;
pub use http::HttpArgs;
pub use inspection::{Inspected, Inspection};
pub use listen::ListenAddress;
pub use log::{LogArgs, LogFormat};
pub use metrics::MetricsArgs;
pub use origins::OriginList;
pub use permissions::PermissionsError;
pub use proxies::ProxyList;
pub use quotas::QuotaArgs;
pub use settings::{Settings, SettingsError, Source, read as read_settings, settings_of};
pub use subscriptions::SubscriptionArgs;
pub use tls::TlsArgs;
pub use tokens::{CatalogueArgs, TokenArgs};
pub use traces::{CollectorUrl, SampleRatio, TracesArgs};
pub use value::{DatabaseUrlText, boolean};
