//! Media types of requests and responses: `Accept` (RFC 9110 section 12.5.1) and `Content-Type`
//! (section 8.3), as GraphQL over HTTP uses them.
//!
//! actix-web's own `Accept` and `ContentType`, and `mime` under them, read these headers too, and
//! do it less well: they rank ranges, but do not choose (a weight of zero excludes nothing, and no
//! range overrides a wider one), split quoted strings at their commas, drop the whole header over
//! one byte outside ASCII, refuse `q=.2`, let the last of two weights and the first of two header
//! lines decide, and do not read all content types that RFC 9110 allows. The tests show each.

mod media_range;

use std::cmp::Reverse;

use self::media_range::MediaRange;
use crate::http::refusal::JSON;
use crate::wire::field_value::{Parameter, list_elements, parameters, split_unquoted};

/// The media types in which a GraphQL response can be written, in the order of the server's own
/// preference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum MediaType {
    /// For clients that know no other type, or do not name one.
    Json,
    /// The type of GraphQL over HTTP, whose status codes are more specific.
    GraphqlResponse,
}

impl MediaType {
    const ALL: [Self; 2] = [Self::Json, Self::GraphqlResponse];

    /// The value for the `Content-Type` of a response, whose encoding is always UTF-8 (GraphQL over
    /// HTTP, "Media Types").
    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::Json => JSON,
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
        }
    }

    const fn essence(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::GraphqlResponse => "application/graphql-response+json",
        }
    }
}

/// Chooses the media type of the response from the values of all `Accept` headers; `None` if
/// nothing is acceptable (406).
///
/// The type with the highest weight wins; of equal ones, the one whose range is named first. If
/// both have the same range, such as `*/*`, JSON wins, which every client understands. No header or
/// an empty one accepts anything. Ranges that cannot be read, or of types that are never sent, are
/// skipped.
pub(super) fn negotiate<'a>(accept_lines: impl Iterator<Item = &'a [u8]>) -> Option<MediaType> {
    // The lines form one list (RFC 9110 section 5.3).
    let mut elements = accept_lines.flat_map(list_elements).peekable();
    if elements.peek().is_none() {
        return Some(MediaType::Json);
    }
    let ranges: Vec<_> = elements.filter_map(MediaRange::parse).collect();
    MediaType::ALL
        .into_iter()
        .filter_map(|media_type| Some((rank(media_type, &ranges)?, media_type)))
        .min()
        .map(|(_, media_type)| media_type)
}

/// How much the client prefers this type, least first; `None` if it is not accepted.
fn rank(media_type: MediaType, ranges: &[MediaRange]) -> Option<(Reverse<u16>, usize)> {
    // Only the most specific range counts, even if a wider one has a higher weight.
    let (position, range) = ranges
        .iter()
        .enumerate()
        .filter(|(_, range)| range.extent.covers(media_type))
        .min_by_key(|(_, range)| (range.extent, Reverse(range.names_charset)))?;
    (range.weight > 0).then_some((Reverse(range.weight), position))
}

/// Is this `Content-Type` JSON in UTF-8? Case and quotes do not matter (RFC 9110 sections 8.3.1 and
/// 8.3.2).
///
/// JSON has no parameters (RFC 8259 section 11), so what clients send all the same, such as
/// `odata=verbose`, means nothing. Another charset than UTF-8 is refused (GraphQL over HTTP, "Media
/// Types").
pub(super) fn is_json(content_type: &[u8]) -> bool {
    let mut parts = split_unquoted(content_type, b';');
    let essence = parts.next().unwrap_or_default();
    let mut parameters = parameters(parts);
    essence.eq_ignore_ascii_case(MediaType::Json.essence().as_bytes())
        && parameters.all(|parameter| {
            parameter.is_some_and(|parameter| !parameter.is("charset") || is_utf8(&parameter))
        })
}

/// `utf8` is no registered name, but a common one (Encoding Standard, "Names and labels").
fn is_utf8(charset: &Parameter<'_>) -> bool {
    [&b"utf-8"[..], b"utf8"].iter().any(|name| charset.value.eq_ignore_ascii_case(name))
}

