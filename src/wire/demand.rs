//! The permissions that a gateway asks for, in the query string or in the path of a URL, never in a
//! header: a client could send that itself.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// The one parameter of a query string.
const PERMISSION: &str = "permission";

/// The codes of a query string such as `permission=a&permission=b`.
///
/// `None` if there is any other parameter: a typing error must not ask for less than was meant.
pub fn from_query(query: &str) -> Option<Vec<Cow<'_, str>>> {
    let pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs.map(|(name, code)| (name == PERMISSION).then_some(code)).collect()
}

/// The codes at the start of the rest of a path, such as `a+b/whatever`: those of its first
/// segment, joined by plus signs. What follows is ignored, and so is the query string: gateways
/// that can only put a prefix before the client's own path append both.
///
/// There is always at least one; it may be empty, and then no code at all.
pub fn from_path(rest: &str) -> Vec<String> {
    let segment = rest.split('/').next().unwrap_or_default();
    let segment = percent_decode_str(segment).decode_utf8_lossy();
    segment.split('+').map(ToOwned::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_string_asks_for_permissions_and_nothing_else() {
        for (query, codes) in [
            ("", Some(&[][..])),
            ("permission=a.b.c", Some(&["a.b.c"])),
            ("permission=a.b.c&permission=d.e.f", Some(&["a.b.c", "d.e.f"])),
            ("permission=a%2Eb.c&", Some(&["a.b.c"])),
            ("permission=", Some(&[""])),
            ("permission", Some(&[""])),
            ("permission=a,b", Some(&["a,b"])),
            ("permission=a+b", Some(&["a b"])),
            ("%70ermission=a", Some(&["a"])),
            ("permissions=a", None),
            ("Permission=a", None),
            ("permission=a&permision=b", None),
            ("permission=a&x", None),
            ("permission[]=a", None),
        ] {
            let found = from_query(query);
            let found: Option<Vec<&str>> =
                found.as_ref().map(|codes| codes.iter().map(AsRef::as_ref).collect());
            assert_eq!(found.as_deref(), codes, "{query}");
        }
    }

    #[test]
    fn a_path_asks_in_its_first_segment() {
        for (rest, codes) in [
            ("a.b.c", &["a.b.c"][..]),
            ("a.b.c+d.e.f", &["a.b.c", "d.e.f"]),
            ("a.b.c%2Bd.e.f", &["a.b.c", "d.e.f"]),
            ("a.b.c/", &["a.b.c"]),
            ("a.b.c+d.e.f/x+y/../z", &["a.b.c", "d.e.f"]),
            ("a.b.c//evil", &["a.b.c"]),
            ("a%2Eb.c/x", &["a.b.c"]),
            ("a%2Fb/x", &["a/b"]),
            ("", &[""]),
            ("/x", &[""]),
            ("+a", &["", "a"]),
            ("a b", &["a b"]),
            ("%FF", &["\u{fffd}"]),
        ] {
            assert_eq!(from_path(rest), codes, "{rest}");
        }
    }
}
