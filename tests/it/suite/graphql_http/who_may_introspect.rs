//! Introspection that is public, needs a token, or is off; and what a caller without a token
//! learns.

use serde_json::json;
use tokenwright::graphql::Introspection;

use super::{CHALLENGE, GRAPHQL_RESPONSE, WHO, anonymous, sent, with_introspection};

/// The query that graphql-js makes by default, as most tools send it.
const INTROSPECTION: &str = "
    query IntrospectionQuery {
      __schema {
        queryType { name kind }
        mutationType { name kind }
        subscriptionType { name kind }
        types {
          ...FullType
        }
        directives {
          name
          description
          locations
          args {
            ...InputValue
          }
        }
      }
    }

    fragment FullType on __Type {
      kind
      name
      description
      fields(includeDeprecated: true) {
        name
        description
        args {
          ...InputValue
        }
        type {
          ...TypeRef
        }
        isDeprecated
        deprecationReason
      }
      inputFields {
        ...InputValue
      }
      interfaces {
        ...TypeRef
      }
      enumValues(includeDeprecated: true) {
        name
        description
        isDeprecated
        deprecationReason
      }
      possibleTypes {
        ...TypeRef
      }
    }

    fragment InputValue on __InputValue {
      name
      description
      type { ...TypeRef }
      defaultValue
    }

    fragment TypeRef on __Type {
      kind
      name
      ofType {
        kind
        name
        ofType {
          kind
          name
          ofType {
            kind
            name
            ofType {
              kind
              name
              ofType {
                kind
                name
                ofType {
                  kind
                  name
                  ofType {
                    kind
                    name
                    ofType {
                      kind
                      name
                      ofType {
                        kind
                        name
                      }
                    }
                  }
                }
              }
            }
          }
        }
      }
    }
";

#[tokio::test(flavor = "multi_thread")]
async fn everybody_may_introspect_where_it_is_public() {
    let app = with_introspection(Introspection::Public).await;
    assert_eq!(anonymous(&app, "{ __typename }").await.data()["__typename"], "Query");
    let answer = anonymous(&app, INTROSPECTION).await;
    assert_eq!(answer.status, 200);
    let schema = &answer.data()["__schema"];
    assert_eq!(schema["queryType"]["name"], "Query");
    let types = schema["types"].as_array().unwrap();
    let permission = types.iter().find(|ty| ty["name"] == "Permission").unwrap();
    assert_eq!(permission["enumValues"].as_array().unwrap().len(), 65);
    let answer = anonymous(&app, "{ __type(name: \"ApiToken\") { fields { name } } }").await;
    assert!(!answer.data()["__type"]["fields"].as_array().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_else_needs_a_token_where_introspection_is_public() {
    let app = with_introspection(Introspection::Public).await;
    let tokens = app.database.count("api_tokens");
    let mutation = format!(
        "mutation {{ createApiToken(input: {{ name: \"x\", expiry: \"{}\", \
         permissions: [API_USERS_READ] }}) {{ token }} }}",
        app.in_time(chrono::TimeDelta::days(1))
    );
    for document in [
        "{ currentUser { id } }",
        "{ currentApiToken { id } }",
        "{ permissions { code } }",
        "{ node(id: \"nonsense\") { id } }",
        "{ user(id: \"nonsense\") { id } }",
        "{ apiToken(id: \"nonsense\") { id } }",
        "{ __typename currentUser { id } }",
        "{ ...F } fragment F on Query { a: permissions { code } }",
        mutation.as_str(),
    ] {
        for accept in ["application/json", GRAPHQL_RESPONSE] {
            let request = app.post().header("accept", accept);
            let answer = sent(request.body(json!({ "query": document }).to_string())).await;
            assert_eq!(answer.status, 401, "{document}");
            assert_eq!(answer.header("www-authenticate"), CHALLENGE);
            assert_eq!(answer.errors(), ["UNAUTHENTICATED token_missing"]);
            assert!(answer.json.get("data").is_none());
        }
    }
    assert_eq!(app.database.count("api_tokens"), tokens);
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_are_told_to_everybody_where_introspection_is_public() {
    let app = with_introspection(Introspection::Public).await;
    for (document, reason) in [
        ("{", "syntax"),
        ("{ nothing }", "validation"),
        ("subscription { __typename }", "subscription"),
    ] {
        let answer = anonymous(&app, document).await;
        assert_eq!(answer.status, 200, "{document}");
        assert_eq!(answer.errors(), [format!("BAD_USER_INPUT {reason}")]);
        let request = app.post().header("accept", GRAPHQL_RESPONSE);
        let answer = sent(request.body(json!({ "query": document }).to_string())).await;
        assert_eq!(answer.status, 400, "{document}");
        assert_eq!(answer.header("www-authenticate"), "");
    }
    assert_eq!(sent(app.post().body("nonsense")).await.status, 400);
    let plain = app.http.post(app.url()).body(WHO);
    assert_eq!(sent(plain).await.status, 415);
    let html = app.post().header("accept", "text/html").body(WHO);
    assert_eq!(sent(html).await.status, 406);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_nothing_is_parsed_where_introspection_is_not_public() {
    for introspection in [Introspection::Authenticated, Introspection::Off] {
        let app = with_introspection(introspection).await;
        for request in [
            app.post().body(WHO),
            app.post().body(r#"{"query":"{ __typename }"}"#),
            app.post().body(json!({ "query": INTROSPECTION }).to_string()),
            app.post().body(r#"{"query":"{"}"#),
            app.post().body("nonsense"),
            app.post().body(""),
            app.post().header("accept", "text/html").body(WHO),
            app.http.post(app.url()).body(WHO),
            app.http.get(app.url()),
            app.http.get(format!("{}?query={{__typename}}", app.url())),
            app.http.get(format!("{}?query=mutation{{x}}", app.url())),
        ] {
            let answer = sent(request).await;
            assert_eq!(answer.status, 401, "{introspection:?}");
            assert_eq!(answer.errors(), ["UNAUTHENTICATED token_missing"]);
            assert_eq!(answer.header("www-authenticate"), CHALLENGE);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_may_introspect_unless_it_is_off() {
    let app = with_introspection(Introspection::Authenticated).await;
    let answer = app.query(&app.admin, INTROSPECTION).await;
    assert!(answer.data()["__schema"]["types"].is_array());

    let app = with_introspection(Introspection::Off).await;
    for document in [
        "{ __schema { queryType { name } } }",
        "{ __type(name: \"Query\") { name } }",
        INTROSPECTION,
    ] {
        let answer = app.query(&app.admin, document).await;
        assert_eq!(answer.errors(), ["FORBIDDEN introspection_off"]);
        assert!(!answer.text.contains("\"Query\""), "{}", answer.text);
    }
    let rest = "{ __typename a: __schema { queryType { name } } currentUser { __typename } }";
    let answer = app.query(&app.admin, rest).await;
    let expected =
        json!({ "__typename": "Query", "a": null, "currentUser": { "__typename": "User" } });
    assert_eq!(answer.json["data"], expected);
    let answer = app.query(&app.admin, "{ currentUsr { id } }").await;
    assert!(!answer.text.contains("currentUser"), "{}", answer.text);
}
