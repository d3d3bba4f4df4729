//! Connections that fall silent while the server goes on: nobody closes them, and nothing comes
//! back.

use std::process::Command;
use std::time::{Duration, Instant};

use futures_util::future::{join, join_all};

use super::cluster::Cluster;
use super::finally::Finally;
use super::writer::{Outcome, Writer};
use crate::support::{Binary, TestDatabase, administrator};

/// Longest wait for other connections to take their place.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_writes_on_when_all_connections_that_write_fall_silent() {
    let cluster = Cluster::start(&[]);
    writes_on(&cluster, 8, 4).await;
    writes_on(&cluster, 1, 1).await;
}

/// With so many connections, of which so many may write.
async fn writes_on(cluster: &Cluster, connections: usize, writing: usize) {
    let database = TestDatabase::on(cluster);
    let arguments = ["serve", "--migrate", "--database-connections", &connections.to_string()];
    let limits = ["--database-statement-timeout", "2s", "--database-wait", "1s"];
    let server = Binary::on(&database, &arguments).args(&limits).serve();
    let admin = administrator(&database, "administrator");
    let writer = Writer::new(server.address, &admin);

    let lock = database.write_lock();
    let silence = async {
        let waiting = "SELECT pid FROM pg_stat_activity \
                       WHERE wait_event_type = 'Lock' AND datname = current_database()";
        let asked = Instant::now();
        let mut pids = database.texts(waiting);
        while pids.len() < writing {
            assert!(asked.elapsed() < PATIENCE, "{pids:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
            pids = database.texts(waiting);
        }
        signal("STOP", &pids);
        drop(lock);
        Finally(move || signal("CONT", &pids))
    };
    let names = (0..writing).map(|number| format!("meanwhile {number}"));
    let writes = join_all(names.map(async |name| writer.create(&name).await));
    let (outcomes, _silence) = join(writes, silence).await;
    assert!(outcomes.iter().all(Outcome::is_unknown), "{outcomes:?}");

    let asked = Instant::now();
    while !writer.create("after").await.is_done() {
        assert!(asked.elapsed() < PATIENCE, "nothing can be written");
    }
}

/// Sends a signal to processes of the server.
fn signal(name: &str, pids: &[String]) {
    let kill = format!("kill -s {name} {}", pids.join(" "));
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
}
