//! The yardstick: the least that an actix-web server does for a request.

use std::process::Command;

use actix_web::{App, HttpResponse, HttpServer, web};

use super::Server;

const ARGUMENT: &str = "hello";

/// A bare handler, in a process of its own. In that process, it never returns.
pub fn hello() -> Server {
    if std::env::args().any(|argument| argument == ARGUMENT) {
        serve();
        std::process::exit(0);
    }
    Server::start(Command::new(std::env::current_exe().unwrap()).arg(ARGUMENT))
}

#[expect(clippy::print_stderr, reason = "says where it listens, as the real server does")]
fn serve() {
    let answer = async || HttpResponse::Ok().content_type("text/plain").body("hello");
    let app = move || App::new().default_service(web::to(answer));
    actix_web::rt::System::new().block_on(async {
        let server = HttpServer::new(app).bind("127.0.0.1:0").unwrap();
        eprintln!("listening on http://{}", server.addrs().first().unwrap());
        server.run().await.unwrap();
    });
}
