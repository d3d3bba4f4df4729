//! An API of orders, protected by Tokenwright. `../README.md` says how to run it.

mod settings;

use actix_web::middleware::from_fn;
use actix_web::{App, HttpResponse, HttpServer, Responder, get, post, web};
use serde_json::{Value, json};
use tokenwright_actix::{Caller, TokenwrightConfig, require};

#[get("/")]
async fn index() -> impl Responder {
    "Everybody may read this.\n"
}

/// Any valid token: the extractor alone.
#[get("/caller")]
async fn whoami(caller: Caller) -> impl Responder {
    web::Json(described(&caller))
}

/// A token with a permission: the middleware function.
#[get("/orders", wrap = "from_fn(require([\"shop.orders.read\"]))")]
async fn orders(caller: Caller) -> impl Responder {
    web::Json(described(&caller))
}

/// The same inside the handler, where what is needed depends on the request.
#[post("/orders")]
async fn place(caller: Caller) -> Result<HttpResponse, actix_web::Error> {
    caller.require(["shop.orders.write"])?;
    Ok(HttpResponse::Created().json(described(&caller)))
}

/// A token with several permissions.
#[get("/orders/export", wrap = "from_fn(require([\"shop.orders.read\", \"shop.orders.export\"]))")]
async fn export(caller: Caller) -> impl Responder {
    web::Json(described(&caller))
}

fn described(caller: &Caller) -> Value {
    json!({
        "userId": caller.user_id,
        "userName": caller.user_name,
        "tokenId": caller.token_id,
        "permissions": caller.permissions,
        "labels": caller.labels,
    })
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let config = TokenwrightConfig::new(settings::tokenwright()?.build()?)
        .trusted_proxies(settings::trusted_proxies()?);
    let config = web::Data::new(config);
    let app = move || {
        App::new()
            .app_data(config.clone())
            .service(index)
            .service(whoami)
            .service(orders)
            .service(place)
            .service(export)
    };
    let server = HttpServer::new(app).workers(2).bind(settings::listen())?;
    settings::listening(server.addrs().first().copied())?;
    Ok(server.run().await?)
}
