//! Ending a line while its tokens make others.

use futures_util::future::join_all;
use serde_json::{Value, json};
use std::sync::Mutex;

use super::{MAKER, by, delete, renewed, switch};
use crate::support::{Made, TestApp, made, works};

/// Makes tokens with the newest ones of a line, and renews them, until nothing of the line may.
async fn breed(app: &TestApp, line: &Mutex<Vec<String>>, breeder: usize) {
    let query = "mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) {
        token apiToken { id } } }";
    for number in 0.. {
        let maker = {
            let line = line.lock().unwrap();
            line[line.len() - 1 - number % line.len().min(3)].clone()
        };
        let input = app.input(&format!("bred {breeder} {number}"), json!({ "permissions": MAKER }));
        let answer = app.graphql(&maker, query, json!({ "input": input })).await;
        match answer.json["data"]["createApiToken"]["token"].as_str() {
            Some(secret) => line.lock().unwrap().push(secret.to_owned()),
            None => {
                let refusal = &answer.errors()[0];
                let ended = ["UNAUTHENTICATED invalid_token", "UNAUTHENTICATED caller_changed"];
                assert!(ended.contains(&refusal.as_str()), "{}", answer.text);
                return;
            }
        }
    }
}

/// What is left of a line that works.
async fn left(app: &TestApp, line: &Mutex<Vec<String>>) -> usize {
    let secrets = line.lock().unwrap().clone();
    let mut left = 0;
    for secret in secrets {
        left += usize::from(works(app, &secret).await);
    }
    left
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_line_that_grows_meanwhile_is_left() {
    let app = TestApp::start().await;
    for round in 0..6 {
        let stolen = by(&app, &app.admin, &format!("stolen {round}")).await;
        let line = Mutex::new(vec![stolen.secret.clone()]);
        let breeding = join_all((0..4).map(|n| breed(&app, &line, round * 10 + n)));
        let ending = async {
            while line.lock().unwrap().len() < 12 {
                tokio::task::yield_now().await;
            }
            if round % 2 == 0 {
                delete(&app, &app.admin, json!({ "id": stolen.id, "descendants": true })).await
            } else {
                switch(&app, &app.admin, &stolen.id, false, true).await
            }
        };
        let (answer, _) = futures_util::future::join(ending, breeding).await;
        let count: &Value = answer.data().as_object().unwrap().values().next().unwrap();
        assert_eq!(left(&app, &line).await, 0);
        let made = line.lock().unwrap().len();
        assert_eq!(count["descendantCount"], made - 1, "each was counted");
    }
}

/// Two that end each other's line at once: one of them is done, and neither waits for the other.
#[tokio::test(flavor = "multi_thread")]
async fn two_lines_that_end_each_other_do_not_wait_for_each_other() {
    let app = TestApp::start().await;
    let permissions = json!({ "permissions": [
        "API_API_TOKENS_WRITE", "API_API_TOKENS_READ", "API_ORGANIZATIONS_READ",
        "API_API_TOKENS_DELETE", "API_USERS_READ",
    ] });
    for round in 0..10 {
        let mut sides: Vec<(Made, Made)> = Vec::new();
        for side in ["a", "b"] {
            let head = made(&app, &format!("{side} {round}"), permissions.clone()).await;
            let child = renewed(&app, &head.secret, &head.id, &format!("of {side} {round}")).await;
            assert!(works(&app, &child.secret).await);
            sides.push((head, child));
        }
        let [(a, of_a), (b, of_b)] = &sides[..] else { panic!("two sides") };
        let ending = |by: &Made, id: &str| {
            let (secret, input) = (by.secret.clone(), json!({ "id": id, "descendants": true }));
            let app = &app;
            async move { delete(app, &secret, input).await }
        };
        // Each by the younger token of its side, so that callers and targets are locked crosswise.
        let (by_a, by_b) =
            futures_util::future::join(ending(of_a, &b.id), ending(of_b, &a.id)).await;
        let done = [&by_a, &by_b].map(|answer| answer.json["errors"].is_null());
        assert!(done[0] != done[1], "{} {}", by_a.text, by_b.text);
        let alive = [works(&app, &of_a.secret).await, works(&app, &of_b.secret).await];
        assert_eq!(alive, done, "{} {}", by_a.text, by_b.text);
    }
}
