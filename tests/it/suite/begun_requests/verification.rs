//! Verifications that wait for the proof of the secret that they are about. Whoever asks, and the
//! token that is asked about, may be revoked meanwhile.

use futures_util::future::join_all;
use reqwest::RequestBuilder;
use serde_json::json;
use tokenwright::domain::secret::PlaintextSecret;
use tokio::task::JoinSet;

use super::{Revocation, assert_refused, caller};
use crate::support::{Answer, Envoy, Log, Made, Options, Said, TestApp, eventually, made, works};

/// About a second of hashing, and little of it, in any build.
const COSTLIEST: u32 = 14;
const COSTLY: u32 = 8;
const CODE: &str = "api.users.read";
const NAME: &str = "API_USERS_READ";

/// How a service asks about a token, with a token of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Introspection,
    One,
    Many,
}

impl Asked {
    const ALL: [Self; 3] = [Self::Introspection, Self::One, Self::Many];

    fn about(self, app: &TestApp, target: &str, by: &str, id: &str) -> RequestBuilder {
        let request = match self {
            Self::Introspection => {
                let request = app.http.post(format!("http://{}/oauth2/introspect", app.address));
                let request = request.header("content-type", "application/x-www-form-urlencoded");
                request.body(format!("token={target}&required_scope={CODE}"))
            }
            Self::One | Self::Many => {
                let wanted = json!({ "token": target, "permissions": [NAME] });
                let (query, input) = if self == Self::One {
                    ("verifyApiToken(input: $input) { active }", wanted)
                } else {
                    let query = "verifyApiTokens(input: $input) { verifications { active } }";
                    (query, json!({ "tokens": [wanted] }))
                };
                let name = if self == Self::One { "VerifyApiToken" } else { "VerifyApiTokens" };
                let query = format!("mutation ($input: {name}Input!) {{ {query} }}");
                let body = json!({ "query": query, "variables": { "input": input } });
                app.post().body(body.to_string())
            }
        };
        request.bearer_auth(by).header("x-request-id", id)
    }

    /// What it says of the token, if it says anything.
    fn is_active(self, answer: &Answer) -> Option<bool> {
        let found = match self {
            Self::Introspection => &answer.json["active"],
            Self::One => &answer.json["data"]["verifyApiToken"]["active"],
            Self::Many => &answer.json["data"]["verifyApiTokens"]["verifications"][0]["active"],
        };
        found.as_bool()
    }
}

/// Takes the tag of a token away, so that its secret is proven by this cost before it is believed.
fn make_costly(app: &TestApp, token: &Made, cost: u32) {
    let secret = PlaintextSecret::parse(&token.secret).unwrap();
    let hash = bcrypt::hash(secret.proof(), cost).unwrap();
    drop(app.database.change(&token.id, &format!("secret_tag = NULL, secret_hash = '{hash}'")));
}

/// Keeps the thread that proves such secrets busy for about a second.
async fn busy(app: &TestApp) -> JoinSet<()> {
    let token = made(app, "busy", json!({})).await;
    make_costly(app, &token, COSTLIEST);
    let (mut busy, runs) = (JoinSet::new(), app.service.bcrypt_runs());
    let request = app.post().bearer_auth(token.secret).body("{}");
    busy.spawn(async move { drop(request.send().await) });
    eventually("it is busy", || app.service.bcrypt_runs() > runs).await;
    busy
}

async fn logged() -> (&'static Log, TestApp) {
    let log = Log::start();
    let trusted_proxies = vec!["127.0.0.1/32"];
    (log, TestApp::with(Options { trusted_proxies, ..Options::default() }).await)
}

