//! The surfaces on which a token is verified, and a request to each.

use crate::support::post;

/// The permission that every token in use has, as a code and as GraphQL writes it.
pub const CODE: &str = "api.users.read";
const NAME: &str = "API_USERS_READ";

/// The bytes that ask about the token with this secret.
type Request = dyn Fn(&str) -> Vec<u8>;

/// A way to ask whether a token may be used.
pub struct Surface {
    pub name: &'static str,
    /// Is it asked over gRPC? There the request is what a bare handler is asked in its place.
    pub over_grpc: bool,
    /// What the answer holds if it may.
    pub proof: &'static str,
    /// How it is asked.
    pub request: Box<Request>,
}

/// All of them. `caller` is the secret of a token that may read tokens.
pub fn all(caller: &str) -> Vec<Surface> {
    let (introspects, verifies) = (caller.to_owned(), caller.to_owned());
    vec![
        Surface { name: "/authorize", over_grpc: false, proof: "", request: Box::new(authorize) },
        Surface {
            name: "ext_authz over gRPC",
            over_grpc: true,
            proof: "",
            request: Box::new(authorize),
        },
        Surface {
            name: "/oauth2/introspect",
            over_grpc: false,
            proof: "\"active\":true",
            request: Box::new(move |secret| {
                let body = format!("token={secret}&required_scope={CODE}");
                format!(
                    "POST /oauth2/introspect HTTP/1.1\r\nHost: bench\r\n\
                     Authorization: Bearer {introspects}\r\n\
                     Content-Type: application/x-www-form-urlencoded\r\n\
                     Content-Length: {}\r\n\r\n{body}",
                    body.len()
                )
                .into_bytes()
            }),
        },
        Surface {
            name: "GraphQL verifyApiToken",
            over_grpc: false,
            proof: "\"active\":true",
            request: Box::new(move |secret| {
                // In a variable, so that the document is the same each time.
                let query = "mutation ($input: VerifyApiTokenInput!) { \
                             verifyApiToken(input: $input) { active } }";
                let input = format!(r#"{{"token":"{secret}","permissions":["{NAME}"]}}"#);
                let body = format!(r#"{{"query":"{query}","variables":{{"input":{input}}}}}"#);
                post(&verifies, &body)
            }),
        },
    ]
}

fn authorize(secret: &str) -> Vec<u8> {
    format!(
        "GET /authorize?permission={CODE} HTTP/1.1\r\nHost: bench\r\n\
         Authorization: Bearer {secret}\r\n\r\n"
    )
    .into_bytes()
}
