//! Where a server listens.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

/// An address and a port. The only name is `localhost`, the loopback address of IPv4 (RFC 6761,
/// 6.3); what another name means is not up to this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListenAddress(pub SocketAddr);

impl FromStr for ListenAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(address) = text.parse() {
            return Ok(Self(address));
        }
        if let Some((host, port)) = text.rsplit_once(':')
            && host.eq_ignore_ascii_case("localhost")
            && let Ok(port) = port.parse()
        {
            return Ok(Self(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port)));
        }
        Err(advice(text))
    }
}

/// What to write instead.
fn advice(text: &str) -> String {
    if text.contains("://") {
        return "is a URL; write only the address and the port, such as `127.0.0.1:8080`"
            .to_owned();
    }
    if let Ok(ip) = text.trim_matches(['[', ']']).parse::<IpAddr>() {
        return format!("has no port; write `{}`", SocketAddr::new(ip, 8080));
    }
    if let Ok(port) = text.trim_start_matches(':').trim_start_matches("*:").parse::<u16>() {
        return format!(
            "has no address; write `127.0.0.1:{port}` for this machine only, `0.0.0.0:{port}` or \
             `[::]:{port}` for all"
        );
    }
    if let Some((host, port)) = text.rsplit_once(':') {
        return match (host.parse::<IpAddr>(), port.parse::<u16>()) {
            (Ok(ip), Ok(port)) => format!("write `{}`", SocketAddr::new(ip, port)),
            (_, Err(_)) => "the port must be a number from 0 to 65535".to_owned(),
            (Err(_), _) => "write an address, such as `127.0.0.1:8080`: names other than \
                            `localhost` are not looked up"
                .to_owned(),
        };
    }
    "write an address and a port, such as `127.0.0.1:8080` or `[::1]:8080`".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_addresses_and_localhost() {
        for (text, expected) in [
            ("127.0.0.1:8080", "127.0.0.1:8080"),
            ("[::1]:0", "[::1]:0"),
            ("localhost:8080", "127.0.0.1:8080"),
            ("LocalHost:1", "127.0.0.1:1"),
        ] {
            let read = text.parse::<ListenAddress>().unwrap();
            assert_eq!(read.0.to_string(), expected, "{text}");
        }
    }

    #[test]
    fn says_what_to_write() {
        for (text, told) in [
            ("8080", "`127.0.0.1:8080` for this machine"),
            (":8080", "`0.0.0.0:8080`"),
            ("*:8080", "`[::]:8080`"),
            ("127.0.0.1", "write `127.0.0.1:8080`"),
            ("::1", "write `[::1]:8080`"),
            ("[::1]", "write `[::1]:8080`"),
            ("fe80::x:0", "names other than"),
            ("127.0.0.1:99999", "0 to 65535"),
            ("localhost:http", "0 to 65535"),
            ("localhost", "such as `127.0.0.1:8080`"),
            ("http://127.0.0.1:8080", "is a URL"),
            ("example.com:8080", "`localhost` are not looked up"),
            ("127.0.0.01:8080", "write an address"),
            ("", "write an address and a port"),
        ] {
            let error = text.parse::<ListenAddress>().unwrap_err();
            assert!(error.contains(told), "{text}: {error}");
        }
    }
}
