//! The options of this isolation: what there is, what is taken where nothing is said, and what is refused.

use std::net::IpAddr;

use qchroot_api::camino::{Utf8Component, Utf8PathBuf};
use qchroot_api::{Error, ErrorKind, IdRange, OptionKind, OptionSpec, Options, Result, Rules, parse_size};

use crate::SECCOMP;

/// Bytes of shared memory: as much as podman-run(1) and runc(8) give.
const SHARED_MEMORY: u64 = 64 << 20;

/// How many users and groups a range has that does not say: all numbers of 16 bits.
const USERS: u32 = 1 << 16;

/// The most bytes that uname(2) has room for.
const HOST_NAME_MAX: usize = 64;

/// Interface names have at most 15 bytes; `IFNAMSIZ` of netdevice(7).
const INTERFACE_MAX: usize = 15;

/// Files that tell of the host or act on it, as runc(8) and podman-run(1) cover them.
const MASKED: &[&str] = &[
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/dev/block",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
    "/sys/fs/selinux",
];

/// What can be read and not written, by the same sources.
const READ_ONLY: &[&str] = &["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/// All options.
pub(crate) fn specs() -> Vec<OptionSpec> {
    use OptionKind::{Flag, List, Size, Text};
    let spec = OptionSpec::new;
    let own = [
        spec(
            "network",
            Text,
            "host",
            "host: the host's; none: loopback alone; bridge: an interface on a bridge",
        ),
        spec("bridge", Text, "none", "the host's bridge that the interface is put on (network = \"bridge\")"),
        spec("address", Text, "none", "IPv4 address and prefix length of the interface, such as 10.0.3.2/24"),
        spec("gateway", Text, "none", "IPv4 address of the router"),
        spec("address6", Text, "none", "IPv6 address and prefix length of the interface"),
        spec("gateway6", Text, "none", "IPv6 address of the router"),
        spec(
            "users",
            Text,
            "the host's",
            "users from 0 on are the host's from FIRST on: FIRST or FIRST:COUNT",
        ),
        spec("host_name", Text, "the container's name", "what hostname(1) says inside"),
        spec("masked", List, "what tells of the host", "files and directories inside that are covered"),
        spec(
            "read_only_paths",
            List,
            "what acts on the host",
            "files and directories inside that cannot be written",
        ),
        spec("shared_memory", Size, "64M", "limit of /dev/shm"),
        spec("sys", Flag, "true", "mount /sys, read-only"),
    ];
    own.into_iter().chain(Rules::options(SECCOMP)).collect()
}

/// What a container's options say.
pub(crate) struct Settings {
    pub(crate) network: Net,
    pub(crate) users: Option<IdRange>,
    pub(crate) host_name: Option<String>,
    pub(crate) masked: Vec<Utf8PathBuf>,
    pub(crate) read_only: Vec<Utf8PathBuf>,
    pub(crate) shared_memory: u64,
    pub(crate) sys: bool,
}

/// Which network.
pub(crate) enum Net {
    Host,
    None,
    Bridge(Bridged),
}

/// An interface on one of the host's bridges.
#[derive(Debug, Clone)]
pub(crate) struct Bridged {
    pub(crate) bridge: String,
    pub(crate) addresses: Vec<Address>,
}

/// An address of the interface, at most one of each family.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Address {
    pub(crate) ip: IpAddr,
    /// Bits of the network's part.
    pub(crate) prefix: u8,
    /// Where everything goes that is not in its network.
    pub(crate) router: Option<IpAddr>,
}

impl Settings {
    /// # Errors
    /// Config, with the fact `key`.
    pub(crate) fn read(options: &Options) -> Result<Self> {
        Ok(Self {
            network: network(options)?,
            users: text(options, "users").map(users).transpose()?,
            host_name: text(options, "host_name").map(host_name).transpose()?,
            masked: paths(options, "masked", MASKED)?,
            read_only: paths(options, "read_only_paths", READ_ONLY)?,
            shared_memory: size(options, "shared_memory").unwrap_or(SHARED_MEMORY),
            sys: options.get("sys").and_then(|value| value.as_bool()).unwrap_or(true),
        })
    }
}

fn text<'a>(options: &'a Options, key: &str) -> Option<&'a str> {
    options.get(key).and_then(|value| value.as_str())
}

