//! Addresses and networks from which a token may be used.

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Most entries in one list.
pub const MAX_ADDRESSES: usize = 1_000;

/// An IP address or a CIDR network in canonical form: no host bits, never IPv4-mapped. `Display`
/// writes a single address without `/32` or `/128`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct IpNetwork(IpNet);

/// Why a text is not accepted as an address or network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidNetwork {
    /// It is neither an address nor a network.
    #[error(
        "is not an IP address or CIDR network; write it like `192.0.2.7`, `192.0.2.0/24`, \
         `2001:db8::7` or `2001:db8::/32`, without leading zeros"
    )]
    Syntax,
    /// It has a zone id (`%eth0`), which means something on one machine only.
    #[error("has a zone id, which means something on one machine only; leave it out")]
    ZoneId,
    /// The prefix length is more than the address has bits; this many.
    #[error("has a prefix length out of range: 0 to {0}")]
    PrefixLength(u8),
    /// Bits are set beyond the prefix; the network that is probably meant.
    #[error("has host bits set; write `{0}` for the network, or the address alone")]
    HostBits(IpNetwork),
    /// It is an IPv4 address in IPv6 form; the IPv4 form.
    #[error("is an IPv4 address written as IPv6; write `{0}`")]
    Mapped(IpNetwork),
}

impl InvalidNetwork {
    /// The reason for programs.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Syntax => "address_syntax",
            Self::ZoneId => "address_zone_id",
            Self::PrefixLength(_) => "address_prefix_length",
            Self::HostBits(_) => "address_host_bits",
            Self::Mapped(_) => "address_ipv4_mapped",
        }
    }
}

impl IpNetwork {
    /// Reads an address or network strictly. The standard library's reader refuses leading zeros,
    /// which some systems take for octal.
    ///
    /// # Errors
    /// What is wrong, with the form to use where there is one.
    pub fn parse(text: &str) -> Result<Self, InvalidNetwork> {
        if text.contains('%') {
            return Err(InvalidNetwork::ZoneId);
        }
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| InvalidNetwork::Syntax)?;
        let widest = if address.is_ipv4() { 32 } else { 128 };
        let length = length.map_or(Ok(widest), |length| prefix_length(length, widest))?;
        let net = IpNet::new(address, length).map_err(|_| InvalidNetwork::PrefixLength(widest))?;
        if let Some(unmapped) = unmapped(net) {
            return Err(InvalidNetwork::Mapped(Self(unmapped)));
        }
        if net != net.trunc() {
            return Err(InvalidNetwork::HostBits(Self(net.trunc())));
        }
        Ok(Self(net))
    }

    /// Wraps a network that the database holds.
    pub fn from_net(net: IpNet) -> Self {
        Self(net.trunc())
    }

    /// The network for the database.
    pub const fn net(self) -> IpNet {
        self.0
    }
}

/// Digits only, no leading zeros, within the width of the address.
fn prefix_length(text: &str, widest: u8) -> Result<u8, InvalidNetwork> {
    let canonical = text == "0" || !text.starts_with('0');
    if text.is_empty() || !canonical || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(InvalidNetwork::Syntax);
    }
    let length = text.parse().ok().filter(|length| *length <= widest);
    length.ok_or(InvalidNetwork::PrefixLength(widest))
}

/// The IPv4 form of what is written with an IPv4-mapped address (RFC 4291, section 2.5.5.2).
///
/// The prefix length counts the bits of the whole address, so `/104` is an IPv4 network of 8 bits.
/// A length of up to 32 can only be meant for the IPv4 address. A length in between has no meaning;
/// the single address is the narrowest reading.
fn unmapped(net: IpNet) -> Option<IpNet> {
    let IpNet::V6(v6) = net else { return None };
    let address = v6.addr().to_ipv4_mapped()?;
    let length = match v6.prefix_len() {
        length @ 0..=32 => length,
        length => length.checked_sub(96).unwrap_or(32),
    };
    Ipv4Net::new(address, length).ok().map(|net| IpNet::V4(net.trunc()))
}

impl fmt::Display for IpNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.prefix_len() == self.0.max_prefix_len() {
            self.0.addr().fmt(f)
        } else {
            self.0.fmt(f)
        }
    }
}

/// The addresses from which a token may be used. Empty: any address. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct AllowedAddresses(Arc<List>);

#[derive(Debug, Default)]
struct List {
    networks: Box<[IpNetwork]>,
    /// Made when the list is first asked for an address.
    ranges: OnceLock<Ranges>,
}

/// The first and last address of each network, in order, without those inside others. All of IPv4
/// comes before IPv6.
#[derive(Debug)]
struct Ranges(Box<[(IpAddr, IpAddr)]>);

impl Ranges {
    fn of(networks: &[IpNetwork]) -> Self {
        let range = |network: &IpNetwork| (network.0.network(), network.0.broadcast());
        let mut ranges: Vec<_> = networks.iter().map(range).collect();
        ranges.sort_unstable();
        // Of two networks, one contains the other, or they have nothing in common.
        ranges.dedup_by(|next, kept| {
            let overlaps = next.0 <= kept.1;
            if overlaps {
                kept.1 = kept.1.max(next.1);
            }
            overlaps
        });
        Self(ranges.into())
    }

