//! The headers in which a gateway hands on who called.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What needs no encoding in a URL (RFC 3986 section 2.3).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The names of the headers, in lower case.
pub const NAMES: [&str; 5] = [
    "x-tokenwright-user-id",
    "x-tokenwright-user-name",
    "x-tokenwright-token-id",
    "x-tokenwright-permissions",
    "x-tokenwright-labels",
];

/// Who called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity<'a> {
    /// The id of the API Token User.
    pub user_id: String,
    /// Its name.
    pub user_name: &'a str,
    /// The id of the token.
    pub token_id: String,
    /// The dotted codes of its permissions, in the order of the catalogue.
    pub permissions: Vec<&'a str>,
    /// Its labels.
    pub labels: Vec<(&'a str, &'a str)>,
}

impl Identity<'_> {
    /// The values of [`NAMES`], in their order: visible ASCII and spaces. There is always a value
    /// for each name, empty if need be, so that it replaces what a client sent under that name.
    pub fn values(&self) -> [String; NAMES.len()] {
        let labels = self.labels.iter().map(|(key, value)| format!("{key}={}", encoded(value)));
        [
            self.user_id.clone(),
            encoded(self.user_name),
            self.token_id.clone(),
            self.permissions.join(" "),
            labels.collect::<Vec<_>>().join(","),
        ]
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn identity<'a>(user_name: &'a str, labels: Vec<(&'a str, &'a str)>) -> Identity<'a> {
        let permissions = vec!["api.users.read", "api.api-tokens.read"];
        let (user_id, token_id) = ("usr_1".to_owned(), "tok_1".to_owned());
        Identity { user_id, user_name, token_id, permissions, labels }
    }

    #[test]
    fn every_header_has_a_value() {
        let labels = vec![("tenant", "a,c=m e"), ("region", "")];
        assert_eq!(
            identity("Büro 7", labels).values(),
            [
                "usr_1",
                "B%C3%BCro%207",
                "tok_1",
                "api.users.read api.api-tokens.read",
                "tenant=a%2Cc%3Dm%20e,region="
            ]
        );
        assert_eq!(identity("a-b.c_d~e", Vec::new()).values()[4], "");
    }

    proptest! {
        #[test]
        fn any_name_and_label_is_one_line_of_ascii(name: String, value: String) {
            for text in identity(&name, vec![("key", &value)]).values() {
                prop_assert!(text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()));
            }
            let [_, user_name, ..] = identity(&name, Vec::new()).values();
            let decoded = percent_encoding::percent_decode_str(&user_name).decode_utf8().unwrap();
            prop_assert_eq!(decoded, name.as_str());
        }
    }
}
