//! Several instances write one audit log between them: each event once, unless one of them dies.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::support::{Binary, administrator, assert_ended, eventually, made_at, migrated};

#[tokio::test(flavor = "multi_thread")]
async fn two_instances_write_each_event_and_one_goes_on_when_the_other_dies() {
    let database = migrated();
    let admin = administrator(&database, "administrator");
    let files = ["a", "b"].map(|name| database.folder().join(name));
    let logged = || -> Vec<String> {
        let texts = files.iter().map(|file| std::fs::read_to_string(file).unwrap_or_default());
        let target = |line: &str| {
            let event: Value = serde_json::from_str(line).unwrap();
            event["targetId"].as_str().unwrap().to_owned()
        };
        // The last line may still be being written.
        let whole = |text: &str| text.rsplit_once('\n').map_or(0, |(whole, _)| whole.len() + 1);
        texts
            .flat_map(|text| text[..whole(&text)].lines().map(target).collect::<Vec<_>>())
            .collect()
    };
    let serve =
        |to: &Path| Binary::on(&database, &["serve", "--audit-log", to.to_str().unwrap()]).serve();
    let holder = || database.texts("SELECT holder::text FROM audit_log");
    let first = serve(&files[0]);
    let held = holder();
    let second = serve(&files[1]);
    let mut made = BTreeSet::new();
    for number in 0..10 {
        made.insert(made_at(&first, &admin, &format!("first {number}")).await.id);
        made.insert(made_at(&second, &admin, &format!("second {number}")).await.id);
    }
    eventually("all are written", || logged().len() >= made.len()).await;
    assert_eq!(logged().len(), made.len(), "each once");
    assert_eq!(logged().into_iter().collect::<BTreeSet<_>>(), made);
    // The first one to start holds the log; the other one may not have had its turn to write yet.
    assert_eq!(holder(), held);
    assert_eq!(std::fs::read_to_string(&files[1]).unwrap(), "");
    first.running.signal("KILL");
    first.running.wait();
    made.insert(made_at(&second, &admin, "after the death").await.id);
    let all = || logged().into_iter().collect::<BTreeSet<_>>();
    eventually("the other one has seen it", || {
        // As if time passed.
        database.execute("UPDATE audit_log SET held_until = '1970-01-01T00:00:00Z'");
        all() == made
    })
    .await;
    // In order, it is handed over at once.
    let third = Binary::on(&database, &["serve", "--audit-log", files[0].to_str().unwrap()]);
    let third = third.serve();
    assert_ended(&second.stop(), 0, "");
    made.insert(made_at(&third, &admin, "after the end").await.id);
    eventually("the third one goes on", || all() == made).await;
    assert_ended(&third.stop(), 0, "");
}