    fn contain(&self, address: IpAddr) -> bool {
        let after = self.0.partition_point(|(first, _)| *first <= address);
        let last = after.checked_sub(1).and_then(|index| self.0.get(index));
        last.is_some_and(|(_, last)| address <= *last)
    }
}

impl PartialEq for AllowedAddresses {
    fn eq(&self, other: &Self) -> bool {
        self.0.networks == other.0.networks
    }
}

impl Eq for AllowedAddresses {}

impl AllowedAddresses {
    /// Wraps the networks that the database holds, each once.
    pub fn stored(networks: impl IntoIterator<Item = IpNet>) -> Self {
        Self::of(networks.into_iter().map(IpNetwork::from_net).collect())
    }

    fn of(networks: Box<[IpNetwork]>) -> Self {
        Self(Arc::new(List { networks, ranges: OnceLock::new() }))
    }

    /// Is any address allowed?
    pub fn is_any(&self) -> bool {
        self.0.networks.is_empty()
    }

    /// The networks in the order in which they were given.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = IpNetwork> + '_ {
        self.0.networks.iter().copied()
    }

    /// May a client with this address pass? An unknown address passes only where any may.
    pub fn admits(&self, client: Option<IpAddr>) -> bool {
        let ranges = || self.0.ranges.get_or_init(|| Ranges::of(&self.0.networks));
        self.is_any() || client.is_some_and(|address| ranges().contain(address.to_canonical()))
    }

    /// The reach that narrower lists must stay within.
    pub fn reach(&self) -> AddressReach {
        if self.is_any() {
            return AddressReach::Any;
        }
        let v4: Vec<Ipv4Net> = self.iter().filter_map(|network| v4(network.0)).collect();
        let v6: Vec<Ipv6Net> = self.iter().filter_map(|network| v6(network.0)).collect();
        let v4 = Ipv4Net::aggregate(&v4).into_iter().map(IpNet::V4);
        let v6 = Ipv6Net::aggregate(&v6).into_iter().map(IpNet::V6);
        AddressReach::Within(v4.chain(v6).collect())
    }
}

impl FromIterator<IpNetwork> for AllowedAddresses {
    /// Keeps the first of equal networks.
    fn from_iter<I: IntoIterator<Item = IpNetwork>>(networks: I) -> Self {
        let mut seen = std::collections::HashSet::new();
        Self::of(networks.into_iter().filter(|network| seen.insert(*network)).collect())
    }
}

/// How far a list of allowed addresses reaches. Neighbouring networks are joined first, so that a
/// network inside two halves counts as inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddressReach {
    /// From anywhere.
    Any,
    /// From within one of these networks.
    Within(Vec<IpNet>),
}

impl AddressReach {
    /// Does the network lie within?
    pub fn covers(&self, network: IpNetwork) -> bool {
        match self {
            Self::Any => true,
            Self::Within(nets) => nets.iter().any(|net| net.contains(&network.0)),
        }
    }

    /// Does the whole list lie within? An empty one is any address, which is wider than some.
    pub fn covers_all(&self, list: &AllowedAddresses) -> bool {
        match self {
            Self::Any => true,
            Self::Within(_) => !list.is_any() && list.iter().all(|network| self.covers(network)),
        }
    }
}

const fn v4(net: IpNet) -> Option<Ipv4Net> {
    match net {
        IpNet::V4(net) => Some(net),
        IpNet::V6(_) => None,
    }
}

