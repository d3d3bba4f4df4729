//! SQL past the application, over a connection of the test's own.

use std::thread;

use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

/// Runs statements; the first column of all rows that they give. A test may wait inside a runtime,
/// where no other one can wait: hence the thread.
pub fn run(url: &str, sql: &str) -> Result<Vec<String>, String> {
    thread::scope(|scope| {
        let running = scope.spawn(|| {
            runtime().block_on(async {
                let client = connected(url).await?;
                let answers = client.simple_query(sql).await.map_err(|error| told(&error))?;
                Ok(answers.iter().filter_map(first_column).collect())
            })
        });
        running.join().unwrap()
    })
}

/// Runs statements on a connection that stays open until the answer is dropped.
pub fn hold(url: &str, sql: &str) -> impl Send + use<> {
    let (url, sql) = (url.to_owned(), sql.to_owned());
    let (ready, is_ready) = std::sync::mpsc::channel();
    let (drop_it, dropped) = tokio::sync::oneshot::channel::<()>();
    thread::spawn(move || {
        runtime().block_on(async {
            let client = connected(&url).await.unwrap();
            client.batch_execute(&sql).await.unwrap();
            ready.send(()).unwrap();
            let _dropped = dropped.await;
        });
    });
    is_ready.recv().unwrap();
    drop_it
}

/// Runs statements, and others on the same connection once the answer is dropped, which waits for
/// their end.
pub fn hold_then(url: &str, sql: &str, then: &str) -> HeldThen {
    let (url, sql, then) = (url.to_owned(), sql.to_owned(), then.to_owned());
    let (ready, is_ready) = std::sync::mpsc::channel();
    let (drop_it, dropped) = tokio::sync::oneshot::channel::<()>();
    let thread = thread::spawn(move || {
        runtime().block_on(async {
            let client = connected(&url).await.unwrap();
            client.batch_execute(&sql).await.unwrap();
            ready.send(()).unwrap();
            let _dropped = dropped.await;
            client.batch_execute(&then).await.unwrap();
        });
    });
    is_ready.recv().unwrap();
    HeldThen { drop_it: Some(drop_it), thread: Some(thread) }
}

/// Statements that run when this is dropped.
pub struct HeldThen {
    drop_it: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Drop for HeldThen {
    fn drop(&mut self) {
        drop(self.drop_it.take());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

async fn connected(url: &str) -> Result<Client, String> {
    let (client, connection) =
        tokio_postgres::connect(url, NoTls).await.map_err(|error| told(&error))?;
    tokio::spawn(connection);
    Ok(client)
}

fn first_column(message: &SimpleQueryMessage) -> Option<String> {
    match message {
        SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or_default().to_owned()),
        _ => None,
    }
}

fn told(error: &tokio_postgres::Error) -> String {
    error.as_db_error().map_or_else(|| format!("{error:?}"), ToString::to_string)
}