/// Is a body with these `Content-Encoding` lines sent as it is? `identity` names no coding (RFC
/// 9110 section 8.4.1).
pub(super) fn is_unencoded<'a>(mut lines: impl Iterator<Item = &'a [u8]>) -> bool {
    lines.all(|line| list_elements(line).all(|coding| coding.eq_ignore_ascii_case(b"identity")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::MediaType::{GraphqlResponse, Json};
    use super::*;

    fn accept(line: &str) -> Option<MediaType> {
        negotiate([line.as_bytes()].into_iter())
    }

    #[test]
    fn json_without_a_wish() {
        assert_eq!(negotiate(std::iter::empty()), Some(Json));
        for line in ["", " ", ",, ,", "*/*", "application/*", "*/*;q=0.1", "application/*, */*"] {
            assert_eq!(accept(line), Some(Json), "{line:?}");
        }
    }

    #[test]
    fn named_types() {
        for (line, expected) in [
            ("application/json", Some(Json)),
            ("application/graphql-response+json", Some(GraphqlResponse)),
            ("APPLICATION/GraphQL-Response+JSON", Some(GraphqlResponse)),
            ("application/graphql-response+json, application/json;q=0.9", Some(GraphqlResponse)),
            ("application/json;q=0.9, application/graphql-response+json", Some(GraphqlResponse)),
            ("application/graphql-response+json;q=0.899, application/json;q=0.9", Some(Json)),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Some(Json)),
            ("text/html", None),
            ("application/xml, text/*", None),
            ("application/graphql+json", None),
        ] {
            assert_eq!(accept(line), expected, "{line:?}");
        }
    }

    #[test]
    fn equals_go_by_order() {
        assert_eq!(accept("application/json, application/graphql-response+json"), Some(Json));
        assert_eq!(
            accept("application/graphql-response+json, application/json"),
            Some(GraphqlResponse)
        );
        assert_eq!(
            accept("application/graphql-response+json;q=0.5, */*;q=0.5"),
            Some(GraphqlResponse)
        );
        assert_eq!(accept("*/*, application/graphql-response+json"), Some(Json));
        let lines = [&b"application/graphql-response+json"[..], b"application/json"];
        assert_eq!(negotiate(lines.into_iter()), Some(GraphqlResponse));
        assert_eq!(negotiate(lines.into_iter().rev()), Some(Json));
    }

    #[test]
    fn the_most_specific_range_decides() {
        for (line, expected) in [
            ("*/*, application/json;q=0", Some(GraphqlResponse)),
            ("application/json;q=0, */*", Some(GraphqlResponse)),
            ("application/*;q=0, */*", None),
            ("application/*;q=0, application/json;q=0.1, */*", Some(Json)),
            ("application/json;q=0.1, application/*;q=0.2", Some(GraphqlResponse)),
            ("application/json;q=0, application/graphql-response+json;q=0.0, */*", None),
            ("*/*;q=0", None),
            ("application/json;charset=utf-8;q=0, application/json", None),
            ("application/json, application/json;charset=utf-8;q=0", None),
            ("application/json;q=0, application/json", None),
        ] {
            assert_eq!(accept(line), expected, "{line:?}");
        }
    }

    #[test]
    fn only_charset_counts_among_parameters() {
        for (line, expected) in [
            ("application/json;charset=utf-8", Some(Json)),
            (r#"application/json; Charset="UTF-8" ;q=1"#, Some(Json)),
            ("application/json;profile=x", Some(Json)),
            (r#"application/json;profile="a,b;q=0""#, Some(Json)),
            ("application/json;charset=iso-8859-1", None),
            ("application/json;charset=utf8", Some(Json)),
            ("application/json;charset=utf-16, */*;q=0.1", Some(Json)),
            ("application/json;charset=utf-16;q=0, */*", Some(Json)),
            ("application/json;q=0.5;charset=latin1", None),
        ] {
            assert_eq!(accept(line), expected, "{line:?}");
        }
    }

    #[test]
    fn malformed_ranges_are_skipped() {
        for range in [
            "*",
            "json",
            "/",
            "*/json",
            "application/",
            "application /json",
            "application/json;q",
            "application/json;q=",
            "application/json;q=2",
            "application/json;q=x",
            "application/json;q=0.1;q=0.2",
            "application/json q=1",
            "application/json;q=-1",
            "application/json;q = 1",
            "application/json;x",
            "application/json;x=\"",
            "\u{fe}/*",
        ] {
            assert_eq!(accept(range), None, "{range:?}");
            assert_eq!(
                accept(&format!("application/graphql-response+json, {range}")),
                Some(GraphqlResponse),
                "{range:?}"
            );
        }
        assert_eq!(
            accept("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"),
            Some(Json),
            "Java before 19"
        );
    }

    #[test]
    fn json_content_types() {
        for content_type in [
            "application/json",
            "Application/JSON",
            " application/json ",
            "application/json;charset=utf-8",
            "application/json; charset=UTF-8",
            r#"application/json ; CHARSET="Utf-8""#,
            "application/json;",
            "application/json;charset=utf8",
            "application/json;charset=utf-8;charset=utf-8",
            "application/json;odata=verbose",
            r#"application/json; profile="https://example.org/a;b, c""#,
            "application/json; charset=\"UTF8\"; odata.metadata=minimal",
            "application/json;x=y;charset=utf-8;x=y",
        ] {
            assert!(is_json(content_type.as_bytes()), "{content_type:?}");
        }
        for content_type in [
            "",
            "text/json",
            "application/jsonp",
            "application/graphql-response+json",
            "application/graphql",
            "application/json;charset=utf-16",
            "application/json;charset=",
            "application/json;charset",
            "application/json; charset = utf-8",
            "application/json;charset=utf-8;charset=latin1",
            "application/json;x=y;charset=utf-16",
            "application/json;x",
            "application/json;x=y z",
            "application/json;charset=utf-8; x = y",
            "application/json, application/json",
            "application/json;charset=\"utf-8",
            "application/x-www-form-urlencoded",
            "multipart/form-data;x=application/json",
            "text/plain",
            "*/*",
        ] {
            assert!(!is_json(content_type.as_bytes()), "{content_type:?}");
        }
    }

    #[test]
    fn identity_is_no_coding() {
        let unencoded = |lines: &[&str]| is_unencoded(lines.iter().map(|line| line.as_bytes()));
        for lines in [&[][..], &["identity"], &["Identity"], &[""], &["identity, ,identity", ""]] {
            assert!(unencoded(lines), "{lines:?}");
        }
        for lines in [&["gzip"][..], &["identity, br"], &["identity", "deflate"], &["x-identity"]] {
            assert!(!unencoded(lines), "{lines:?}");
        }
    }

    /// The library's own types, which this file replaces. If one of these fails after an update,
    /// that part may be deleted.
    mod library {
        use actix_web::http::header::{ACCEPT, Accept, CONTENT_TYPE, ContentType, Header};
        use actix_web::test::TestRequest;

        /// The ranges that the library reads, best first.
        fn ranked(line: &[u8]) -> Option<Vec<String>> {
            let value = actix_web::http::header::HeaderValue::from_bytes(line).unwrap();
            let request = TestRequest::default().insert_header((ACCEPT, value)).to_http_request();
            let ranked = Accept::parse(&request).ok()?.ranked();
            Some(ranked.iter().map(ToString::to_string).collect())
        }

        fn content_type(lines: &[&str]) -> Option<String> {
            let mut request = TestRequest::default();
            for line in lines {
                request = request.append_header((CONTENT_TYPE, *line));
            }
            ContentType::parse(&request.to_http_request()).ok().map(|read| read.to_string())
        }

        #[test]
        fn does_not_negotiate() {
            let what = "a type of weight zero is the best one beside which nothing is named";
            assert_eq!(ranked(b"application/json;q=0").unwrap(), ["application/json"], "{what}");
            let ranked = ranked(b"*/*, application/json;q=0").unwrap();
            assert_eq!(ranked, ["*/*", "application/json"], "the star covers what is excluded");
        }

        #[test]
        fn splits_quoted_strings() {
            let ranked = ranked(br#"text/html;x="a, application/json, b""#).unwrap();
            assert!(ranked.contains(&"application/json".to_owned()), "{ranked:?}");
        }

        #[test]
        fn loses_the_whole_header_over_one_byte() {
            assert_eq!(ranked("application/json, text/html;x=\"é\"".as_bytes()), None);
        }

        #[test]
        fn does_not_know_the_weight_of_older_java() {
            assert_eq!(ranked(b"*/*; q=.2").unwrap(), [""; 0]);
        }

        #[test]
        fn lets_the_last_of_two_weights_decide() {
            let ranked = ranked(b"application/json;q=0.1;q=0.9, text/html;q=0.5").unwrap();
            assert_eq!(ranked, ["application/json;q=0.1", "text/html"]);
        }

        #[test]
        fn reads_the_first_of_two_content_types() {
            let read = content_type(&["application/json", "text/plain"]);
            assert_eq!(read.as_deref(), Some("application/json"));
        }

        #[test]
        fn does_not_read_every_content_type() {
            for line in ["application/json ; charset=utf-8", "application/json;;charset=utf-8"] {
                assert_eq!(content_type(&[line]), None, "{line:?}");
            }
        }
    }

    #[test]
    fn what_is_sent_is_accepted_back() {
        for media_type in MediaType::ALL {
            assert_eq!(accept(media_type.content_type()), Some(media_type));
        }
        assert!(is_json(Json.content_type().as_bytes()));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(lines in any::<Vec<Vec<u8>>>()) {
            let _ = negotiate(lines.iter().map(Vec::as_slice));
            for line in &lines {
                is_json(line);
            }
        }

        #[test]
        fn the_higher_weight_wins(json in 0..=1000_u16, graphql in 0..=1000_u16) {
            let weight = |value: u16| format!("{}.{:03}", value / 1000, value % 1000);
            let line = format!(
                "application/json;q={}, application/graphql-response+json;q={}",
                weight(json),
                weight(graphql),
            );
            let expected = match (json, graphql) {
                (0, 0) => None,
                _ if json >= graphql => Some(Json),
                _ => Some(GraphqlResponse),
            };
            prop_assert_eq!(accept(&line), expected);
        }
    }
}
