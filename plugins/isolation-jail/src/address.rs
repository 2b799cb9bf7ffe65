//! Addresses as jail(8) has them: `[INTERFACE|]ADDRESS[/PREFIX]`.

use std::net::IpAddr;

use qchroot_api::Result;

use crate::options::wrong;

/// The longest name of an interface, without the zero at its end: IFNAMSIZ of net/if.h.
const LONGEST_INTERFACE: usize = 15;

/// One address of a jail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// The interface that it is added to as an alias; none for an address that the host has already.
    pub(crate) interface: Option<String>,
    /// The address.
    pub(crate) ip: IpAddr,
    /// Bits of its network.
    prefix: u8,
}

impl Address {
    /// Reads an element of the list option `key`; `usual` is the interface where it names none.
    pub(crate) fn parse(key: &str, text: &str, usual: Option<&str>) -> Result<Self> {
        let refuse = |why: &str| {
            wrong(key, format!("{key}: {text:?} {why}"))
                .hint("write [INTERFACE|]ADDRESS[/PREFIX], for example lo1|10.0.0.1/32")
        };
        let (interface, rest) = match text.split_once('|') {
            Some((interface, rest)) => (Some(interface), rest),
            None => (usual, text),
        };
        if interface.is_some_and(|interface| !is_interface(interface)) {
            return Err(refuse("names no interface"));
        }
        let (ip, prefix) = match rest.split_once('/') {
            Some((ip, prefix)) => (ip, Some(prefix)),
            None => (rest, None),
        };
        let ip: IpAddr = ip.parse().map_err(|_| refuse("is no address"))?;
        if ip.is_ipv4() != key.starts_with("ip4") {
            return Err(refuse("is an address of the other kind"));
        }
        if matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local()) {
            return Err(refuse("is an address of one link, which the system gives each interface by itself"));
        }
        let all = if ip.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(all), str::parse).ok().filter(|&prefix| prefix <= all);
        let prefix = prefix.ok_or_else(|| refuse("has no valid prefix"))?;
        Ok(Self { interface: interface.map(str::to_owned), ip, prefix })
    }

    /// The word of ifconfig(8) for its kind.
    pub(crate) fn family(&self) -> &'static str {
        if self.ip.is_ipv4() { "inet" } else { "inet6" }
    }

    /// The address with its prefix.
    pub(crate) fn with_prefix(&self) -> String {
        format!("{}/{}", self.ip, self.prefix)
    }
}

/// Whether this can be the name of an interface: letters and digits, no option of ifconfig(8).
pub(crate) fn is_interface(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    !name.is_empty() && name.len() <= LONGEST_INTERFACE && !name.starts_with('-') && name.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(key: &str, text: &str) -> Option<(Option<String>, String)> {
        let address = Address::parse(key, text, Some("em0")).ok()?;
        Some((address.interface.clone(), address.with_prefix()))
    }

    #[test]
    fn an_address_has_an_interface_and_a_prefix_of_its_own_or_the_usual_ones() {
        let of = |interface: &str, address: &str| Some((Some(interface.to_owned()), address.to_owned()));
        assert_eq!(parsed("ip4.addr", "10.0.0.1"), of("em0", "10.0.0.1/32"));
        assert_eq!(parsed("ip4.addr", "lo1|10.0.0.1/24"), of("lo1", "10.0.0.1/24"));
        assert_eq!(parsed("ip6.addr", "lo1|FD00:0::1"), of("lo1", "fd00::1/128"));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for (key, bad) in [
            ("ip4.addr", "10.0.0"),
            ("ip4.addr", "10.0.0.1/33"),
            ("ip4.addr", "fd00::1"),
            ("ip6.addr", "10.0.0.1"),
            ("ip6.addr", "lo1|fe80::1"),
            ("ip4.addr", "|10.0.0.1"),
            ("ip4.addr", "-a|10.0.0.1"),
            ("ip4.addr", "10.0.0.1 vhid 1"),
        ] {
            assert_eq!(parsed(key, bad), None, "{bad}");
        }
    }
}
