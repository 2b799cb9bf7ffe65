//! ifconfig(8): interfaces, and their addresses.

use std::net::{IpAddr, Ipv4Addr};

use qchroot_api::Output;

use super::Kernel;
use crate::fake::process::output;

impl Kernel {
    /// `ifconfig IF [FAMILY]`
    pub(super) fn show(&self, interface: &str, family: &str) -> Output {
        let Some(addresses) = self.interfaces.get(interface) else { return missing(interface) };
        let head = format!("{interface}: flags=8049<UP,LOOPBACK,RUNNING,MULTICAST> metric 0 mtu 16384\n");
        let shown =
            addresses.iter().filter(|line| family.is_empty() || line.split(' ').next() == Some(family));
        output(0, &shown.fold(head, |text, line| format!("{text}\t{line}\n")), "")
    }

    /// `ifconfig IF FAMILY ADDRESS alias` and `-alias`.
    pub(super) fn ifconfig(&mut self, args: &[String]) -> Output {
        let words: Vec<&str> = args.iter().map(String::as_str).collect();
        if let [interface, verb @ ("vnet" | "-vnet"), jail] = words[..] {
            return self.moved(interface, verb, jail);
        }
        let [interface, family, address, verb] = words[..] else {
            return output(1, "", "ifconfig: not known here\n");
        };
        let Some(addresses) = self.interfaces.get_mut(interface) else { return missing(interface) };
        let Some(line) = shown(family, address) else {
            return output(1, "", &format!("ifconfig: {address}: bad value\n"));
        };
        let same = |other: &String| other.split(' ').nth(1) == line.split(' ').nth(1);
        match verb {
            // The kernel takes an address that is there away and adds it anew, in.c.
            "alias" => {
                addresses.retain(|other| !same(other));
                addresses.push(line);
                output(0, "", "")
            }
            "-alias" if addresses.iter().any(same) => {
                addresses.retain(|other| !same(other));
                output(0, "", "")
            }
            "-alias" => output(1, "", "ifconfig: ioctl (SIOCDIFADDR): Can't assign requested address\n"),
            _ => output(1, "", &format!("ifconfig: {verb}: bad value\n")),
        }
    }

    /// `ifconfig IF vnet JAIL`: it goes to the network stack of a jail. `-vnet`: it comes back, without its addresses.
    pub(super) fn moved(&mut self, interface: &str, verb: &str, jail: &str) -> Output {
        if verb == "vnet" && !self.interfaces.contains_key(interface) {
            return missing(interface);
        }
        if !self.jails.contains_key(jail) {
            return output(1, "", &format!("ifconfig: jail \"{jail}\" not found\n"));
        }
        if verb == "vnet" {
            self.interfaces.remove(interface);
            self.given.insert(interface.into(), jail.into());
        } else if self.given.get(interface).is_some_and(|of| of == jail) {
            self.given.remove(interface);
            self.interfaces.insert(interface.into(), vec![]);
        } else {
            return output(1, "", "ifconfig: SIOCSIFRVNET: Device not configured\n");
        }
        output(0, "", "")
    }

    /// All interfaces of a jail come back, without their addresses.
    pub(super) fn take_back(&mut self, jail: &str) {
        let back: Vec<String> =
            self.given.iter().filter(|(_, of)| *of == jail).map(|(name, _)| name.clone()).collect();
        for name in back {
            self.given.remove(&name);
            self.interfaces.insert(name, vec![]);
        }
    }
}

/// An address as it is shown.
fn shown(family: &str, address: &str) -> Option<String> {
    let (ip, prefix) = address.split_once('/').unwrap_or((address, "32"));
    let (ip, prefix): (IpAddr, u32) = (ip.parse().ok()?, prefix.parse().ok()?);
    match (ip, family) {
        (IpAddr::V4(ip), "inet") => {
            let mask = u32::MAX.checked_shl(Ipv4Addr::BITS - prefix).unwrap_or(0);
            Some(format!("inet {ip} netmask {mask:#010x}"))
        }
        (IpAddr::V6(ip), "inet6") => Some(format!("inet6 {ip} prefixlen {prefix}")),
        _ => None,
    }
}

fn missing(interface: &str) -> Output {
    output(1, "", &format!("ifconfig: interface {interface} does not exist\n"))
}