const fn v6(net: IpNet) -> Option<Ipv6Net> {
    match net {
        IpNet::V6(net) => Some(net),
        IpNet::V4(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use proptest::prelude::*;

    use super::*;

    fn list(texts: &[&str]) -> AllowedAddresses {
        texts.iter().map(|text| IpNetwork::parse(text).unwrap()).collect()
    }

    #[test]
    fn writes_the_canonical_form() {
        for (text, canonical) in [
            ("10.0.0.1", "10.0.0.1"),
            ("10.0.0.1/32", "10.0.0.1"),
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("2001:DB8:0::1/128", "2001:db8::1"),
            ("2001:db8::/32", "2001:db8::/32"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("::/0", "::/0"),
        ] {
            assert_eq!(IpNetwork::parse(text).unwrap().to_string(), canonical);
        }
    }

    #[test]
    fn refuses_with_the_form_to_use() {
        for (text, reason, hint) in [
            ("010.0.0.1", "address_syntax", "leading zeros"),
            ("10.0.0.1/8", "address_host_bits", "`10.0.0.0/8`"),
            ("::ffff:10.0.0.1", "address_ipv4_mapped", "`10.0.0.1`"),
            ("::ffff:10.1.2.3/104", "address_ipv4_mapped", "`10.0.0.0/8`"),
            ("::ffff:10.0.0.0/104", "address_ipv4_mapped", "`10.0.0.0/8`"),
            ("::ffff:10.0.0.0/8", "address_ipv4_mapped", "`10.0.0.0/8`"),
            ("::ffff:10.1.2.3/24", "address_ipv4_mapped", "`10.1.2.0/24`"),
            ("::ffff:a00:0/32", "address_ipv4_mapped", "`10.0.0.0`"),
            ("::ffff:10.0.0.0/64", "address_ipv4_mapped", "`10.0.0.0`"),
            ("::ffff:10.0.0.0/95", "address_ipv4_mapped", "`10.0.0.0`"),
            ("::ffff:0:0/96", "address_ipv4_mapped", "`0.0.0.0/0`"),
            ("::10.0.0.0/8", "address_host_bits", "`::/8`"),
            ("fe80::1%eth0", "address_zone_id", "zone"),
            ("10.0.0.0/33", "address_prefix_length", "0 to 32"),
            ("10.0.0.0/08", "address_syntax", "leading zeros"),
            ("10.0.0.0/+8", "address_syntax", "CIDR"),
            ("10.0.0.0/", "address_syntax", "CIDR"),
            ("10.0.0.0/8/8", "address_syntax", "CIDR"),
            (" 10.0.0.1", "address_syntax", "CIDR"),
            ("[::1]", "address_syntax", "CIDR"),
            ("localhost", "address_syntax", "CIDR"),
            ("", "address_syntax", "CIDR"),
        ] {
            let refusal = IpNetwork::parse(text).unwrap_err();
            assert_eq!(refusal.reason(), reason, "{text}");
            assert!(refusal.to_string().contains(hint), "{text}: {refusal}");
        }
    }

    #[test]
    fn admits_by_address() {
        let allowed = list(&["10.0.0.0/8", "2001:db8::1"]);
        let admits = |text: &str| allowed.admits(Some(text.parse().unwrap()));
        assert!(admits("10.255.0.1") && admits("::ffff:10.0.0.1") && admits("2001:db8::1"));
        assert!(!admits("11.0.0.1") && !admits("2001:db8::2"));
        assert!(!allowed.admits(None));
        assert!(AllowedAddresses::default().admits(None));
    }

    #[test]
    fn two_halves_cover_the_whole() {
        let reach = list(&["10.0.0.0/9", "10.128.0.0/9"]).reach();
        assert!(reach.covers(IpNetwork::parse("10.0.0.0/8").unwrap()));
        assert!(!reach.covers(IpNetwork::parse("10.0.0.0/7").unwrap()));
        assert!(!reach.covers(IpNetwork::parse("::/0").unwrap()));
    }

    #[test]
    fn a_list_is_covered_with_all_that_it_has() {
        let reach = list(&["10.0.0.0/8", "::1"]).reach();
        assert!(reach.covers_all(&list(&["::1", "10.0.0.0/9"])));
        assert!(!reach.covers_all(&list(&["10.0.0.0/9", "11.0.0.1"])));
        assert!(!reach.covers_all(&AllowedAddresses::default()));
        assert!(AddressReach::Any.covers_all(&AllowedAddresses::default()));
    }

    fn network() -> impl Strategy<Value = IpNetwork> {
        // Few distinct addresses, so that networks often overlap.
        (0u32..16, 0u8..=6).prop_map(|(bits, length)| {
            let net = IpNet::new(Ipv4Addr::from(bits << 28).into(), length).unwrap();
            IpNetwork::from_net(net)
        })
    }

    proptest! {
        #[test]
        fn no_text_brings_it_down(text: String) {
            if let Ok(network) = IpNetwork::parse(&text) {
                prop_assert_eq!(IpNetwork::parse(&network.to_string()), Ok(network));
            }
        }

        #[test]
        fn a_list_admits_what_one_of_its_networks_contains(
            networks in prop::collection::vec(network(), 1..8),
            more in prop::collection::vec((0u128..4, 124u8..=128), 0..4),
            v4: u32,
            v6 in 0u128..20,
        ) {
            let more = more.into_iter().map(|(bits, length)| {
                IpNetwork::from_net(IpNet::new(Ipv6Addr::from(bits << 2).into(), length).unwrap())
            });
            let networks: Vec<IpNetwork> = networks.into_iter().chain(more).collect();
            let list: AllowedAddresses = networks.iter().copied().collect();
            for address in [IpAddr::from(v4.to_be_bytes()), IpAddr::from(v6.to_be_bytes())] {
                let contained = networks.iter().any(|network| network.0.contains(&address));
                prop_assert_eq!(list.admits(Some(address)), contained, "{}", address);
            }
        }

        /// No escalation: every address that a covered network admits, the covering list admits
        /// too.
        #[test]
        fn what_is_covered_admits_nobody_else(
            own in prop::collection::vec(network(), 1..5),
            wanted in network(),
            client: u32,
        ) {
            let own: AllowedAddresses = own.into_iter().collect();
            let client = Some(IpAddr::V4(Ipv4Addr::from(client)));
            let wanted_list: AllowedAddresses = [wanted].into_iter().collect();
            if own.reach().covers(wanted) && wanted_list.admits(client) {
                prop_assert!(own.admits(client));
            }
        }
    }
}
