//! `tokenwright dev`: everything at once, to try it out.

use chrono::{SecondsFormat, TimeDelta};

use super::CliError;
use super::end_signals::EndSignals;
use super::new_token::make_and_print;
use super::output::report;
use super::process::raise_descriptors;
use super::server::{self, ServerArgs};
use crate::app::StartError;
use crate::graphql::Introspection;
use crate::service::{CreateApiToken, RequestedExpiry, Service};

/// Life of the administrator's token: long enough to try things, short enough to forget about.
const ADMINISTRATOR_LIFETIME: TimeDelta = TimeDelta::days(90);

pub(super) async fn run(args: ServerArgs) -> Result<(), CliError> {
    let http = args.http_settings(Introspection::Public, true, raise_descriptors());
    let (with_playground, delay) = (http.playground, args.http.shutdown_delay);
    let mut end = EndSignals::handle()?;
    let building = async move {
        let app = args.build(http, true).await?;
        if app.service().has_api_tokens().await.map_err(StartError::from)? {
            hint();
        } else {
            welcome(app.service(), &app.url(), with_playground).await?;
        }
        Ok(app)
    };
    let Some(app) = server::started(&mut end, building).await? else { return Ok(()) };
    server::run(app, end, delay).await
}

async fn welcome(service: &Service, url: &str, with_playground: bool) -> Result<(), CliError> {
    let now = service.now();
    let wanted = CreateApiToken {
        name: "administrator".to_owned(),
        description: String::new(),
        labels: Vec::new(),
        expiry: RequestedExpiry::at((now + ADMINISTRATOR_LIFETIME).min(service.latest_expiry(now))),
        permissions: service.catalogue().grantable(),
        allowed_addresses: Some(Vec::new()),
        idempotency_key: None,
    };
    let permission = service.catalogue().first_grantable();
    let permission = permission.map_or("", |entry| &entry.enum_name);
    let playground =
        if with_playground { format!("Or in the playground: {url}/\n\n") } else { String::new() };
    make_and_print(service, wanted, |created| {
        let secret = created.secret.reveal();
        // The administrator's own expiry: it is valid for as long as the administrator's token is.
        let expiry = created.token.expiry.to_rfc3339_opts(SecondsFormat::Secs, true);
        let curl = curl(url, secret, permission, &expiry);
        format!(
            "\nThe administrator's token, shown only once:\n\n  {secret}\n\n\
             Create a token with it:\n\n{curl}\n\n{playground}"
        )
    })
    .await
    .map(drop)
}

/// A line to paste, in single quotes for the shell; nothing in it has one.
fn curl(url: &str, secret: &str, permission: &str, expiry: &str) -> String {
    let mutation = format!(
        "mutation {{ createApiToken(input: {{ name: \\\"my first token\\\", \
         expiry: \\\"{expiry}\\\", permissions: [{permission}] }}) \
         {{ token apiToken {{ id name expiry permissions }} }} }}"
    );
    format!(
        "curl -s {url}/graphql -H 'Authorization: Bearer {secret}' \
         -H 'Content-Type: application/json' -d '{{\"query\":\"{mutation}\"}}'"
    )
}

fn hint() {
    report(
        "the database has tokens already; for another administrator run \
         `tokenwright admin create-token --name NAME --expires-in 90d --all-permissions`",
    );
}
