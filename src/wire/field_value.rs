//! The pieces that header field values are made of: lists, parameters, tokens and quoted strings
//! (RFC 9110 section 5.6).
//!
//! Everything works on bytes, because a field value need not be UTF-8 (RFC 9110 section 5.5).

use std::borrow::Cow;

/// A `name=value` pair, its value freed from quotes (RFC 9110 section 5.6.6).
pub struct Parameter<'a> {
    name: &'a [u8],
    /// The value, without quotes.
    pub value: Cow<'a, [u8]>,
}

impl<'a> Parameter<'a> {
    /// No whitespace is allowed around the equals sign (RFC 9110 section 5.6.6).
    fn parse(pair: &'a [u8]) -> Option<Self> {
        let mut halves = pair.splitn(2, |&byte| byte == b'=');
        let (name, value) = (halves.next()?, halves.next()?);
        let value =
            if is_token(value) { Cow::Borrowed(value) } else { Cow::Owned(unquote(value)?) };
        is_token(name).then_some(Self { name, value })
    }

    /// Compares the name without regard to case.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }
}

/// Reads each part as a parameter, `None` where it is not one. Empty parts are allowed between the
/// semicolons (RFC 9110 section 5.6.6, RFC 7239 section 4).
pub fn parameters<'a>(
    parts: impl Iterator<Item = &'a [u8]>,
) -> impl Iterator<Item = Option<Parameter<'a>>> {
    parts.filter(|part| !part.is_empty()).map(Parameter::parse)
}

/// Splits at every separator outside quoted strings, and trims the parts. Empty parts are kept.
pub fn split_unquoted(value: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let (mut quoted, mut escaped) = (false, false);
    let is_boundary = move |&byte: &u8| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ => return byte == separator && !quoted,
        }
        false
    };
    value.split(is_boundary).map(trim)
}

/// The elements of a list, without the empty ones, which do not count (RFC 9110 section 5.6.1.2).
pub fn list_elements(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    split_unquoted(line, b',').filter(|element| !element.is_empty())
}

/// Takes off optional whitespace: spaces and tabs, nothing else (RFC 9110 section 5.6.3).
pub fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// Is this a token of RFC 9110 section 5.6.2?
pub fn is_token(bytes: &[u8]) -> bool {
    let is_token_character =
        |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !bytes.is_empty() && bytes.iter().all(is_token_character)
}

/// The content of a quoted string, without its backslashes (RFC 9110 section 5.6.4).
fn unquote(value: &[u8]) -> Option<Vec<u8>> {
    let quoted = value.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let mut content = Vec::with_capacity(quoted.len());
    let mut bytes = quoted.iter();
    while let Some(&byte) = bytes.next() {
        let byte = match byte {
            b'"' => return None,
            b'\\' => *bytes.next()?,
            _ => byte,
        };
        if byte.is_ascii_control() && byte != b'\t' {
            return None;
        }
        content.push(byte);
    }
    Some(content)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn split(value: &str) -> Vec<&str> {
        split_unquoted(value.as_bytes(), b',')
            .map(|part| std::str::from_utf8(part).unwrap())
            .collect()
    }

    fn value_of(pair: &str) -> Option<Vec<u8>> {
        Parameter::parse(pair.as_bytes()).map(|parameter| parameter.value.into_owned())
    }

    #[test]
    fn separators_in_quoted_strings_do_not_split() {
        assert_eq!(split(r#"a , "b,c"	,"d\",e",, f"#), ["a", r#""b,c""#, r#""d\",e""#, "", "f"]);
        assert_eq!(split(r"a\,b"), [r"a\", "b"], "a backslash escapes in quoted strings only");
        assert_eq!(split(""), [""]);
    }

    #[test]
    fn trims_spaces_and_tabs_only() {
        assert_eq!(trim(b" \t a b\t "), b"a b");
        assert_eq!(trim(b"\x0ca\n"), b"\x0ca\n");
        assert_eq!(trim(b" \t "), b"");
    }

    #[test]
    fn reads_tokens_and_quoted_strings() {
        assert_eq!(value_of("a=b").unwrap(), b"b");
        assert_eq!(value_of(r#"a="b""#).unwrap(), b"b");
        assert_eq!(value_of(r#"a="\b \"c\\""#).unwrap(), br#"b "c\"#);
        assert_eq!(value_of(r#"a="=;,""#).unwrap(), b"=;,");
        assert_eq!(value_of(r#"a="""#).unwrap(), b"");
    }

    #[test]
    fn refuses_what_is_no_parameter() {
        for pair in [
            "",
            "a",
            "=",
            "a=",
            "=b",
            "a =b",
            "a= b",
            "a=b c",
            "a=b:c",
            "a==",
            r#"a=""#,
            r#"a="b"#,
            r#"a="b\""#,
            r#"a="b"c"#,
            r#"a="b"c""#,
            r#""a"=b"#,
            "a=\"\n\"",
            "a=\"\\\n\"",
            "a=\"\x7f\"",
        ] {
            assert!(value_of(pair).is_none(), "{pair:?}");
        }
    }

    /// What a quoted string can hold, often what must be escaped in it.
    fn text_byte() -> impl Strategy<Value = u8> {
        prop_oneof![Just(b'"'), Just(b'\\'), 0x20..0x7f_u8, 0x80..=0xff_u8]
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(value in any::<Vec<u8>>(), separator in any::<u8>()) {
            parameters(split_unquoted(&value, separator)).for_each(drop);
        }

        #[test]
        fn quoting_is_undone(text in vec(text_byte(), 0..20)) {
            let mut pair = b"a=\"".to_vec();
            for byte in &text {
                if matches!(byte, b'"' | b'\\') {
                    pair.push(b'\\');
                }
                pair.push(*byte);
            }
            pair.push(b'"');

            prop_assert_eq!(split_unquoted(&pair, b',').count(), 1);
            prop_assert_eq!(Parameter::parse(&pair).unwrap().value.into_owned(), text);
        }
    }
}
