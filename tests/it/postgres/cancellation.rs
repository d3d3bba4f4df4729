//! Clients that go away: what the server alone can tell of it.

use super::lending::assert_all_are_lent;
use crate::suite::cancellation::{assert_whole, served};

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_away_takes_no_connection_with_it() {
    let (database, server, admin, mut storm) = served(4).await;
    storm.rage(500, &database).await;
    assert!(database.sessions().len() <= 4, "{:?}", database.sessions());
    assert_all_are_lent(&database, server.address, &admin, 4).await;
    assert_whole(&database);
    let ended = server.stop();
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
}
