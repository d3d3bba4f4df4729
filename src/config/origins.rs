//! Reads a list of web origins.

use std::str::FromStr;

use super::value::list;
use crate::http::WebOrigin;

/// Origins, separated by commas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OriginList(pub(super) Vec<WebOrigin>);

impl FromStr for OriginList {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        list(text, str::parse).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_no_origin_and_a_gap_is_a_mistake() {
        let read = |text: &str| text.parse::<OriginList>().map(|list| list.0.len());
        assert_eq!(read(""), Ok(0));
        assert_eq!(read(" "), Ok(0));
        assert_eq!(read("https://a.example, http://localhost:3000"), Ok(2));
        assert!(read("https://a.example,,https://b.example").is_err());
        assert!(read("https://a.example, b.example").unwrap_err().starts_with("`b.example` "));
    }
}
