//! Two instances over one database: neither answers from what it remembers of the other's
//! yesterday.

use futures_util::future::join;
use futures_util::{StreamExt, stream};
use serde_json::{Map, Value, json};

use super::writer::input;
use crate::support::{
    Answer, Binary, Server, TestDatabase, TokenRow, WebSocket, administrator, migrated,
};

/// Tokens that are used and deleted.
const TOKENS: usize = 1_000;
/// Tokens that one document creates.
const BATCH: usize = 25;
/// Tokens that are used and deleted at the same time.
const AT_ONCE: usize = 10;
/// Names that both instances want.
const NAMES: usize = 100;

fn instances(database: &TestDatabase) -> [Server; 2] {
    [(); 2].map(|()| Binary::on(database, &["serve"]).serve())
}

/// Creates tokens in one document: the id and the secret of each.
async fn create(server: &Server, token: &str, names: &[String]) -> Vec<[String; 2]> {
    let mut variables = Map::new();
    let (mut declared, mut fields) = (String::new(), String::new());
    for (number, name) in names.iter().enumerate() {
        variables.insert(format!("i{number}"), input(name));
        declared += &format!("$i{number}: CreateApiTokenInput! ");
        fields += &format!("c{number}: createApiToken(input: $i{number}) {{ ...made }} ");
    }
    let query = format!(
        "mutation ({declared}) {{ {fields} }}
         fragment made on CreateApiTokenPayload {{ token apiToken {{ id }} }}"
    );
    let answer = server.graphql(token, &query, variables.into()).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let created = answer.data().as_object().unwrap().values();
    created.map(|made| [&made["apiToken"]["id"], &made["token"]].map(text)).collect()
}

async fn read(server: &Server, secret: &str) -> Answer {
    server.graphql(secret, "{ currentApiToken { id } }", json!({})).await
}

async fn delete(server: &Server, token: &str, id: &str) -> Answer {
    let query = "mutation ($id: ID!) { deleteApiToken(input: { id: $id }) { deletedApiTokenId } }";
    server.graphql(token, query, json!({ "id": id })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_instance_has_deleted_the_other_refuses_at_once() {
    let database = migrated();
    let admin = administrator(&database, "administrator");
    let [a, b] = &instances(&database);
    for batch in 0..TOKENS / BATCH {
        let names: Vec<String> = (0..BATCH).map(|number| format!("{batch} {number}")).collect();
        let creator = if batch.is_multiple_of(2) { a } else { b };
        let tokens = create(creator, &admin, &names).await;
        assert_eq!(tokens.len(), BATCH);
        stream::iter(&tokens)
            .for_each_concurrent(AT_ONCE, async |[id, secret]| {
                assert_eq!(read(b, secret).await.data()["currentApiToken"]["id"], **id);
                assert_eq!(
                    delete(a, &admin, id).await.data()["deleteApiToken"]["deletedApiTokenId"],
                    **id
                );
                let answer = read(b, secret).await;
                assert_eq!(answer.status, 401, "{id}");
                assert_eq!(answer.errors(), ["UNAUTHENTICATED invalid_token"]);
            })
            .await;
    }
    assert_eq!(
        database.texts("SELECT count(*) FROM api_tokens WHERE deleted_date IS NOT NULL"),
        [TOKENS.to_string()]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_instances_one_gets_the_name() {
    let database = migrated();
    let admin = administrator(&database, "administrator");
    let [a, b] = &instances(&database);
    let query = "mutation ($input: CreateApiTokenInput!) {
        createApiToken(input: $input) { apiToken { id } } }";
    for number in 0..NAMES {
        let name = format!("contested {number}");
        let variables = json!({ "input": input(&name) });
        let (one, other) =
            join(a.graphql(&admin, query, variables.clone()), b.graphql(&admin, query, variables))
                .await;
        let mut errors = [one.errors(), other.errors()];
        errors.sort();
        assert_eq!(errors, [vec![], vec!["CONFLICT name name_taken".to_owned()]], "{name}");
    }
    for table in ["users", "api_tokens"] {
        let made = format!("SELECT count(*) FROM {table} WHERE name LIKE 'contested %'");
        assert_eq!(database.texts(&made), [NAMES.to_string()], "{table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_goes_on_at_another_instance_after_its_last_event() {
    const FOLLOW: &str = "subscription ($after: String) {
        apiTokenEvents(after: $after) { cursor node { targetId } }
    }";
    let database = migrated();
    let admin = administrator(&database, "administrator");
    let instances: [Server; 2] =
        [(); 2].map(|()| Binary::on(&database, &["serve", "--subscriptions"]).serve());
    let mut made = Vec::new();
    let mut after = Value::Null;
    for round in 0..6 {
        let at = |place: usize| &instances[(round + place) % 2];
        let mut socket = WebSocket::at(at(0).address).await;
        socket.init(&admin).await;
        assert_eq!(socket.text().await, json!({ "type": "connection_ack" }));
        socket.subscribe("1", FOLLOW, json!({ "after": after })).await;
        if after.is_null() {
            socket.settled().await;
        }
        // What was made while nobody listened comes first, then what is made now, at both.
        for place in [0, 1] {
            let names = [format!("{round} {place}")];
            made.push(create(at(place), &admin, &names).await[0][0].clone());
        }
        while let Some(id) = made.first() {
            let event = socket.next("1").await["data"]["apiTokenEvents"].take();
            assert_eq!(event["node"]["targetId"], **id, "round {round}");
            after = event["cursor"].clone();
            made.remove(0);
        }
        drop(socket);
        made.push(create(at(1), &admin, &[format!("{round} alone")]).await[0][0].clone());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_instance_has_revoked_with_many_others_the_other_refuses_at_once() {
    const REVOKE: &str = "mutation ($input: RevokeApiTokensInput!) {
        revokeApiTokens(input: $input) { revocationId count } }";
    let database = migrated();
    let admin = administrator(&database, "administrator");
    let [a, b] = &instances(&database);
    TokenRow::numbered(&database, 1_000);
    let names: Vec<String> = (0..BATCH).map(|number| format!("real {number}")).collect();
    let made = create(a, &admin, &names).await;
    for [_, secret] in &made {
        assert_eq!(read(b, secret).await.status, 200);
    }
    // Both at once: each token is revoked once.
    let all = json!({ "input": { "everything": true } });
    let (one, other) =
        join(a.graphql(&admin, REVOKE, all.clone()), b.graphql(&admin, REVOKE, all)).await;
    for [_, secret] in &made {
        assert_eq!(read(a, secret).await.status, 401);
        assert_eq!(read(b, secret).await.status, 401);
    }
    let count = |answer: &Answer| answer.data()["revokeApiTokens"]["count"].as_u64().unwrap();
    let mut counts = [count(&one), count(&other)];
    counts.sort_unstable();
    assert_eq!(counts, [0, 1_025]);
    let events = "SELECT count(*) FROM audit_events WHERE action = 'api_token_revoked'";
    assert_eq!(database.texts(events), ["1025"]);
}