fn size(options: &Options, key: &str) -> Option<u64> {
    let value = options.get(key)?;
    value.as_integer().map_or_else(|| parse_size(value.as_str()?), |bytes| u64::try_from(bytes).ok())
}

fn wrong(key: &str, message: String) -> Error {
    Error::new(ErrorKind::Config, message).with("key", key)
}

fn network(options: &Options) -> Result<Net> {
    match text(options, "network").unwrap_or("host") {
        "bridge" => Ok(Net::Bridge(Bridged { bridge: bridge(options)?, addresses: addresses(options)? })),
        other => {
            let of_bridge = ["bridge", "address", "gateway", "address6", "gateway6"];
            if let Some(key) = of_bridge.into_iter().find(|&key| options.contains_key(key)) {
                let message = format!("{key} needs a network of its own");
                return Err(wrong(key, message).hint("use network = \"bridge\" with it"));
            }
            match other {
                "host" => Ok(Net::Host),
                "none" => Ok(Net::None),
                other => {
                    Err(wrong("network", format!("network cannot be {other:?}"))
                        .hint("use host, none or bridge"))
                }
            }
        }
    }
}

fn bridge(options: &Options) -> Result<String> {
    let Some(name) = text(options, "bridge") else {
        return Err(wrong("network", "network = \"bridge\" needs the option bridge".into())
            .hint("name a bridge of the host's, for example br0; `ip link show type bridge` lists them"));
    };
    let odd = |c: char| c == '/' || c == ':' || c.is_whitespace() || c.is_control();
    if name.is_empty() || name.len() > INTERFACE_MAX || name.starts_with(['-', '.']) || name.contains(odd) {
        let message = format!("{name:?} is no name of an interface");
        return Err(wrong("bridge", message).hint("use the name of a bridge, for example br0"));
    }
    Ok(name.to_owned())
}

fn addresses(options: &Options) -> Result<Vec<Address>> {
    let both = [("address", "gateway", 4), ("address6", "gateway6", 6)];
    both.into_iter().filter_map(|(address, gateway, family)| one(options, address, gateway, family)).collect()
}

/// The address of one family; `None` where there is none.
fn one(options: &Options, key: &str, gateway: &str, family: u8) -> Option<Result<Address>> {
    match (text(options, key), text(options, gateway)) {
        (None, None) => None,
        (None, Some(_)) => Some(Err(wrong(gateway, format!("{gateway} needs {key}"))
            .hint(format!("say which address the container has: {key} = \"10.0.3.2/24\"")))),
        (Some(given), router) => Some(Address::parse(key, given, gateway, router, family)),
    }
}

impl Address {
    fn parse(key: &str, given: &str, gateway: &str, router: Option<&str>, family: u8) -> Result<Self> {
        let example = if family == 4 { "10.0.3.2/24" } else { "fd00:3::2/64" };
        let refused = || {
            wrong(key, format!("{given:?} is no IPv{family} address with a prefix length"))
                .hint(format!("for example {example}"))
        };
        let (ip, prefix) = given.split_once('/').ok_or_else(refused)?;
        let ip = of_family(ip, family).ok_or_else(refused)?;
        let most = if family == 4 { 32 } else { 128 };
        let prefix = prefix.parse().ok().filter(|&bits| bits <= most).ok_or_else(refused)?;
        let address = Self { ip, prefix, router: None };
        let Some(router) = router else { return Ok(address) };
        let bad = |why: &str| wrong(gateway, format!("{gateway} {router:?} {why}"));
        let ip = of_family(router, family).ok_or_else(|| bad(&format!("is no IPv{family} address")))?;
        if !address.reaches(ip) {
            return Err(bad(&format!("is not in the network of {given}")));
        }
        Ok(Self { router: Some(ip), ..address })
    }

    /// Whether an address is in its network; those of a link are in every one.
    fn reaches(&self, other: IpAddr) -> bool {
        let bits = |ip: IpAddr| match ip {
            IpAddr::V4(ip) => u128::from(u32::from(ip)) << 96,
            IpAddr::V6(ip) => u128::from(ip),
        };
        let is_of_link = matches!(other, IpAddr::V6(ip) if ip.is_unicast_link_local());
        let differ = bits(self.ip) ^ bits(other);
        is_of_link || differ.leading_zeros() >= u32::from(self.prefix)
    }
}

