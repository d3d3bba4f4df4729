//! Closing connections that send the head of a request too slowly.
//!
//! actix-http bounds the time for a head on the first request of a connection only. On every later one a
//! client could hold its connection forever by sending half a head, and a few hundred of such
//! clients would take every descriptor of the process.

use std::any::Any;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{Extensions, ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::rt::net::TcpStream;
use socket2::{SockRef, Socket};

/// All open connections.
#[derive(Clone, Default)]
pub(in crate::http) struct Connections(Arc<Mutex<Vec<Weak<Connection>>>>);

/// One connection: a second handle on its socket, and since when no request is being answered on it;
/// `None` while one is.
struct Connection {
    socket: Socket,
    idle_since: Mutex<Option<Instant>>,
}

impl Connections {
    /// Notes a new connection. To be called when it is accepted.
    pub(in crate::http) fn note(&self, stream: &dyn Any, connection_data: &mut Extensions) {
        let Some(stream) = stream.downcast_ref::<TcpStream>() else { return };
        let stream = SockRef::from(stream);
        let Ok(socket) = stream.try_clone() else {
            // Out of descriptors: a connection that cannot be watched is not let in.
            let _closed = stream.shutdown(std::net::Shutdown::Both);
            return;
        };
        let idle_since = Mutex::new(Some(Instant::now()));
        let connection = Arc::new(Connection { socket, idle_since });
        self.locked().push(Arc::downgrade(&connection));
        connection_data.insert(connection);
    }

    /// Closes, again and again, what has been without a request for longer than `limit`. A quiet
    /// connection is closed by actix-http long before, so what is left sends half a head, or does
    /// not take its answer.
    pub(in crate::http) async fn close_slow(self, limit: Duration) {
        loop {
            tokio::time::sleep(limit / 10).await;
            self.locked().retain(|connection| {
                let Some(connection) = connection.upgrade() else {
                    return false;
                };
                let idle_since = *connection.idle_since();
                if idle_since.is_some_and(|since| since.elapsed() > limit) {
                    // It may be closed already, which is what is wanted.
                    let _closed = connection.socket.shutdown(std::net::Shutdown::Both);
                }
                true
            });
        }
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Vec<Weak<Connection>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection {
    fn idle_since(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.idle_since.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Marks a connection as busy until it is dropped.
struct Busy(Arc<Connection>);

impl Drop for Busy {
    fn drop(&mut self) {
        *self.0.idle_since() = Some(Instant::now());
    }
}

/// Wraps every request: its head has arrived.
pub(in crate::http) async fn busy_connection(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let connection = request.request().conn_data::<Arc<Connection>>().cloned();
    let _busy = connection.map(|connection| {
        *connection.idle_since() = None;
        Busy(connection)
    });
    next.call(request).await
}
