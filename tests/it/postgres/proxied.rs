//! The application with a way to its database that can fail.

use serde_json::json;
use tokenwright::db::DatabaseUrl;

use super::lending::ask;
use super::proxy::Proxy;
use crate::TestDatabase;
use crate::support::{Answer, Options, TestApp};

/// The application, and its way to the database.
pub struct Proxied {
    pub app: TestApp,
    pub proxy: Proxy,
}

impl Proxied {
    /// The application over an open way.
    pub async fn start(options: Options) -> Self {
        let database = TestDatabase::new();
        let proxy = Proxy::before(database.server()).await;
        let way = DatabaseUrl::parse(&database.url_by_way_of(&[proxy.address])).unwrap();
        let options = Options { way: Some(way), ..options };
        Self { app: TestApp::over(database, options).await, proxy }
    }

    /// Asks who the administrator is.
    pub async fn own(&self) -> Answer {
        ask(&self.app.http, self.app.address, &self.app.admin).await
    }

    /// Makes a token of this name.
    pub async fn create(&self, name: &str) -> Answer {
        self.app.create(&self.app.admin, self.app.input(name, json!({}))).await
    }
}
