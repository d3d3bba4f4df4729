//! `tokenwright dev`: everything in one go.

use std::net::SocketAddr;

use chrono::{SecondsFormat, TimeDelta};
use clap::Args;

use super::output::{print, tell};
use super::serve::announce;
use super::stop::signals;
use super::{CliError, service_config};
use crate::app::{App, StartError};
use crate::config::{DatabaseArgs, HttpArgs, TokenArgs};
use crate::domain::principal::{Origin, Principal};
use crate::graphql::Introspection;
use crate::service::{CreateApiToken, RequestedExpiry};

/// Life of the administrator's token: long enough to try things, short enough to be forgotten.
const ADMINISTRATOR_LIFETIME: TimeDelta = TimeDelta::days(90);

#[derive(Debug, Args)]
pub(super) struct DevArgs {
    #[command(flatten)]
    database: DatabaseArgs,

    #[command(flatten)]
    http: HttpArgs,

    #[command(flatten)]
    tokens: TokenArgs,
}

pub(super) async fn run(args: DevArgs) -> Result<(), CliError> {
    let config = service_config(&args.database, &args.tokens)?;
    let http = args.http.settings(Introspection::Public, true);
    let with_playground = http.playground;
    let app = App::migrate_and_build(config, args.http.listen, http).await?;
    if app.service().has_api_tokens().await.map_err(StartError::from)? {
        hint();
    } else {
        welcome(&app, with_playground).await?;
    }
    let stop = signals()?;
    announce(&app);
    Ok(app.run_until(stop).await?)
}

async fn welcome(app: &App, with_playground: bool) -> Result<(), CliError> {
    let service = app.service();
    let now = service.clock().now();
    let lifetime = ADMINISTRATOR_LIFETIME.min(service.max_lifetime());
    let wanted = CreateApiToken {
        name: "administrator".to_owned(),
        expiry: RequestedExpiry::at(now + lifetime),
        permissions: service.catalogue().grantable(),
        allowed_addresses: Vec::new(),
    };
    let created =
        service.create_api_token(&Principal::Operator, &Origin::default(), wanted).await?;
    let permission = service.catalogue().first_grantable();
    let secret = created.secret.reveal();
    // The administrator's own: it is allowed whenever the line is pasted while that token works.
    let expiry = created.token.expiry;
    let curl = curl(
        app.address(),
        secret,
        permission.map_or("", |entry| &entry.enum_name),
        &expiry.to_rfc3339_opts(SecondsFormat::Secs, true),
    );
    let playground = if with_playground {
        format!("Or in the playground: http://{}/\n\n", app.address())
    } else {
        String::new()
    };
    print(&format!(
        "\nThe administrator's token, shown this once:\n\n  {secret}\n\n\
         Create a token with it:\n\n{curl}\n\n{playground}"
    ))
    .map_err(|error| CliError::SecretLost(created.token.id, error))
}

/// A line to paste, in single quotes for the shell; nothing in it has one.
fn curl(address: SocketAddr, secret: &str, permission: &str, expiry: &str) -> String {
    let mutation = format!(
        "mutation {{ createApiToken(input: {{ name: \\\"my first token\\\", expiry: \\\"{expiry}\\\", \
         permissions: [{permission}] }}) {{ token apiToken {{ id name expiry permissions }} }} }}"
    );
    format!(
        "curl -s http://{address}/graphql -H 'Authorization: Bearer {secret}' \
         -H 'Content-Type: application/json' -d '{{\"query\":\"{mutation}\"}}'"
    )
}

fn hint() {
    tell(
        "the database has tokens already; for another administrator run \
         `tokenwright admin create-token --name NAME --expires-in 90d --all-permissions`",
    );
}
