//! How a list of proxies is read.

use std::str::FromStr;

use ipnet::IpNet;

use crate::domain::address::IpNetwork;

/// Addresses and CIDR networks, separated by commas. Read as one text, because an empty one means
/// none, while a list that were taken apart first would have one empty element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyList(pub(super) Vec<IpNet>);

impl FromStr for ProxyList {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Ok(Self(Vec::new()));
        }
        text.split(',').map(proxy).collect::<Result<_, _>>().map(Self)
    }
}

fn proxy(text: &str) -> Result<IpNet, String> {
    let text = text.trim();
    IpNetwork::parse(text).map(IpNetwork::net).map_err(|wrong| format!("`{text}` {wrong}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_no_proxy_and_a_gap_is_a_mistake() {
        let read = |text: &str| text.parse::<ProxyList>().map(|list| list.0.len());
        assert_eq!(read(""), Ok(0));
        assert_eq!(read(" "), Ok(0));
        assert_eq!(read("10.0.0.0/8, ::1"), Ok(2));
        assert!(read("10.0.0.0/8,,::1").is_err());
        assert!(read("::1, 10.0.0.1/8").unwrap_err().starts_with("`10.0.0.1/8` "));
    }
}
