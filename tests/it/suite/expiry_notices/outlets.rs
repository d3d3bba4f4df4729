//! Where notices are told: in the list, in the export, and to those who follow.

use serde_json::{Value, json};
use tokenwright::http::SocketLimits;
use tokenwright::service::LiveLimits;

use super::{DAY, ending, look};
use crate::support::{Binary, Options, TestApp, WebSocket, assert_ended};

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_reaches_the_list_the_export_and_those_who_follow() {
    let sockets = LiveLimits { all: 10, per_token: 10 };
    let limits = SocketLimits { sockets, subscriptions: 10 };
    let options = Options { subscriptions: Some(limits), ..Options::default() };
    let app = TestApp::with(options).await;
    let token = ending(&app, "ci", DAY * 5).await;
    let fields = "id date action actor { userId userName } actorApiTokenId clientAddress \
                  requestId targetId changes { field before after }";
    let mut socket = WebSocket::with(&app, &app.admin).await;
    let follow = format!(
        "subscription ($filter: ApiTokenEventFilter) {{ apiTokenEvents(filter: $filter) {{ \
         node {{ {fields} }} }} }}"
    );
    let filter = json!({ "action": ["API_TOKEN_EXPIRING"], "targetId": [token.id] });
    socket.subscribe("1", &follow, json!({ "filter": filter })).await;
    socket.settled().await;
    look(&app).await;
    let came = socket.next("1").await["data"]["apiTokenEvents"]["node"].clone();
    let list = format!(
        "{{ auditEvents(first: 100, filter: {{ action: API_TOKEN_EXPIRING }}) {{ \
         nodes {{ {fields} }} }} }}"
    );
    let answer = app.query(&app.admin, &list).await;
    let listed = answer.data()["auditEvents"]["nodes"].as_array().unwrap();
    let listed: Vec<&Value> = listed.iter().filter(|node| node["targetId"] == token.id).collect();
    assert_eq!(listed, [&came]);
    assert_eq!(came["actor"]["userName"], "system");
    let exported = Binary::on(&app.database, &["admin", "audit", "export"]).run();
    assert_ended(&exported, 0, "exported");
    let lines: Vec<Value> =
        exported.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let lines: Vec<&Value> = lines.iter().filter(|line| line["id"] == came["id"]).collect();
    assert_eq!(lines, [&came]);
}
