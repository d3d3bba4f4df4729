//! One request and its answer, on a connection that stays open.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// An answer.
pub struct Answer {
    pub status: u16,
    pub body: String,
}

/// A connection on which nothing waits for more to send.
pub async fn connect(address: &str) -> Option<TcpStream> {
    let stream = TcpStream::connect(address).await.ok()?;
    stream.set_nodelay(true).ok()?;
    Some(stream)
}

/// The bytes of a request with this token and this body.
pub fn post(token: &str, body: &str) -> Vec<u8> {
    format!(
        "POST /graphql HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// The bytes of a request for this path with this token.
pub fn get(token: &str, path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n")
        .into_bytes()
}

/// Sends a request and reads the whole answer; `None` if the connection ended.
pub async fn exchange(stream: &mut TcpStream, request: &[u8]) -> Option<Answer> {
    stream.write_all(request).await.ok()?;
    let mut answer = Vec::with_capacity(4096);
    loop {
        if stream.read_buf(&mut answer).await.ok()? == 0 {
            return None;
        }
        if let Some((status, length, body)) = head(&answer)
            && body.len() >= length
        {
            let body = String::from_utf8_lossy(body).into_owned();
            return Some(Answer { status, body });
        }
    }
}

/// Status, length of the body, and what has come of the body, once the whole head has come. Does no
/// more than it must: a generator of load shares the machine with the server.
fn head(answer: &[u8]) -> Option<(u16, usize, &[u8])> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let (head, body) = (std::str::from_utf8(answer.get(..end)?).ok()?, answer.get(end + 4..)?);
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?;
    Some((head.get(9..12)?.parse().ok()?, length.parse().ok()?, body))
}
