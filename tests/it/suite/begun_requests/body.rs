//! A body that comes later than its head, and a proof that is waited for.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Operation, Revocation, assert_refused, caller};
use crate::support::{Log, Options, TestApp, eventually, made, stored, works};

/// A request whose body is still to come.
struct Begun(TcpStream);

impl Begun {
    /// Sends the head, and waits until the token was looked at: it was never used before, so its
    /// secret is proven.
    async fn with_head(app: &TestApp, secret: &str, length: usize) -> Self {
        let proofs = app.service.bcrypt_runs();
        let mut stream = TcpStream::connect(app.address).await.unwrap();
        let head = format!(
            "POST /graphql HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {secret}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\
             Connection: close\r\n\r\n",
            app.address
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        eventually("the head is read", || app.service.bcrypt_runs() > proofs).await;
        assert!(works(app, secret).await);
        Self(stream)
    }

    /// Sends the body: the status and the body of the answer.
    async fn send(mut self, body: &str) -> (u16, String) {
        // Whoever was refused already is cut off.
        let _cut = self.0.write_all(body.as_bytes()).await;
        let mut answer = String::new();
        self.0.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_comes_after_a_revocation_does_nothing() {
    let app = TestApp::start().await;
    for revocation in Revocation::ALL {
        for operation in Operation::ALL {
            let what = format!("{operation:?} after {revocation:?}");
            let target = made(&app, &format!("target of {what}"), json!({})).await;
            let own = caller(&app, &what, revocation).await;
            let body = operation.body(&app, &target.id, &format!("by {what}")).to_string();
            let begun = Begun::with_head(&app, &own.secret, body.len()).await;
            revocation.acknowledged(&app, &own).await;
            let before = stored(&app);
            let (status, answer) = begun.send(&body).await;
            assert_refused(status, &answer, &what);
            assert_eq!(stored(&app), before, "{what}");
        }
    }
}

/// Also where nothing would be read for it.
#[tokio::test(flavor = "multi_thread")]
async fn the_faults_of_a_body_that_comes_after_a_revocation_are_not_told() {
    let app = TestApp::start().await;
    let body = json!({ "query": "{ nonsense }" }).to_string();
    for revocation in Revocation::ALL {
        // This takes a permission to read anything, but none to ask.
        if revocation == Revocation::FewerPermissions {
            continue;
        }
        let what = format!("{revocation:?}");
        let own = caller(&app, &what, revocation).await;
        let begun = Begun::with_head(&app, &own.secret, body.len()).await;
        revocation.acknowledged(&app, &own).await;
        let (status, answer) = begun.send(&body).await;
        assert_refused(status, &answer, &what);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_comes_later_is_answered_as_one_that_comes_at_once() {
    let app = TestApp::start().await;
    for operation in Operation::ALL {
        let what = format!("{operation:?}");
        let target = made(&app, &format!("target of {what}"), json!({})).await;
        let own = caller(&app, &what, Revocation::Deletion).await;
        let body = operation.body(&app, &target.id, &format!("by {what}")).to_string();
        let begun = Begun::with_head(&app, &own.secret, body.len()).await;
        let renamed = "mutation ($id: ID!) { updateApiToken(input: { id: $id, version: 1, \
            name: \"renamed\" }) { apiToken { id } } }";
        // What takes no power away does not matter.
        app.graphql(&app.admin, renamed, json!({ "id": own.id })).await.data();
        let (status, answer) = begun.send(&body).await;
        assert!(status == 200 && !answer.contains("errors"), "{what}: {status} {answer}");
        let gone = "mutation ($id: ID!) { deleteApiToken(input: { id: $id }) { user { id } } }";
        app.graphql(&app.admin, gone, json!({ "id": own.id })).await.data();
    }
}

/// Sends the head and the body of a query in these pieces: the answer.
async fn sent(app: &TestApp, id: &str, apart: bool) -> String {
    let body = json!({ "query": "{ currentApiToken { id } }" }).to_string();
    let head = format!(
        "POST /graphql HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\
         X-Request-Id: {id}\r\nConnection: close\r\n\r\n",
        app.address,
        app.admin,
        body.len()
    );
    let mut stream = TcpStream::connect(app.address).await.unwrap();
    if apart {
        stream.write_all(head.as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
        stream.write_all(body.as_bytes()).await.unwrap();
    } else {
        stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn the_row_is_read_again_only_for_a_body_that_came_later() {
    let log = Log::start();
    let trusted_proxies = vec!["127.0.0.1/32"];
    let app = TestApp::with(Options { trusted_proxies, ..Options::default() }).await;
    // The first use makes a proof, and the row is read again after it.
    assert!(works(&app, &app.admin).await);
    let mut once = 0;
    for n in 0..20 {
        for (apart, id) in [(false, format!("once-{n}")), (true, format!("apart-{n}"))] {
            // The later ones are waited for.
            if apart && n > 2 {
                continue;
            }
            let answer = sent(&app, &id, apart).await;
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            let reads = log.lines_with(&[&format!("request_id={id} "), "token::read: credential"]);
            if apart {
                assert!(reads.len() >= 2, "{reads:#?}");
            } else {
                once += usize::from(reads.len() == 1);
            }
        }
    }
    // A machine that is busy may take so long for some of them that the row is too old.
    assert!(once > 10, "{once} of 20");
}

/// A cost that takes a while in any build.
const COSTLY: u32 = 10;

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_revoked_while_its_proof_waits_is_refused() {
    let app = TestApp::with(Options { bcrypt_cost: COSTLY, ..Options::default() }).await;
    let (mut busy, mut revoked) = (Vec::new(), Vec::new());
    // More than there are threads for hashing.
    for n in 0..std::thread::available_parallelism().unwrap().get() + 4 {
        busy.push(made(&app, &format!("busy {n}"), json!({})).await);
    }
    for revocation in Revocation::ALL {
        let own = caller(&app, &format!("{revocation:?}"), revocation).await;
        revoked.push((revocation, own));
    }
    assert!(works(&app, &app.admin).await);
    // Their requests wait for bcrypt, one after the other.
    app.database.execute("UPDATE api_tokens SET secret_tag = NULL WHERE name <> 'administrator'");
    let working = join_all(busy.iter().map(|busy| app.query(&busy.secret, "{ __typename }")));
    let waiting = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let query = "{ currentApiToken { id } }";
        join_all(revoked.iter().map(|(_, own)| app.query(&own.secret, query))).await
    };
    let revoking = async {
        tokio::time::sleep(Duration::from_millis(80)).await;
        for (revocation, own) in &revoked {
            revocation.acknowledged(&app, own).await;
        }
    };
    let (_, answers, ()) = tokio::join!(working, waiting, revoking);
    for ((revocation, own), answer) in revoked.iter().zip(answers) {
        // On a busy machine the queue may be too long for it.
        if answer.status == 503 {
            continue;
        }
        if *revocation == Revocation::FewerPermissions {
            // This needs none.
            assert_eq!(answer.data()["currentApiToken"]["id"], own.id);
        } else {
            assert_refused(answer.status, &answer.text, &format!("{revocation:?}"));
        }
    }
}
