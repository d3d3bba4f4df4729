//! The client address: the address of the end client, as far as it can be trusted.
//!
//! Every proxy appends the address of *its* peer to the forwarding header, so the header reads from
//! the client on the left to the nearest proxy on the right, and each element is as trustworthy as
//! the party that wrote it. So it is read from the right: each element is vouched for by the
//! trusted proxy behind it, up to the first address that is not a trusted proxy. Everything further
//! left came from that address and may be invented (RFC 7239 section 8.1).

mod rfc7239;

use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;

use super::field_value::trim;

/// More proxies than any real chain has; a longer one is an attempt to keep the server busy.
const MAX_ELEMENTS: usize = 100;

/// The one forwarding header that is believed.
///
/// Never both: a proxy that maintains one of them passes on the other as the client sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`, a convention without a standard: addresses separated by commas.
    XForwardedFor,
    /// `Forwarded`, RFC 7239.
    Forwarded,
}

/// The networks whose reports about their peers are believed.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// The proxies in these networks. Without any, no header is believed.
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// An IPv4-mapped IPv6 address counts as the IPv4 address in it, which is how a dual-stack
    /// socket shows IPv4 peers.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// Finds the client address from the TCP peer and the `lines` of the configured header, in order of
/// appearance, which together form one list (RFC 9110 section 5.3).
///
/// The header counts only when the peer is a trusted proxy. From the right, trusted proxies are
/// skipped, and the first other address is the client; if there is none, the request began at the
/// leftmost proxy. `None` means unknown: the peer is unknown, or an element on the way to the
/// client cannot be read. Empty elements do not count (RFC 9110 section 5.6.1.2).
pub fn client_address<'a>(
    peer: Option<IpAddr>,
    proxies: &TrustedProxies,
    header: ForwardedHeader,
    lines: impl Iterator<Item = &'a [u8]>,
) -> Option<IpAddr> {
    let peer = peer?.to_canonical();
    if !proxies.contains(peer) {
        return Some(peer);
    }
    let lines: Vec<_> = lines.collect();
    let lines = lines.into_iter().rev();
    match header {
        ForwardedHeader::XForwardedFor => {
            let elements = lines.flat_map(|line| line.rsplit(|&byte| byte == b','));
            first_untrusted(peer, proxies, elements, x_forwarded_for)
        }
        ForwardedHeader::Forwarded => {
            let elements = lines.flat_map(rfc7239::elements_from_right);
            first_untrusted(peer, proxies, elements, rfc7239::for_address)
        }
    }
}

/// Walks from the peer towards the client. Elements beyond the client are not read. Empty elements
/// are skipped, but count for the limit.
fn first_untrusted<'a>(
    peer: IpAddr,
    proxies: &TrustedProxies,
    elements: impl Iterator<Item = &'a [u8]>,
    read: impl Fn(&[u8]) -> Option<IpAddr>,
) -> Option<IpAddr> {
    let mut farthest = peer;
    for (passed, element) in elements.map(trim).enumerate() {
        if passed == MAX_ELEMENTS {
            return None;
        }
        if element.is_empty() {
            continue;
        }
        farthest = read(element)?.to_canonical();
        if !proxies.contains(farthest) {
            break;
        }
    }
    Some(farthest)
}

/// An `X-Forwarded-For` element: a node as in `Forwarded`, or, since nothing is quoted here, IPv6
/// without brackets.
fn x_forwarded_for(element: &[u8]) -> Option<IpAddr> {
    let element = str::from_utf8(element).ok()?;
    element.parse::<Ipv6Addr>().map(IpAddr::V6).ok().or_else(|| node(element))
}

/// An address with an optional port, IPv6 in brackets (RFC 7239 section 6). The names that hide an
/// address, `unknown` (section 6.2) and obfuscated identifiers (section 6.3), are refused.
///
/// The standard library refuses leading zeros, which some read as octal, and zone ids, which mean
/// nothing to others.
fn node(text: &str) -> Option<IpAddr> {
    let (address, port) = if let Some(bracketed) = text.strip_prefix('[') {
        let (address, rest) = bracketed.split_once(']')?;
        let port = if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) };
        (IpAddr::V6(address.parse().ok()?), port)
    } else {
        let (address, port) =
            text.split_once(':').map_or((text, None), |(address, port)| (address, Some(port)));
        (IpAddr::V4(address.parse().ok()?), port)
    };
    port.is_none_or(is_port).then_some(address)
}