fn of_family(text: &str, family: u8) -> Option<IpAddr> {
    text.parse().ok().filter(|ip: &IpAddr| ip.is_ipv4() == (family == 4))
}

/// `FIRST` or `FIRST:COUNT`.
fn users(text: &str) -> Result<IdRange> {
    let (first, count) = text.split_once(':').map_or((text, None), |(first, count)| (first, Some(count)));
    let count = count.map_or(Ok(USERS), str::parse);
    match (first.parse(), count) {
        (Ok(first), Ok(count)) if first > 0 && count > 0 && u32::checked_add(first, count).is_some() => {
            Ok(IdRange { first, count })
        }
        _ => Err(wrong("users", format!("{text:?} is no range of users"))
            .hint("use FIRST:COUNT with numbers that nobody on the host has, for example 100000:65536")),
    }
}

fn host_name(name: &str) -> Result<String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
    if !name.is_empty() && name.len() <= HOST_NAME_MAX && name.chars().all(allowed) {
        return Ok(name.to_owned());
    }
    Err(wrong("host_name", format!("{name:?} is no host name"))
        .hint(format!("use letters, digits, dash and dot, at most {HOST_NAME_MAX}; hostname(7)")))
}

fn paths(options: &Options, key: &str, default: &[&str]) -> Result<Vec<Utf8PathBuf>> {
    let Some(list) = options.get(key).and_then(|value| value.as_array()) else {
        return Ok(default.iter().map(Utf8PathBuf::from).collect());
    };
    let path = |item: &str| {
        let path = Utf8PathBuf::from(item);
        let plain = path.is_absolute() && path.components().all(|part| part != Utf8Component::ParentDir);
        if plain {
            Ok(path)
        } else {
            Err(wrong(key, format!("{item:?} is no absolute path")).hint("begin it with /"))
        }
    };
    list.iter().filter_map(|item| item.as_str()).filter(|item| !item.is_empty()).map(path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use qchroot_api::toml::toml;

    fn refused(options: &Options, key: &str, words: &str) {
        let error = Settings::read(options).map(drop).unwrap_err();
        assert_eq!((error.kind(), error.fact("key")), (ErrorKind::Config, Some(key)), "{error}");
        assert!(
            error.message().contains(words) && error.hint_text().is_some() || key.starts_with("gateway"),
            "{error}"
        );
    }

    #[test]
    fn what_cannot_be_meant_is_refused_by_its_key() {
        refused(&toml! { network = "vlan" }, "network", "cannot be");
        refused(&toml! { network = "bridge" }, "network", "needs the option bridge");
        refused(&toml! { address = "10.0.3.2/24" }, "address", "a network of its own");
        refused(&toml! { network = "bridge" bridge = "../br0" }, "bridge", "no name");
        for address in ["10.0.3.2", "10.0.3.2/33", "10.0.3/24", "fd00::1/64", "/24"] {
            let options = toml! { network = "bridge" bridge = "br0" };
            let address = [("address".to_owned(), address.into())];
            refused(&options.into_iter().chain(address).collect(), "address", "no IPv4 address");
        }
        let bridged =
            toml! { network = "bridge" bridge = "br0" address = "10.0.3.2/24" gateway = "10.0.4.1" };
        refused(&bridged, "gateway", "not in the network");
        refused(
            &toml! { network = "bridge" bridge = "br0" gateway6 = "fe80::1" },
            "gateway6",
            "needs address6",
        );
        for users in ["0:65536", "100000:", "me", "4294967295:2", "-1"] {
            refused(&Options::from_iter([("users".to_owned(), users.into())]), "users", "no range");
        }
        refused(&toml! { host_name = "a b" }, "host_name", "no host name");
        refused(&toml! { masked = ["proc/kcore"] }, "masked", "no absolute path");
    }

    #[test]
    fn a_router_may_be_of_the_link() {
        let options =
            toml! { network = "bridge" bridge = "br0" address6 = "fd00:3::2/64" gateway6 = "fe80::1" };
        assert!(Settings::read(&options).is_ok());
    }

    #[test]
    fn a_range_without_a_count_has_what_16_bits_hold() {
        assert_eq!(users("100000").unwrap(), IdRange { first: 100_000, count: 65_536 });
    }
}
