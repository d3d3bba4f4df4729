//! Reads a list of proxies.

use std::str::FromStr;

use ipnet::IpNet;

use super::value::list;
use crate::domain::address::IpNetwork;

/// Addresses and CIDR networks, separated by commas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyList(pub(super) Vec<IpNet>);

impl FromStr for ProxyList {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        list(text, |text| IpNetwork::parse(text).map(IpNetwork::net)).map(Self)
    }
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
        assert_eq!(read("10.0.0.0/8, ::1,"), Ok(2));
        assert!(read("10.0.0.0/8,,::1").is_err());
        assert!(read("::1, 10.0.0.1/8").unwrap_err().starts_with("`10.0.0.1/8` "));
    }
}
