//! An API of orders, protected by Tokenwright. `../README.md` says how to run it.

mod settings;

use std::net::SocketAddr;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokenwright_axum::{Caller, Refused, TokenwrightState};
use tokio::net::TcpListener;

async fn index() -> &'static str {
    "Everybody may read this.\n"
}

/// Needs a valid token, by its extractor.
async fn described(caller: Caller) -> Json<Value> {
    Json(json!({
        "userId": caller.user_id,
        "userName": caller.user_name,
        "tokenId": caller.token_id,
        "permissions": caller.permissions,
        "labels": caller.labels,
    }))
}

/// Asks for a permission inside the handler, where what is needed depends on the request.
async fn place(caller: Caller) -> Result<Response, Refused> {
    caller.require(["shop.orders.write"])?;
    Ok((StatusCode::CREATED, described(caller).await).into_response())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let tokenwright = TokenwrightState::new(settings::tokenwright()?.build()?)
        .trusted_proxies(settings::trusted_proxies()?);
    // The layer asks for permissions; the handler behind it asks for the caller, which it knows.
    let read = tokenwright.require(["shop.orders.read"]);
    let export = tokenwright.require(["shop.orders.read", "shop.orders.export"]);
    let app = Router::new()
        .route("/orders", get(described).layer(read))
        .route("/orders", post(place))
        .route("/orders/export", get(described).layer(export))
        .route("/caller", get(described))
        .route("/", get(index))
        .with_state(tokenwright);
    let listener = TcpListener::bind(settings::listen()).await?;
    settings::listening(listener.local_addr().ok())?;
    // With connect info: the address of the client comes from there.
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    Ok(axum::serve(listener, app).await?)
}
