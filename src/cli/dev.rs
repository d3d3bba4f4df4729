//! `tokenwright dev`: everything in one go.

use std::net::SocketAddr;

use chrono::TimeDelta;
use clap::Args;

use super::serve::announce;
use super::stop::signals;
use super::{CliError, service_config};
use crate::app::{App, StartError};
use crate::config::{DatabaseArgs, HttpArgs, TokenArgs};
use crate::db::migrate;
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
    migrate(&config.database).await?;
    let http = args.http.settings(Introspection::Public, true);
    let app = App::build(config, args.http.listen, http).await?;
    if app
        .service()
        .has_api_tokens()
        .await
        .map_err(StartError::from)?
    {
        hint();
    } else {
        welcome(&app).await?;
    }
    let stop = signals()?;
    announce(&app);
    Ok(app.run_until(stop).await?)
}

async fn welcome(app: &App) -> Result<(), CliError> {
    let service = app.service();
    let now = service.clock().now();
    let lifetime = ADMINISTRATOR_LIFETIME.min(service.max_lifetime());
    let wanted = CreateApiToken {
        name: "administrator".to_owned(),
        expiry: RequestedExpiry::at(now + lifetime),
        permissions: service
            .catalogue()
            .grantable()
            .iter()
            .map(ToString::to_string)
            .collect(),
        allowed_addresses: Vec::new(),
    };
    let created = service
        .create_api_token(&Principal::system(), &Origin::default(), wanted)
        .await?;
    let permission = service
        .catalogue()
        .entries()
        .first()
        .map(|entry| entry.enum_name.clone());
    let expiry = (now + lifetime / 3)
        .format("%Y-%m-%dT00:00:00Z")
        .to_string();
    let curl = curl(
        app.address(),
        created.secret.reveal(),
        &permission.unwrap_or_default(),
        &expiry,
    );
    print_welcome(created.secret.reveal(), &curl);
    Ok(())
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

#[expect(clippy::print_stdout, reason = "the one time that the secret is shown")]
fn print_welcome(secret: &str, curl: &str) {
    println!(
        "\nThe administrator's token, shown this once:\n\n  {secret}\n\nCreate a token with it:\n\n{curl}\n"
    );
}

#[expect(clippy::print_stderr, reason = "said to the person who started it")]
fn hint() {
    eprintln!(
        "tokenwright: the database has tokens already; for another administrator run \
         `tokenwright admin create-token --name NAME --expires-in 90d --all-permissions`"
    );
}
