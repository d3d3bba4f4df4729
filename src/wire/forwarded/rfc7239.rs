//! The elements of a `Forwarded` header (RFC 7239 section 4), from the right.

use std::net::IpAddr;

use super::node;
use crate::wire::field_value::{parameters, split_unquoted};

/// Where a scan from right to left is, relative to quoted strings.
#[derive(Clone, Copy)]
enum Scan {
    Outside,
    Quoted,
    /// On a quote that ends the quoted string, unless the next byte to the left is the backslash
    /// that escapes it.
    AtQuote,
}

/// Splits a line at the commas outside quoted strings, beginning with the last element.
///
/// Scanning from the right keeps the elements of trusted proxies whole, whatever a client wrote
/// before them: scanned from the left, a quote that the client never closed would swallow them. A
/// well-formed quoted string reads the same both ways, because its opening quote follows an equals
/// sign and every quote inside it follows a backslash.
pub(super) fn elements_from_right(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut scan = Scan::Outside;
    line.rsplit(move |&byte| {
        let quoted = matches!((scan, byte), (Scan::Quoted, _) | (Scan::AtQuote, b'\\'));
        scan = match (quoted, byte) {
            (true, b'"') => Scan::AtQuote,
            (true, _) | (false, b'"') => Scan::Quoted,
            (false, _) => Scan::Outside,
        };
        byte == b',' && !quoted
    })
}

/// The address in the `for` parameter of an element, which must occur once (RFC 7239 sections 4 and
/// 5.2).
///
/// An IPv6 address and a port are possible only in a quoted string, because a token has no brackets
/// and no colon. All other parameters must be well-formed too: a proxy that writes a client's
/// `Host` without quotes lets the client add elements of its own. Whitespace around semicolons,
/// which the grammar lacks and real proxies write, is accepted.
pub(super) fn for_address(element: &[u8]) -> Option<IpAddr> {
    let mut address = None;
    for parameter in parameters(split_unquoted(element, b';')) {
        let parameter = parameter?;
        if parameter.is("for") {
            let node = node(str::from_utf8(&parameter.value).ok()?)?;
            if address.replace(node).is_some() {
                return None;
            }
        }
    }
    address
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn elements(line: &str) -> Vec<&str> {
        elements_from_right(line.as_bytes())
            .map(|element| str::from_utf8(element).unwrap())
            .collect()
    }

    fn address(element: &str) -> Option<String> {
        for_address(element.as_bytes()).map(|address| address.to_string())
    }

    #[test]
    fn splits_outside_quoted_strings() {
        assert_eq!(elements("for=a,for=b"), ["for=b", "for=a"]);
        assert_eq!(
            elements(r#"x="a,b",y="c\",d",z="""#),
            [r#"z="""#, r#"y="c\",d""#, r#"x="a,b""#]
        );
        assert_eq!(elements(r#"x="a\\",y="\\\",""#), [r#"y="\\\",""#, r#"x="a\\""#]);
        assert_eq!(elements(",a,"), ["", "a", ""]);
        assert_eq!(elements(""), [""]);
    }

    #[test]
    fn an_open_quote_swallows_nothing_to_its_right() {
        assert_eq!(elements(r#"for="x, for=1.2.3.4"#).first(), Some(&" for=1.2.3.4"));
        assert_eq!(elements(r#"for=6.6.6.6;x="\, for="[::1]""#).first(), Some(&r#" for="[::1]""#));
    }

    #[test]
    fn accepted_elements() {
        for (element, expected) in [
            ("for=192.0.2.43", "192.0.2.43"),
            (r#"for="192.0.2.43:47011""#, "192.0.2.43"),
            (r#"For="[2001:db8:cafe::17]:4711""#, "2001:db8:cafe::17"),
            ("for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60"),
            ("proto=http;FOR=192.0.2.60", "192.0.2.60"),
            (r#"host="a;for=6.6.6.6,b";for=192.0.2.60"#, "192.0.2.60"),
            (r#"for="192\.0.2.4\3""#, "192.0.2.43"),
            (r#"for="203.0.113.7:_p""#, "203.0.113.7"),
            (r#"for="[2001:db8::1]:_a.b-c""#, "2001:db8::1"),
            (" \t;for=192.0.2.43 ; proto=https; ", "192.0.2.43"),
        ] {
            assert_eq!(address(element).as_deref(), Some(expected), "{element:?}");
        }
    }

    #[test]
    fn refused_elements() {
        for element in [
            "",
            ";",
            "proto=https",
            "for",
            "for=",
            r#"for="""#,
            "for=unknown",
            "for=_hidden",
            r#"for="_gazonk""#,
            "for=1.2.3.4;for=1.2.3.4",
            "for=1.2.3.4;FOR=5.6.7.8",
            "for=1.2.3.4:80",
            "for=[::1]",
            "for=::1",
            r#"for="::1""#,
            r#"for="[1.2.3.4]""#,
            r#"for=" 1.2.3.4""#,
            "for =1.2.3.4",
            "for= 1.2.3.4",
            r#"for="1.2.3.4"#,
            r#"for=1.2.3.4""#,
            r#"for="1.2.3.4\""#,
            r#"for="1.2.3.4"x"#,
            "for=1.2.3.4;host=a:80",
            "for=1.2.3.4;garbage",
            r#"for="1.2.3.4:_""#,
            "for=1.2.3.4:_port",
            r#"for="[fe80::1%1]""#,
            "1.2.3.4",
            "for=1.2.3.4 5.6.7.8",
        ] {
            assert_eq!(address(element), None, "{element:?}");
        }
        assert_eq!(for_address(b"for=\"\xff\""), None);
    }

    prop_compose! {
        fn well_formed_element()(value in "[ -~]{0,8}") -> String {
            format!("x=\"{}\"", value.replace('\\', r"\\").replace('"', r#"\""#))
        }
    }

    proptest! {
        #[test]
        fn well_formed_lines_read_the_same_both_ways(elements in vec(well_formed_element(), 1..5)) {
            let line = elements.join(",");
            let expected: Vec<_> = elements.iter().map(String::as_bytes).collect();
            let from_left: Vec<_> = split_unquoted(line.as_bytes(), b',').collect();
            let mut from_right: Vec<_> = elements_from_right(line.as_bytes()).collect();
            from_right.reverse();
            prop_assert_eq!(&from_left, &expected);
            prop_assert_eq!(&from_right, &expected);
        }
    }
}
