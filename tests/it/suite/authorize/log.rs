//! What the log has of it: successes are no news, refusals are.

use reqwest::Method;

use crate::support::{Answer, Binary, administrator, migrated};

const READ: &str = "/authorize?permission=api.api-tokens.read";

/// The log of a server at this level that was asked with these tokens, one after the other.
async fn log_of(level: &str, asked: &[(Option<&str>, &str, u16)]) -> (Vec<String>, Vec<String>) {
    let database = migrated();
    let admin = administrator(&database, "administrator");
    let server = Binary::on(&database, &["serve", "--log", level]).serve();
    let mut ids = Vec::new();
    for (token, target, status) in asked {
        let token = token.map(|token| token.replace("ADMIN", &admin));
        let mut request = server.request(Method::GET, target);
        if let Some(token) = &token {
            request = request.bearer_auth(token);
        }
        let answer = Answer::of(request.send().await.unwrap()).await;
        assert_eq!(answer.status, *status, "{target}");
        ids.push(answer.header("x-request-id").to_owned());
    }
    let log = server.stop().stderr;
    assert!(!log.contains(&admin));
    (log.lines().map(str::to_owned).collect(), ids)
}

fn about<'a>(lines: &'a [String], id: &str) -> Vec<&'a String> {
    lines.iter().filter(|line| line.contains(id)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_usual_level_a_success_is_silent_and_a_refusal_has_all_that_is_known() {
    let asked = [
        (Some("ADMIN"), READ, 200),
        (None, "/livez", 200),
        (None, "/readyz", 200),
        (Some("nonsense"), READ, 401),
        (Some("ADMIN"), "/authorize?permission=api.orders.reed", 400),
    ];
    let (lines, ids) = log_of("info", &asked).await;
    for (id, (_, target, _)) in ids.iter().zip(&asked).take(3) {
        assert!(about(&lines, id).is_empty(), "{target}: {lines:#?}");
    }
    let refused = about(&lines, &ids[3]);
    assert_eq!(refused.len(), 2, "{lines:#?}");
    for line in &refused {
        assert!(line.contains("client=127.0.0.1") && line.contains("INFO"), "{line}");
        assert!(line.contains("path=\"/authorize\""), "{line}");
    }
    assert!(refused[0].contains("authentication refused") && refused[0].contains("malformed"));
    assert!(refused[1].contains("answered") && refused[1].contains("status=401"));
    let mistaken = about(&lines, &ids[4]);
    assert!(mistaken[0].contains("WARN") && mistaken[0].contains("permission=api.orders.reed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn at_debug_a_success_says_whose_token_it_was() {
    let (lines, ids) = log_of("info,tokenwright=debug", &[(Some("ADMIN"), READ, 200)]).await;
    let answered: Vec<_> =
        about(&lines, &ids[0]).into_iter().filter(|line| line.contains("answered")).collect();
    assert_eq!(answered.len(), 1, "{lines:#?}");
    for told in ["DEBUG", "status=200", "client=127.0.0.1", "token=tok_", "user=usr_"] {
        assert!(answered[0].contains(told), "{told}: {}", answered[0]);
    }
}
