//! The application on a free port, over a database of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{SecondsFormat, TimeDelta};
use serde_json::{Value, json};
use tokenwright::app::{App, Listen, ServiceConfig};
use tokenwright::db::{DatabaseUrl, PoolSettings, migrate};
use tokenwright::domain::catalogue::Catalogue;
use tokenwright::domain::clock::{Clock, Instant};
use tokenwright::domain::principal::{Origin, Principal};
use tokenwright::domain::random::{RandomSource, SystemRandom};
use tokenwright::graphql::Introspection;
use tokenwright::http::{AllowedOrigins, HttpSettings, SocketLimits};
use tokenwright::service::{
    CreateApiToken, FailureLimits, Quotas, RequestedExpiry, Service, TokenRules,
};
use tokenwright::surface::ConnectionLimits;
use tokenwright::wire::forwarded::{ForwardedHeader, TrustedProxies};
use tokio::sync::oneshot;

use super::{Answer, ManualClock, TestDatabase, eventually};

/// What a test may want otherwise.
pub struct Options {
    pub catalogue: Catalogue,
    pub introspection: Introspection,
    /// Web origins.
    pub allowed_origins: Vec<&'static str>,
    pub authorize_needs_permission: bool,
    pub public_url: Option<&'static str>,
    pub playground: bool,
    /// CIDR networks.
    pub trusted_proxies: Vec<&'static str>,
    pub forwarded_header: ForwardedHeader,
    pub max_lifetime: TimeDelta,
    pub lifetime_within_maker: bool,
    pub bcrypt_cost: u32,
    pub last_use_interval: Duration,
    pub quotas: Quotas,
    pub failures: FailureLimits,
    pub request_timeout: Duration,
    pub connections: ConnectionLimits,
    pub subscriptions: Option<SocketLimits>,
    pub pool: PoolSettings,
    /// Another way to the database than its own URL.
    pub way: Option<DatabaseUrl>,
    /// Is there a listener for Prometheus, and are tokens counted for it?
    pub metrics: bool,
    pub clock: ManualClock,
    pub random: Arc<dyn RandomSource>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            catalogue: Catalogue::built_in().unwrap(),
            introspection: Introspection::Public,
            allowed_origins: Vec::new(),
            authorize_needs_permission: true,
            public_url: None,
            playground: true,
            trusted_proxies: Vec::new(),
            forwarded_header: ForwardedHeader::XForwardedFor,
            max_lifetime: TimeDelta::days(730),
            lifetime_within_maker: false,
            bcrypt_cost: 4,
            // Longer than any test, so that nothing is written that a test does not expect.
            last_use_interval: Duration::from_secs(3600),
            quotas: Quotas::NONE,
            failures: FailureLimits::NONE,
            request_timeout: Duration::from_secs(10),
            connections: ConnectionLimits { all: 8192, per_address: 8192 },
            subscriptions: None,
            pool: PoolSettings {
                connections: 4,
                wait: Duration::from_secs(5),
                statement_timeout: Duration::from_secs(5),
                idle_transaction_timeout: Duration::from_secs(5),
            },
            way: None,
            metrics: false,
            clock: ManualClock::default(),
            random: Arc::new(SystemRandom),
        }
    }
}

/// A running application.
pub struct TestApp {
    pub address: SocketAddr,
    /// Where Envoy asks over gRPC.
    pub ext_authz: SocketAddr,
    /// Where Prometheus asks, where there is such a listener.
    pub metrics: Option<SocketAddr>,
    pub database: TestDatabase,
    pub clock: Arc<ManualClock>,
    /// The use cases, past HTTP.
    pub service: Arc<Service>,
    pub http: reqwest::Client,
    /// A token with every permission, usable from anywhere.
    pub admin: String,
    stop: Option<oneshot::Sender<()>>,
}

impl TestApp {
    /// The application with the usual settings.
    pub async fn start() -> Self {
        Self::with(Options::default()).await
    }

    /// The application with other settings.
    pub async fn with(options: Options) -> Self {
        Self::over(TestDatabase::new(), options).await
    }