/// A port or an obfuscated one (RFC 7239 section 6). A port is `1*5DIGIT` and a real one: `u16`
/// alone would let a plus sign through. An obfuscated one is an underscore and some of `ALPHA /
/// DIGIT / "." / "_" / "-"`.
fn is_port(text: &str) -> bool {
    if let Some(name) = text.strip_prefix('_') {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        return !name.is_empty() && name.bytes().all(is_part);
    }
    text.len() <= 5 && text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::ForwardedHeader::{Forwarded, XForwardedFor};
    use super::*;

    const PROXY: &str = "10.0.0.1";

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn proxies() -> TrustedProxies {
        TrustedProxies::new(vec![
            "10.0.0.0/8".parse().unwrap(),
            "2001:db8:aaaa::/48".parse().unwrap(),
        ])
    }

    fn client(peer: &str, header: ForwardedHeader, lines: &[&str]) -> Option<IpAddr> {
        client_address(Some(ip(peer)), &proxies(), header, lines.iter().map(|line| line.as_bytes()))
    }

    /// The client behind one trusted proxy that sent this `X-Forwarded-For`.
    fn behind_proxy(line: &str) -> Option<IpAddr> {
        client(PROXY, XForwardedFor, &[line])
    }

    #[test]
    fn unknown_peer_is_unknown_client() {
        assert_eq!(
            client_address(None, &proxies(), XForwardedFor, [&b"1.2.3.4"[..]].into_iter()),
            None
        );
    }

    #[test]
    fn header_of_an_untrusted_peer_is_ignored() {
        assert_eq!(client("9.9.9.9", XForwardedFor, &["1.2.3.4"]), Some(ip("9.9.9.9")));
        assert_eq!(client("9.9.9.9", XForwardedFor, &["garbage"]), Some(ip("9.9.9.9")));
        assert_eq!(client("9.9.9.9", Forwarded, &["for=1.2.3.4"]), Some(ip("9.9.9.9")));
    }

    #[test]
    fn without_trusted_proxies_the_peer_is_the_client() {
        let nobody = TrustedProxies::default();
        assert_eq!(
            client_address(Some(ip(PROXY)), &nobody, XForwardedFor, [&b"1.2.3.4"[..]].into_iter()),
            Some(ip(PROXY))
        );
    }

    #[test]
    fn without_header_the_peer_is_the_client() {
        assert_eq!(client(PROXY, XForwardedFor, &[]), Some(ip(PROXY)));
        assert_eq!(client(PROXY, Forwarded, &[]), Some(ip(PROXY)));
    }

    #[test]
    fn trusted_proxies_are_passed_over_from_the_right() {
        assert_eq!(behind_proxy("6.6.6.6, 1.2.3.4, 10.0.0.3, 10.0.0.2"), Some(ip("1.2.3.4")));
        assert_eq!(behind_proxy("1.2.3.4, 2001:db8:aaaa::5"), Some(ip("1.2.3.4")));
        assert_eq!(
            client(
                PROXY,
                Forwarded,
                &[r#"for=6.6.6.6, for=1.2.3.4;proto=https, for="[2001:db8:aaaa::5]:80""#]
            ),
            Some(ip("1.2.3.4"))
        );
    }

    #[test]
    fn all_trusted_means_the_leftmost() {
        assert_eq!(behind_proxy("10.0.0.4, 10.0.0.3,10.0.0.2"), Some(ip("10.0.0.4")));
        assert_eq!(
            client(PROXY, Forwarded, &["for=10.0.0.4", "for=10.0.0.3"]),
            Some(ip("10.0.0.4"))
        );
    }

    #[test]
    fn lines_form_one_list() {
        assert_eq!(
            client(PROXY, XForwardedFor, &["6.6.6.6", "1.2.3.4, 10.0.0.3", "10.0.0.2"]),
            Some(ip("1.2.3.4"))
        );
        assert_eq!(
            client(PROXY, XForwardedFor, &["6.6.6.6, 1.2.3.4", "10.0.0.2"]),
            Some(ip("1.2.3.4"))
        );
        assert_eq!(
            client(PROXY, Forwarded, &["for=6.6.6.6", "for=1.2.3.4", "for=10.0.0.2"]),
            Some(ip("1.2.3.4"))
        );
    }

    #[test]
    fn ipv4_mapped_addresses_are_ipv4() {
        assert_eq!(client("::ffff:9.9.9.9", XForwardedFor, &["1.2.3.4"]), Some(ip("9.9.9.9")));
        assert_eq!(client("::ffff:10.0.0.1", XForwardedFor, &["1.2.3.4"]), Some(ip("1.2.3.4")));
        assert_eq!(behind_proxy("6.6.6.6, ::ffff:1.2.3.4, [::ffff:a00:2]:80"), Some(ip("1.2.3.4")));
        assert!(proxies().contains(ip("::ffff:10.0.0.1")));
    }

    #[test]
    fn accepted_forms() {
        for (element, address) in [
            ("1.2.3.4", "1.2.3.4"),
            ("1.2.3.4:5678", "1.2.3.4"),
            (" \t1.2.3.4\t ", "1.2.3.4"),
            ("2001:db8::1", "2001:db8::1"),
            ("2001:DB8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:5678", "2001:db8::1"),
            ("1.2.3.4:65535", "1.2.3.4"),
            ("1.2.3.4:_x", "1.2.3.4"),
            ("1.2.3.4:_Az0._-", "1.2.3.4"),
            ("[2001:db8::1]:_p", "2001:db8::1"),
        ] {
            assert_eq!(behind_proxy(element), Some(ip(address)), "{element:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_unknown() {
        for element in [
            "unknown",
            "_hidden",
            "-",
            "garbage",
            "1.2.3",
            "1.2.3.4.5",
            "1.2.3.256",
            "01.2.3.4",
            "1.2.3.04",
            "::ffff:01.2.3.4",
            "0x1.2.3.4",
            "16909060",
            "1.2.3.4:",
            "1.2.3.4:x",
            "1.2.3.4:+80",
            "1.2.3.4:65536",
            "1.2.3.4:000080",
            "1.2.3.4:_",
            "1.2.3.4:_x!",
            "1.2.3.4:x_",
            "1.2.3.4:80:80",
            "1.2.3.4 5.6.7.8",
            "1.2.3.4/32",
            "[1.2.3.4]",
            "\"1.2.3.4\"",
            "[::1",
            "::1]",
            "[::1]80",
            "[::1]:",
            "[[::1]]",
            "[]",
            "fe80::1%1",
            "[fe80::1%eth0]",
            "[fe80::1%1]:80",
            "\u{a0}1.2.3.4",
            "for=1.2.3.4",
            "1.2.3.4\x0c",
            "localhost",
        ] {
            assert_eq!(behind_proxy(element), None, "{element:?}");
            assert_eq!(behind_proxy(&format!("1.2.3.4, {element}, 10.0.0.2")), None, "{element:?}");
            assert_eq!(
                behind_proxy(&format!("{element}, 1.2.3.4")),
                Some(ip("1.2.3.4")),
                "{element:?}"
            );
        }
    }

    #[test]
    fn empty_elements_do_not_count() {
        for line in [
            "1.2.3.4,",
            ",1.2.3.4",
            "1.2.3.4,,",
            "6.6.6.6,,1.2.3.4 , \t,10.0.0.2,",
            "1.2.3.4, ,10.0.0.2",
        ] {
            assert_eq!(behind_proxy(line), Some(ip("1.2.3.4")), "{line:?}");
            assert_eq!(client(PROXY, XForwardedFor, &["", line, " ", ","]), Some(ip("1.2.3.4")));
        }
        for line in ["for=1.2.3.4,", "for=6.6.6.6,, for=1.2.3.4, ,for=10.0.0.2", "for=1.2.3.4\t,\t"]
        {
            assert_eq!(client(PROXY, Forwarded, &[line]), Some(ip("1.2.3.4")), "{line:?}");
            assert_eq!(client(PROXY, Forwarded, &[line, "", ", ,"]), Some(ip("1.2.3.4")));
        }
        for lines in [&[""][..], &[" \t"], &[",,"], &["", ""]] {
            assert_eq!(client(PROXY, XForwardedFor, lines), Some(ip(PROXY)), "{lines:?}");
            assert_eq!(client(PROXY, Forwarded, lines), Some(ip(PROXY)), "{lines:?}");
        }
        assert_eq!(client(PROXY, Forwarded, &["for=1.2.3.4, ;"]), None, "an element without `for`");
        assert_eq!(behind_proxy(&format!("1.2.3.4{}", ",".repeat(99))), Some(ip("1.2.3.4")));
        assert_eq!(behind_proxy(&format!("1.2.3.4{}", ",".repeat(100))), None);
    }

    #[test]
    fn bytes_that_are_not_utf8_matter_only_on_the_way() {
        let read = |line: &[u8]| {
            client_address(Some(ip(PROXY)), &proxies(), XForwardedFor, [line].into_iter())
        };
        assert_eq!(read(b"1.2.3.4, \xff"), None);
        assert_eq!(read(b"\xff, 1.2.3.4"), Some(ip("1.2.3.4")));
    }

    #[test]
    fn the_way_is_limited() {
        let chain = |proxies| "10.0.0.2,".repeat(proxies);
        assert_eq!(behind_proxy(&format!("1.2.3.4,{}10.0.0.2", chain(98))), Some(ip("1.2.3.4")));
        assert_eq!(behind_proxy(&format!("1.2.3.4,{}10.0.0.2", chain(99))), None);
        assert_eq!(
            behind_proxy(&format!("{}1.2.3.4", chain(10_000))),
            Some(ip("1.2.3.4")),
            "left of the client"
        );
        assert_eq!(client(PROXY, XForwardedFor, &["10.0.0.2"; 100]), Some(ip("10.0.0.2")));
        assert_eq!(client(PROXY, XForwardedFor, &["10.0.0.2"; 101]), None);
    }

    fn header() -> impl Strategy<Value = ForwardedHeader> {
        prop_oneof![Just(XForwardedFor), Just(Forwarded)]
    }

    /// Bytes that mean something in either header, so that more than the first check is reached.
    fn hostile_bytes() -> impl Strategy<Value = Vec<u8>> {
        let pieces: &[&[u8]] = &[
            b"for=",
            b"\"",
            b"\\",
            b",",
            b";",
            b"=",
            b" ",
            b"[",
            b"]",
            b":",
            b"10.0.0.2",
            b"6.6.6.6",
            b"::1",
            b"\xff",
        ];
        prop_oneof![
            any::<Vec<u8>>(),
            vec(proptest::sample::select(pieces), 0..12).prop_map(|pieces| pieces.concat()),
        ]
    }

    fn find(peer: IpAddr, header: ForwardedHeader, lines: &[Vec<u8>]) -> Option<IpAddr> {
        client_address(Some(peer), &proxies(), header, lines.iter().map(Vec::as_slice))
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(header in header(), lines in vec(hostile_bytes(), 0..4)) {
            find(ip(PROXY), header, &lines);
        }

        #[test]
        fn an_untrusted_peer_cannot_change_its_address(
            peer in any::<IpAddr>().prop_filter("untrusted", |peer| !proxies().contains(*peer)),
            header in header(),
            lines in vec(hostile_bytes(), 0..4),
        ) {
            prop_assert_eq!(find(peer, header, &lines), Some(peer.to_canonical()));
        }

        #[test]
        fn nothing_left_of_the_client_counts(
            header in header(),
            lies in hostile_bytes(),
            same_line in any::<bool>(),
        ) {
            let truth: &[u8] = match header {
                XForwardedFor => b"1.2.3.4:80, 10.0.0.2",
                Forwarded => br#"for="1.2.3.4:80";host="a\"b,c", for=10.0.0.2"#,
            };
            let lines = if same_line {
                vec![[&lies, truth].join(&b", "[..])]
            } else {
                vec![lies, truth.to_vec()]
            };
            prop_assert_eq!(find(ip(PROXY), header, &lines), Some(ip("1.2.3.4")));
        }

        #[test]
        fn every_address_is_read(address in any::<IpAddr>(), port in any::<Option<u16>>()) {
            let node = match (address, port) {
                (_, Some(port)) => std::net::SocketAddr::new(address, port).to_string(),
                (IpAddr::V4(address), None) => address.to_string(),
                (IpAddr::V6(address), None) => format!("[{address}]"),
            };
            let expected = Some(address.to_canonical());
            for (header, line) in [
                (XForwardedFor, node.clone()),
                (XForwardedFor, address.to_string()),
                (Forwarded, format!("For=\"{node}\"")),
            ] {
                prop_assert_eq!(find(ip(PROXY), header, &[line.into_bytes()]), expected);
            }
        }
    }
}
