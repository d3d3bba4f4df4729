//! What counts as one client where clients are counted.

use std::net::{IpAddr, Ipv6Addr};

/// The network of a client: an IPv4 address, or 64 bits of an IPv6 address, of which one host has
/// as many addresses as it likes.
pub fn client_network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let network = u128::from(address) & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from(network))
        }
    }
}
