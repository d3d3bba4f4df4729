//! What the application writes to its log.

use std::io::{self, Write};
use std::sync::{Mutex, OnceLock};

use tokenwright::config::{LogArgs, LogFormat};
use tokenwright::telemetry;
use tracing_subscriber::layer::SubscriberExt;

/// The log of this whole process. Other tests write to it, too.
#[derive(Debug, Default)]
pub struct Log(Mutex<Vec<u8>>);

static LOG: OnceLock<Log> = OnceLock::new();

impl Log {
    /// Starts the log, once for all tests.
    pub fn start() -> &'static Self {
        LOG.get_or_init(|| {
            let settings = LogArgs { log: "trace".to_owned(), log_format: LogFormat::Text };
            let layer = telemetry::layer(&settings, false, || Writer).unwrap();
            let subscriber = tracing_subscriber::registry().with(layer);
            tracing::subscriber::set_global_default(subscriber).unwrap();
            Self::default()
        })
    }

    /// What it says of a request, where a test has started it.
    pub fn of_request(id: &str) -> String {
        LOG.get().map(|log| log.lines_with(&[id]).join("\n")).unwrap_or_default()
    }

    /// The lines so far that have all these texts.
    pub fn lines_with(&self, texts: &[&str]) -> Vec<String> {
        let bytes = self.0.lock().unwrap();
        let log = String::from_utf8_lossy(&bytes);
        log.lines()
            .filter(|line| texts.iter().all(|text| line.contains(text)))
            .map(ToOwned::to_owned)
            .collect()
    }
}

struct Writer;

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(Log(log)) = LOG.get() {
            log.lock().unwrap().extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
