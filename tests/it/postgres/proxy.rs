//! A way to the server that can fail as a network can.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::sleep;
use tokio::{select, try_join};

use super::cluster::free_port;

/// What becomes of bytes and connections on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Everything passes.
    Open,
    /// Everything passes, a few bytes after each pause.
    Slow(Duration),
    /// Nobody listens, and what was open is reset: the server's process is gone.
    Refused,
    /// What was open is reset, and so is what is opened: something on the way does not like it.
    Cut,
    /// Connections are taken, and nothing passes. It is not lost: it arrives once the way is open.
    Stalled,
    /// Questions pass, and answers wait until the way is open.
    Unheard,
    /// Connections are taken, and none of them, nor any that was open, is ever heard of again: the
    /// server's machine is gone.
    Lost,
}

/// A proxy before one server; it ends with the runtime.
pub struct Proxy {
    pub address: SocketAddr,
    way: watch::Sender<Way>,
}

type Watched = watch::Receiver<Way>;

impl Proxy {
    /// An open way to this server, a host and a port.
    pub async fn before(server: String) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let (way, watched) = watch::channel(Way::Open);
        let listener = TcpListener::bind(address).await.unwrap();
        tokio::spawn(take_all(listener, server, watched));
        Self { address, way }
    }

    /// From now on it is like this. What was sent after this call meets the new way.
    pub fn is(&self, way: Way) {
        self.way.send_replace(way);
    }
}

/// Waits until the way is like this. `None`: it is no more.
async fn until(way: &mut Watched, is_so: impl FnMut(&Way) -> bool) -> Option<Way> {
    way.wait_for(is_so).await.ok().map(|way| *way)
}

/// Takes connections for as long as anybody listens.
async fn take_all(mut listener: TcpListener, server: String, mut way: Watched) {
    let address = listener.local_addr().unwrap();
    loop {
        let taken = select! {
            biased;
            _refused = until(&mut way, |way| *way == Way::Refused) => None,
            taken = listener.accept() => Some(taken.unwrap()),
        };
        if let Some((client, _)) = taken {
            tokio::spawn(carry(client, server.clone(), way.clone()));
            continue;
        }
        drop(listener);
        if until(&mut way, |way| *way != Way::Refused).await.is_none() {
            return;
        }
        listener = TcpListener::bind(address).await.unwrap();
    }
}

/// How a connection ends before both sides have ended it.
enum Fate {
    Reset,
    Forgotten,
}

/// Carries one connection to its end.
async fn carry(mut client: TcpStream, server: String, mut way: Watched) {
    client.set_nodelay(true).unwrap();
    // Reached only over an open way: a stalled one does not tell the client that there is a server.
    let fate = select! {
        biased;
        fate = fate(way.clone()) => fate,
        server = reached(&server, &mut way) => match server {
            Ok(server) => match connected(&mut client, server, way).await {
                Some(fate) => fate,
                None => return,
            },
            Err(_) => Fate::Reset,
        },
    };
    match fate {
        Fate::Reset => client.set_zero_linger().unwrap(),
        Fate::Forgotten => {
            // Until the client gives up.
            let _ended = tokio::io::copy(&mut client, &mut tokio::io::sink()).await;
        }
    }
}

async fn reached(server: &str, way: &mut Watched) -> io::Result<TcpStream> {
    until(way, |way| *way != Way::Stalled).await;
    TcpStream::connect(server).await
}

/// Carries bytes both ways until both sides have ended, or one of them is gone: `None`.
async fn connected(client: &mut TcpStream, mut server: TcpStream, way: Watched) -> Option<Fate> {
    server.set_nodelay(true).unwrap();
    let decided = {
        let (mut from_client, mut to_client) = client.split();
        let (mut from_server, mut to_server) = server.split();
        let questions = pass(&mut from_client, &mut to_server, way.clone(), &[Way::Stalled]);
        let waiting = [Way::Stalled, Way::Unheard];
        let answers = pass(&mut from_server, &mut to_client, way.clone(), &waiting);
        select! {
            biased;
            fate = fate(way) => Some(fate),
            _ended = async { try_join!(questions, answers) } => None,
        }
    };
    if matches!(decided, Some(Fate::Reset)) {
        server.set_zero_linger().unwrap();
    }
    decided
}

/// Waits until the way takes an end with its connections.
async fn fate(mut way: Watched) -> Fate {
    let fateful = |way: &Way| matches!(way, Way::Refused | Way::Cut | Way::Lost);
    match until(&mut way, fateful).await {
        Some(Way::Lost) => Fate::Forgotten,
        _ => Fate::Reset,
    }
}

/// Passes bytes in one direction, up to the end of them.
async fn pass(
    from: &mut ReadHalf<'_>,
    to: &mut WriteHalf<'_>,
    mut way: Watched,
    waiting: &[Way],
) -> io::Result<()> {
    let mut bytes = [0; 256];
    loop {
        let read = from.read(&mut bytes).await?;
        let now = until(&mut way, |way| !waiting.contains(way)).await;
        if let Some(Way::Slow(pause)) = now {
            sleep(pause).await;
        }
        if read == 0 {
            return to.shutdown().await;
        }
        match now {
            // Another branch is about to end the connection.
            None | Some(Way::Refused | Way::Cut | Way::Lost) => std::future::pending().await,
            _ => to.write_all(&bytes[..read]).await?,
        }
    }
}