/// Waits until each of these requests has read so many rows of tokens.
async fn until_read(log: &Log, requests: &[(String, usize)]) {
    let has_read = |(id, rows): &(String, usize)| {
        let id = format!("request_id={id}");
        log.lines_with(&[&id, "repository::token::", ": credential"]).len() >= *rows
    };
    eventually("all wait for a proof", || requests.iter().all(has_read)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_whose_token_is_revoked_meanwhile_learns_nothing() {
    let (log, app) = logged().await;
    let target = made(&app, "target", json!({ "permissions": [NAME] })).await;
    make_costly(&app, &target, COSTLY);
    let mut callers = Vec::new();
    for revocation in Revocation::ALL {
        callers
            .push((Some(revocation), caller(&app, &format!("{revocation:?}"), revocation).await));
    }
    callers.push((None, caller(&app, "unchanged", Revocation::Deletion).await));
    let (mut requests, mut asked) = (Vec::new(), Vec::new());
    for (revocation, own) in &callers {
        assert!(works(&app, &own.secret).await);
        for how in Asked::ALL {
            let id = format!("{how:?}-{}.", own.id);
            asked.push((*revocation, how, how.about(&app, &target.secret, &own.secret, &id)));
            requests.push((id, 2));
        }
    }
    let _busy = busy(&app).await;
    let asking = join_all(asked.into_iter().map(async |(revocation, how, request)| {
        (revocation, how, Answer::of(request.send().await.unwrap()).await)
    }));
    let revoking = async {
        until_read(log, &requests).await;
        for (revocation, own) in &callers {
            if let Some(revocation) = revocation {
                revocation.acknowledged(&app, own).await;
            }
        }
    };
    let (answers, ()) = tokio::join!(asking, revoking);
    for (revocation, how, answer) in answers {
        let Some(revocation) = revocation else {
            // On a busy machine the queue may be too long.
            let is_answered = answer.status != 503 && answer.errors().is_empty();
            assert!(
                !is_answered || how.is_active(&answer) == Some(true),
                "{how:?} {}",
                answer.text
            );
            continue;
        };
        let what = format!("{how:?} after {revocation:?}");
        assert_eq!(how.is_active(&answer), None, "{what}: {}", answer.text);
        if how == Asked::Introspection {
            assert!([401, 403, 503].contains(&answer.status.as_u16()), "{what}: {}", answer.text);
        } else if answer.status != 503 {
            assert_refused(answer.status, &answer.text, &what);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_revoked_meanwhile_is_good_for_nothing() {
    let (log, app) = logged().await;
    let own = caller(&app, "asker", Revocation::Deletion).await;
    assert!(works(&app, &own.secret).await);
    let mut targets = Vec::new();
    for revocation in Revocation::ALL {
        let target = caller(&app, &format!("{revocation:?}"), revocation).await;
        make_costly(&app, &target, COSTLY);
        targets.push((revocation, target));
    }
    let envoy = Envoy::of(&app).await;
    let (mut requests, mut asked, mut by_envoy) = (Vec::new(), Vec::new(), Vec::new());
    for (revocation, target) in &targets {
        let id = |how: &str| format!("{how}-{}.", target.id);
        for how in Asked::ALL {
            let id = id(&format!("{how:?}"));
            asked.push((*revocation, how, how.about(&app, &target.secret, &own.secret, &id)));
            requests.push((id, 2));
        }
        by_envoy.push((*revocation, target, id("gRPC"), id("authorize")));
        requests.extend([(id("gRPC"), 1), (id("authorize"), 1)]);
    }
    let _busy = busy(&app).await;
    let asking = join_all(asked.into_iter().map(async |(revocation, how, request)| {
        (revocation, how, Answer::of(request.send().await.unwrap()).await)
    }));
    let passing = join_all(by_envoy.into_iter().map(async |(revocation, target, grpc, http)| {
        let said = Said::bearer(&target.secret, CODE).from("127.0.0.1");
        let said = said.with("x-request-id", &grpc);
        let url = format!("http://{}/authorize?permission={CODE}", app.address);
        let request = app.http.get(url).bearer_auth(&target.secret).header("x-request-id", http);
        let (by_grpc, by_http) = tokio::join!(envoy.ask(&said), request.send());
        (revocation, by_grpc.status, by_http.unwrap().status().as_u16())
    }));
    let revoking = async {
        until_read(log, &requests).await;
        for (revocation, target) in &targets {
            revocation.acknowledged(&app, target).await;
        }
    };
    let (answers, statuses, ()) = tokio::join!(asking, passing, revoking);
    for (revocation, how, answer) in answers {
        assert_ne!(how.is_active(&answer), Some(true), "{how:?} of {revocation:?}");
    }
    for (revocation, by_grpc, by_http) in statuses {
        let refused = |status| matches!(status, 401 | 403 | 503);
        assert!(refused(by_grpc), "{revocation:?} by gRPC: {by_grpc}");
        assert!(refused(by_http.into()), "{revocation:?} at /authorize: {by_http}");
    }
}
