//! An interface on one of the host's bridges, by ip(8): a network namespace with a name, and a pair of interfaces with
//! one end in it. Every command tells whether it is done, and what was made is taken back, so that a run that died is
//! put right.

use std::net::IpAddr;

use qchroot_api::{Check, Container, Error, ErrorKind, Observe, Plan, Result, Step};

use crate::options::{Address, Bridged};

/// What the interface is called inside.
const INSIDE: &str = "eth0";

/// The steps before the sandbox is started in the network namespace that has the container's system name.
///
/// # Errors
/// Unavailable without iproute2; not found without the bridge.
pub(crate) fn plan(container: &Container, bridged: &Bridged, host: &dyn Observe) -> Result<Plan> {
    require(container, &bridged.bridge, host)?;
    let space = container.system_name();
    let outside = outside(&space);
    let mut plan = vec![
        Step::Run {
            argv: words(&["ip", "netns", "add", &space]),
            check: Some(Check::Succeeds(words(&["ip", "-n", &space, "link", "show", "dev", "lo"]))),
            undo: Some(words(&["ip", "netns", "delete", &space])),
        },
        Step::Run {
            argv: words(&[
                "ip", "link", "add", "name", &outside, "type", "veth", "peer", "name", INSIDE, "netns",
                &space,
            ]),
            check: Some(Check::Succeeds(words(&["ip", "link", "show", "dev", &outside]))),
            undo: Some(words(&["ip", "link", "delete", "dev", &outside])),
        },
    ];
    plan.push(quiet(&["ip", "link", "set", "dev", &outside, "master", &bridged.bridge, "up"]));
    plan.push(quiet(&["ip", "-n", &space, "link", "set", "dev", "lo", "up"]));
    plan.push(quiet(&["ip", "-n", &space, "link", "set", "dev", INSIDE, "up"]));
    for address in &bridged.addresses {
        plan.extend(addressed(&space, address));
    }
    Ok(plan)
}

/// One address and the way out.
fn addressed(space: &str, address: &Address) -> Plan {
    let (given, family) = (format!("{}/{}", address.ip, address.prefix), family(address.ip));
    let mut add = vec!["ip", family, "-n", space, "address", "replace", &given, "dev", INSIDE];
    if address.ip.is_ipv6() {
        add.push("nodad"); // it can be bound to at once; rfc4862 has hosts wait for seconds
    }
    let mut plan = vec![quiet(&add)];
    if let Some(router) = address.router {
        let router = router.to_string();
        plan.push(quiet(&[
            "ip", family, "-n", space, "route", "replace", "default", "via", &router, "dev", INSIDE,
        ]));
    }
    plan
}

/// A command that may be run any number of times, and whose effect goes with the interface.
fn quiet(argv: &[&str]) -> Step {
    Step::Run { argv: words(argv), check: None, undo: None }
}

/// The host's end: 15 bytes are all that a name may have, and the end of the system name is the hash that tells
/// containers apart.
fn outside(space: &str) -> String {
    format!("qc{}", space.rsplit('-').next().unwrap_or(space))
}

fn family(ip: IpAddr) -> &'static str {
    if ip.is_ipv4() { "-4" } else { "-6" }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

fn require(container: &Container, bridge: &str, host: &dyn Observe) -> Result<()> {
    if host.program("ip")?.is_none() {
        let message = format!("the network of {} needs ip(8), which this host does not have", container.name);
        return Err(Error::new(ErrorKind::Unavailable, message)
            .with("container", &container.name)
            .hint("install the package iproute2, or use network = \"host\" or \"none\""));
    }
    let shown = host.ask(&["ip", "-o", "link", "show", "dev", bridge, "type", "bridge"])?;
    let why = match shown.stdout.trim() {
        _ if shown.status != 0 => "does not exist",
        "" => "is no bridge",
        _ => return Ok(()),
    };
    Err(Error::new(
        ErrorKind::NotFound,
        format!("the network of {} needs the bridge {bridge}", container.name),
    )
    .cause(format!("{bridge} {why}"))
    .with("container", &container.name)
    .with("key", "bridge")
    .hint(format!("make it: `ip link add name {bridge} type bridge` and `ip link set dev {bridge} up`")))
}
