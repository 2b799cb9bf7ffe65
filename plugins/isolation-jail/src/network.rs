//! The network of a jail: addresses, added as aliases before it is made and taken away after it is gone, or a network
//! stack of its own.

use qchroot_api::{Check, Error, ErrorKind, Observe, Plan, Result, Step};

use crate::address::{Address, is_interface};
use crate::options::{Given, wrong};

/// The two kinds of addresses: the option that says whether there are any, and the one with the addresses.
const KINDS: [(&str, &str); 2] = [("ip4", "ip4.addr"), ("ip6", "ip6.addr")];

/// Refuses addresses that are none, and options that contradict each other.
pub(crate) fn check(given: Given<'_>) -> Result<()> {
    let is_own = given.flag("vnet", false);
    for (kind, list) in KINDS {
        let count = addresses(given, list)?.len();
        if count > 0 && given.text(kind).is_some_and(|value| value != "new") {
            return Err(wrong(kind, format!("{kind} must be new where {list} names addresses")));
        }
        for key in [kind, list, "interface"] {
            if is_own && given.0.contains_key(key) {
                return Err(wrong(key, format!("{key} and vnet cannot go together"))
                    .hint("a network stack of its own gets its addresses inside"));
            }
        }
    }
    let interfaces = given.list("vnet.interface");
    if !is_own && !interfaces.is_empty() {
        return Err(wrong("vnet.interface", "vnet.interface needs vnet".into()));
    }
    let named = interfaces.into_iter().map(|name| ("vnet.interface", name));
    let mut named = named.chain(given.text("interface").map(|name| ("interface", name)));
    match named.find(|(_, name)| !is_interface(name)) {
        Some((key, name)) => Err(wrong(key, format!("{key}: {name:?} names no interface"))),
        None => Ok(()),
    }
}

fn addresses(given: Given<'_>, list: &str) -> Result<Vec<Address>> {
    let usual = given.text("interface");
    given.list(list).into_iter().map(|text| Address::parse(list, text, usual)).collect()
}

/// Parameters of jail(8).
pub(crate) fn parameters(given: Given<'_>) -> Result<Vec<String>> {
    if given.flag("vnet", false) {
        let interfaces =
            given.list("vnet.interface").into_iter().map(|name| format!("vnet.interface={name}"));
        return Ok(std::iter::once("vnet".to_owned()).chain(interfaces).collect());
    }
    let mut parameters = vec![];
    for (kind, list) in KINDS {
        let addresses: Vec<String> = addresses(given, list)?.iter().map(|a| a.ip.to_string()).collect();
        match addresses.is_empty() {
            true => parameters.push(format!("{kind}={}", given.text(kind).unwrap_or("disable"))),
            false => parameters.push(format!("{list}={}", addresses.join(","))),
        }
    }
    Ok(parameters)
}

/// Steps that add the addresses to their interfaces. One that is there already stays when the jail goes.
pub(crate) fn aliases(given: Given<'_>) -> Result<Plan> {
    let mut plan = vec![];
    for (_, list) in KINDS {
        plan.extend(addresses(given, list)?.iter().filter_map(alias));
    }
    Ok(plan)
}

fn alias(address: &Address) -> Option<Step> {
    let (interface, family, ip) = (address.interface.as_deref()?, address.family(), address.ip.to_string());
    let ifconfig = |rest: &[&str]| {
        let words = ["ifconfig", interface, family];
        words.iter().chain(rest).map(|&word| word.to_owned()).collect::<Vec<_>>()
    };
    Some(Step::Run {
        argv: ifconfig(&[&address.with_prefix(), "alias"]),
        check: Some(Check::Shows { argv: ifconfig(&[]), shows: format!("{family} {ip}") }),
        undo: Some(ifconfig(&[&ip, "-alias"])),
    })
}

/// Refuses a start without the interfaces and the kernel that the options ask for.
///
/// # Errors
/// Not found for an interface; unavailable for a kernel without network stacks of jails' own.
pub(crate) fn refuse_missing(given: Given<'_>, host: &dyn Observe) -> Result<()> {
    if given.flag("vnet", false) {
        let feature = host.ask(&["sysctl", "-n", "kern.features.vimage"])?;
        if feature.status != 0 || feature.stdout.trim() != "1" {
            return Err(Error::new(
                ErrorKind::Unavailable,
                "this kernel gives jails no network stack of their own",
            )
            .cause("kern.features.vimage is not 1")
            .hint("use ip4.addr with an interface, or a kernel with options VIMAGE"));
        }
    }
    for (_, list) in KINDS {
        for interface in addresses(given, list)?.iter().filter_map(|address| address.interface.as_deref()) {
            if host.ask(&["ifconfig", interface])?.status != 0 {
                return Err(no_interface(interface));
            }
        }
    }
    Ok(())
}

fn no_interface(name: &str) -> Error {
    let error = Error::new(ErrorKind::NotFound, format!("there is no interface {name}"));
    match name.strip_prefix("lo") {
        Some(_) => error.hint(format!(
            "run `sysrc cloned_interfaces+={name}` and `service netif cloneup`, which make it, at each boot, too"
        )),
        None => error.hint("`ifconfig -l` lists those that there are"),
    }
}
