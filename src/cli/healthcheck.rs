//! `tokenwright healthcheck`: for containers that have no other HTTP client.

mod tls;

use std::io::{Error, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use super::CliError;
use crate::config::ListenAddress;

/// Longest wait for the answer.
const LIMIT: Duration = Duration::from_secs(5);

#[derive(Debug, Args)]
pub(super) struct HealthcheckArgs {
    /// Where the server listens.
    #[arg(
        long,
        env = "TOKENWRIGHT_LISTEN",
        value_name = "ADDRESS:PORT",
        default_value = "127.0.0.1:8080"
    )]
    listen: ListenAddress,

    /// The certificate of the server: set where it speaks TLS.
    #[arg(long, env = "TOKENWRIGHT_TLS_CERTIFICATE", value_name = "FILE")]
    tls_certificate: Option<PathBuf>,
}

pub(super) async fn run(args: HealthcheckArgs) -> Result<(), CliError> {
    let address = reachable(args.listen.0);
    let with_tls = args.tls_certificate.is_some();
    let asked = tokio::time::timeout(LIMIT, ask(address, with_tls)).await;
    let asked = asked.unwrap_or_else(|_| Err(Error::new(ErrorKind::TimedOut, "no answer in time")));
    Ok(asked.map_err(|error| Error::other(format!("{address} is not ready: {error}")))?)
}

async fn ask(address: SocketAddr, with_tls: bool) -> std::io::Result<()> {
    let stream = TcpStream::connect(address).await?;
    if !with_tls {
        return exchange(stream, address).await;
    }
    let connector = tls::connector().map_err(Error::other)?;
    exchange(connector.connect(address.ip().into(), stream).await?, address).await
}

async fn exchange(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    address: SocketAddr,
) -> std::io::Result<()> {
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut status = [0; "HTTP/1.1 200".len()];
    stream.read_exact(&mut status).await?;
    match &status {
        b"HTTP/1.1 200" => Ok(()),
        other => Err(Error::other(format!("it answered {}", String::from_utf8_lossy(other)))),
    }
}

/// A server that listens on all addresses answers on the loopback one.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}
