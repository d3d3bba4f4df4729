//! A standby takes over from its primary: the instances follow by themselves.

use std::sync::Arc;

use super::cluster::Cluster;
use super::ledger::Ledger;
use super::load::Load;
use crate::support::{Binary, TestDatabase, administrator};

const FAILOVERS: usize = 3;
/// What every client has acknowledged before and after.
const WRITES: usize = 20;

#[tokio::test(flavor = "multi_thread")]
async fn two_instances_go_on_with_the_standby_by_themselves() {
    let (mut primary, mut standby) = (&Cluster::start(&[]), &Cluster::without_data());
    standby.follow(primary);
    let database = TestDatabase::on_server(primary.url_with(standby, "postgres"));
    let start = || Binary::on(&database, &["serve", "--migrate"]).serve();
    let (a, b) = (start(), start());
    let admin = administrator(&database, "administrator");
    let ledger = Arc::new(Ledger::default());
    let load = Load::start(&[&a, &b], &admin, &ledger);
    for failover in 0..FAILOVERS {
        if failover > 0 {
            (primary, standby) = (standby, primary);
            standby.follow(primary);
        }
        load.acknowledged(WRITES).await;
        primary.stop_immediately();
        standby.promote();
        load.acknowledged(1).await;
        load.acknowledged(WRITES).await;
    }
    load.stop().await;
    ledger.assert_kept(&[&a, &b], &database).await;
}
