//! A collector of traces: OTLP over HTTP, as far as it takes spans.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A span as it came.
#[derive(Debug, Clone)]
pub struct Sent {
    pub trace: String,
    pub id: String,
    /// Empty: it has none.
    pub parent: String,
    pub name: String,
    pub attributes: BTreeMap<String, String>,
}

/// A collector that listens until it is dropped.
pub struct Collector {
    pub url: String,
    bodies: Arc<Mutex<Vec<Vec<u8>>>>,
    listening: tokio::task::JoinHandle<()>,
}

impl Collector {
    pub async fn start() -> Self {
        Self::answering("200 OK").await
    }

    pub async fn refusing() -> Self {
        Self::answering("503 Service Unavailable").await
    }

    async fn answering(status: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let bodies = Arc::<Mutex<Vec<Vec<u8>>>>::default();
        let kept = Arc::clone(&bodies);
        let listening = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(answer(connection, status, Arc::clone(&kept)));
            }
        });
        Self { url, bodies, listening }
    }

    /// All spans so far.
    pub fn sent(&self) -> Vec<Sent> {
        let bodies = self.bodies.lock().unwrap();
        let requests =
            bodies.iter().map(|body| ExportTraceServiceRequest::decode(body.as_slice()).unwrap());
        let scopes =
            requests.flat_map(|request| request.resource_spans).flat_map(|sent| sent.scope_spans);
        scopes
            .flat_map(|scope| scope.spans)
            .map(|span| Sent {
                trace: hex(&span.trace_id),
                id: hex(&span.span_id),
                parent: hex(&span.parent_span_id),
                name: span.name,
                attributes: span
                    .attributes
                    .into_iter()
                    .map(|pair| (pair.key, text(pair.value.and_then(|value| value.value))))
                    .collect(),
            })
            .collect()
    }

    /// None of these texts came, in whatever field.
    #[track_caller]
    pub fn has_none_of(&self, texts: &[&str]) {
        for body in self.bodies.lock().unwrap().iter() {
            let body = String::from_utf8_lossy(body);
            for text in texts {
                assert!(!body.contains(text), "{text}: {body}");
            }
        }
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn text(value: Option<Value>) -> String {
    match value {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        other => panic!("{other:?}"),
    }
}

/// Answers the requests of a connection, until there is no more.
async fn answer(
    mut connection: TcpStream,
    status: &'static str,
    kept: Arc<Mutex<Vec<Vec<u8>>>>,
) -> Option<()> {
    let mut bytes = Vec::new();
    loop {
        let head = loop {
            if let Some(end) = bytes.windows(4).position(|end| end == b"\r\n\r\n") {
                break end + 4;
            }
            more(&mut connection, &mut bytes).await?;
        };
        let text = String::from_utf8(bytes[..head].to_vec()).unwrap().to_lowercase();
        assert!(text.starts_with("post /v1/traces http/1.1"), "{text}");
        assert!(text.contains("content-type: application/x-protobuf"), "{text}");
        let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
        let end = head + length.unwrap().parse::<usize>().unwrap();
        while bytes.len() < end {
            more(&mut connection, &mut bytes).await?;
        }
        kept.lock().unwrap().push(bytes[head..end].to_vec());
        bytes.drain(..end);
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
        connection.write_all(answer.as_bytes()).await.ok()?;
    }
}

async fn more(connection: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<()> {
    let read = connection.read_buf(bytes).await.ok()?;
    (read > 0).then_some(())
}