    /// The application over this database, which is migrated first.
    pub async fn over(database: TestDatabase, options: Options) -> Self {
        migrate(&database.url()).await.unwrap();
        let clock = Arc::new(options.clock);
        clock.lead(database.clock());
        let config = ServiceConfig {
            database: options.way.unwrap_or_else(|| database.url()),
            pool: options.pool,
            catalogue: Arc::new(options.catalogue),
            rules: TokenRules {
                max_lifetime: options.max_lifetime.into(),
                lifetime_within_maker: options.lifetime_within_maker,
                bcrypt_cost: options.bcrypt_cost,
                last_use_interval: options.last_use_interval,
                quotas: options.quotas,
                failures: options.failures,
            },
            clock: Arc::<ManualClock>::clone(&clock),
            random: options.random,
        };
        let proxies = options.trusted_proxies.iter().map(|text| text.parse().unwrap()).collect();
        let origins = options.allowed_origins.iter().map(|text| text.parse().unwrap()).collect();
        let settings = HttpSettings {
            trusted_proxies: TrustedProxies::new(proxies),
            forwarded_header: options.forwarded_header,
            introspection: options.introspection,
            allowed_origins: AllowedOrigins::new(origins),
            authorize_needs_permission: options.authorize_needs_permission,
            public_url: options.public_url.map(|text| text.parse().unwrap()),
            playground: options.playground,
            request_timeout: options.request_timeout,
            shutdown_timeout: Duration::from_secs(1),
            workers: 2,
            connections: options.connections,
            subscriptions: options.subscriptions,
        };
        let any = ([127, 0, 0, 1], 0).into();
        let listen = Listen {
            http: any,
            ext_authz: Some(any),
            metrics: options.metrics.then_some(any),
            tls: None,
        };
        let app = App::build(config, listen, settings).await.unwrap();
        let (address, service) = (app.address(), Arc::clone(app.service()));
        let ext_authz = app.ext_authz_address().unwrap();
        let metrics = app.metrics_address();
        let (stop, stopped) = oneshot::channel();
        tokio::spawn(app.run_until(async {
            let _sender_gone = stopped.await;
        }));
        let admin = administrator(&service, clock.now()).await;
        // The time that is read at the start must not come after that of a clock that is stopped.
        let marked = format!(
            "SELECT 'is' AS text FROM audit_tail WHERE clock > {}",
            TestDatabase::instant(0)
        );
        eventually("the time is kept", || !database.texts(&marked).is_empty()).await;
        // Tokens are counted once at the start: that must not come beside what a test does.
        let counted = || metrics.is_none() || service.metrics().census.get().is_some();
        eventually("the tokens are counted", counted).await;
        // The server closes what is idle for 5 s: a request that leaves at that moment is lost.
        let idle = Duration::from_secs(2);
        let http = reqwest::Client::builder().pool_idle_timeout(idle).build().unwrap();
        Self {
            address,
            ext_authz,
            metrics,
            database,
            clock,
            service,
            http,
            admin,
            stop: Some(stop),
        }
    }

    /// Where GraphQL is.
    pub fn url(&self) -> String {
        format!("http://{}/graphql", self.address)
    }

    /// A POST that the test finishes itself.
    pub fn post(&self) -> reqwest::RequestBuilder {
        self.http.post(self.url()).header("content-type", "application/json")
    }

    /// Sends a document with variables and a token.
    pub async fn graphql(&self, token: &str, query: &str, variables: Value) -> Answer {
        let body = json!({ "query": query, "variables": variables }).to_string();
        Answer::of(self.post().bearer_auth(token).body(body).send().await.unwrap()).await
    }

    /// Sends a document without variables.
    pub async fn query(&self, token: &str, query: &str) -> Answer {
        self.graphql(token, query, json!({})).await
    }

    /// Sends `createApiToken` with an input that may have faults.
    pub async fn create(&self, token: &str, input: Value) -> Answer {
        self.graphql(token, CREATE, json!({ "input": input })).await
    }

    /// Makes a token; returns its secret.
    pub async fn secret(&self, by: &str, input: Value) -> String {
        let answer = self.create(by, input).await;
        answer.data()["createApiToken"]["token"].as_str().unwrap().to_owned()
    }

    /// The input of a token without faults. `more` replaces what it names.
    pub fn input(&self, name: &str, more: Value) -> Value {
        let mut input = json!({
            "name": name,
            "expiry": self.in_time(TimeDelta::days(30)),
            "permissions": ["API_ORGANIZATIONS_READ"],
        });
        for (field, value) in more.as_object().unwrap() {
            input[field] = value.clone();
        }
        input
    }

    /// An instant from now, as a client writes it.
    pub fn in_time(&self, from_now: TimeDelta) -> String {
        (self.clock.now() + from_now).to_rfc3339_opts(SecondsFormat::AutoSi, true)
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _server_gone = stop.send(());
        }
    }
}

/// All that is known of a created token.
const CREATE: &str = "mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) {
    token
    apiToken {
        id version creationDate lastModifiedDate userId name partialToken expiry allowedAddresses
        permissions status description labels { key value }
        createdUserInfo { userId userName } lastModifiedUserInfo { userId userName }
    }
} }";

/// The first token, made as the command line makes it.
async fn administrator(service: &Service, now: Instant) -> String {
    let wanted = CreateApiToken {
        name: "administrator".to_owned(),
        description: String::new(),
        labels: Vec::new(),
        expiry: RequestedExpiry::at(now + TimeDelta::days(7)),
        permissions: service.catalogue().grantable(),
        allowed_addresses: Some(Vec::new()),
        idempotency_key: None,
    };
    let system = Principal::Operator;
    let created = service.create_api_token(&system, &Origin::default(), wanted).await.unwrap();
    created.secret.reveal().to_owned()
}
