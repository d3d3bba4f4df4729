use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;

/// More proxies than any real chain has.
const MAX_ELEMENTS: usize = 100;

/// The proxies whose `X-Forwarded-For` is believed: neither actix-web nor axum has such a setting.
/// By default none is, and the client is whoever connects.
///
/// actix-web's `realip_remote_addr` believes the header of *any* client; it is not used.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Vec<IpNet>);

/// A text that is neither an address nor a network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither an IP address nor a CIDR network")]
pub struct InvalidProxy(String);

impl TrustedProxies {
    /// Reads addresses and CIDR networks, such as `10.0.0.0/8`.
    ///
    /// # Errors
    /// The first text that is neither.
    pub fn parse(texts: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self, InvalidProxy> {
        let network =
            |text: &str| text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).ok();
        let texts = texts.into_iter();
        let read = texts.map(|text| {
            let text = text.as_ref().trim();
            network(text).ok_or_else(|| InvalidProxy(text.to_owned()))
        });
        Ok(Self(read.collect::<Result<_, _>>()?))
    }

    /// The address of the client, from the peer of the connection and the values of all
    /// `X-Forwarded-For` headers.
    ///
    /// The list is read from the right, past trusted proxies: what is further left is only what the
    /// client says. `None` means unknown: so is the peer, or an element cannot be read.
    pub fn client_address<'a>(
        &self,
        peer: Option<IpAddr>,
        forwarded_for: impl IntoIterator<Item = &'a [u8]>,
    ) -> Option<IpAddr> {
        let mut farthest = peer?.to_canonical();
        if !self.contain(farthest) {
            return Some(farthest);
        }
        let lines: Vec<_> = forwarded_for.into_iter().collect();
        let elements = lines.into_iter().rev().flat_map(|line| line.rsplit(|byte| *byte == b','));
        for (passed, element) in elements.map(<[u8]>::trim_ascii).enumerate() {
            if passed == MAX_ELEMENTS {
                return None;
            }
            if element.is_empty() {
                continue;
            }
            farthest = read(str::from_utf8(element).ok()?)?.to_canonical();
            if !self.contain(farthest) {
                break;
            }
        }
        Some(farthest)
    }

    fn contain(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// An address, with or without a port; IPv6 with or without brackets.
fn read(element: &str) -> Option<IpAddr> {
    if let Ok(address) = element.parse::<Ipv6Addr>() {
        return Some(address.into());
    }
    let (address, port): (IpAddr, _) = match element.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']')?;
            (address.parse::<Ipv6Addr>().ok()?.into(), port)
        }
        None => {
            let end = element.find(':').unwrap_or(element.len());
            let (address, port) = element.split_at_checked(end)?;
            (IpAddr::V4(address.parse().ok()?), port)
        }
    };
    let is_port =
        |port: &str| port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok();
    (port.is_empty() || port.strip_prefix(':').is_some_and(is_port)).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, lines: &[&str]) -> Option<String> {
        let proxies = TrustedProxies::parse(["10.0.0.0/8", "2001:db8::1"]).unwrap();
        let lines = lines.iter().map(|line| line.as_bytes());
        proxies.client_address(Some(peer.parse().unwrap()), lines).map(|ip| ip.to_string())
    }

    #[test]
    fn the_list_is_read_from_the_right() {
        for (peer, lines, expected) in [
            ("192.0.2.1", &["198.51.100.1"][..], Some("192.0.2.1")),
            ("10.0.0.1", &[], Some("10.0.0.1")),
            ("10.0.0.1", &[""], Some("10.0.0.1")),
            ("10.0.0.1", &["192.0.2.1"], Some("192.0.2.1")),
            ("10.0.0.1", &["198.51.100.1, 192.0.2.1"], Some("192.0.2.1")),
            ("10.0.0.1", &["198.51.100.1", "192.0.2.1"], Some("192.0.2.1")),
            ("10.0.0.1", &["192.0.2.1, 10.9.9.9"], Some("192.0.2.1")),
            ("10.0.0.1", &["10.1.1.1, 10.2.2.2"], Some("10.1.1.1")),
            ("10.0.0.1", &["192.0.2.1, ,"], Some("192.0.2.1")),
            ("10.0.0.1", &["192.0.2.1:4711"], Some("192.0.2.1")),
            ("10.0.0.1", &["[2001:db8::7]:4711"], Some("2001:db8::7")),
            ("10.0.0.1", &["2001:db8::7"], Some("2001:db8::7")),
            ("10.0.0.1", &["::ffff:192.0.2.1"], Some("192.0.2.1")),
            ("::ffff:10.0.0.1", &["192.0.2.1"], Some("192.0.2.1")),
            ("10.0.0.1", &["192.0.2.1, unknown"], None),
            ("10.0.0.1", &["192.0.2.1, 010.0.0.1"], None),
            ("10.0.0.1", &["192.0.2.1:"], None),
            ("10.0.0.1", &["192.0.2.1:99999"], None),
            ("10.0.0.1", &["fe80::1%eth0"], None),
            ("10.0.0.1", &["[192.0.2.1]"], None),
        ] {
            assert_eq!(client(peer, lines).as_deref(), expected, "{peer} {lines:?}");
        }
        assert_eq!(client("10.0.0.1", &[&"10.0.0.1,".repeat(100)]), None);
        assert!(TrustedProxies::parse(["proxy.example"]).is_err());
    }
}
