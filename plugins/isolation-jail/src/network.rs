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
        return Ok(vec!["vnet".to_owned()]);
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

/// Steps that give interfaces to the jail `name`, which has a network stack of its own. They are taken back before the
/// jail is removed: the kernel brings them back by itself only when nothing holds the jail any more, and a connection that
/// TCP still remembers holds it for minutes; vnet(9).
pub(crate) fn moves(name: &str, given: Given<'_>) -> Plan {
    let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
    let step = |interface: &str| Step::Run {
        argv: words(&["ifconfig", interface, "vnet", name]),
        check: Some(Check::Moved {
            argv: words(&["jls", "-j", name, "jid"]),
            fails: words(&["ifconfig", interface]),
        }),
        undo: Some(words(&["ifconfig", interface, "-vnet", name])),
    };
    given.list("vnet.interface").into_iter().map(step).collect()
}

/// Refuses a start of the jail `name` without the interfaces, the addresses and the kernel that the options ask for.
///
/// # Errors
/// Not found for an interface; unavailable for a kernel without network stacks of jails' own; exists for an address that
/// another jail has.
pub(crate) fn refuse_missing(name: &str, given: Given<'_>, host: &dyn Observe) -> Result<()> {
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
    let mut interfaces = given.list("vnet.interface").into_iter().map(str::to_owned).collect::<Vec<_>>();
    for (_, list) in KINDS {
        let own: Vec<Address> =
            addresses(given, list)?.into_iter().filter(|address| address.interface.is_some()).collect();
        refuse_taken(name, list, &own, host)?;
        interfaces.extend(own.into_iter().filter_map(|address| address.interface));
    }
    for interface in &interfaces {
        if host.ask(&["ifconfig", interface])?.status != 0 {
            return Err(no_interface(interface));
        }
    }
    Ok(())
}

/// Refuses an address that another jail has and that would be taken away from it when this one stops. One that the host
/// has for good, without an interface here, any number of jails may share.
fn refuse_taken(name: &str, list: &str, own: &[Address], host: &dyn Observe) -> Result<()> {
    if own.is_empty() {
        return Ok(());
    }
    let shown = host.ask(&["jls", "-n", "name", list])?.stdout;
    for line in shown.lines() {
        let value = |key: &str| line.split(' ').find_map(|word| word.strip_prefix(key)?.strip_prefix('='));
        let (Some(other), Some(theirs)) = (value("name"), value(list)) else { continue };
        let taken = own.iter().find(|own| theirs.split(',').any(|ip| ip.parse() == Ok(own.ip)));
        if let Some(address) = taken.filter(|_| other != name) {
            let message = format!("{list}: the jail {other} has the address {} already", address.ip);
            return Err(Error::new(ErrorKind::Exists, message).with("key", list).hint(
                "give each container an address of its own; to share one, let the host have it for good and name no \
                 interface here",
            ));
        }
    }
    Ok(())
}

fn no_interface(name: &str) -> Error {
    let error = Error::new(ErrorKind::NotFound, format!("there is no interface {name}"));
    let clone = |made: &str| {
        format!(
            "run `sysrc cloned_interfaces+={made}` and `service netif cloneup`, which make it, at each boot, too"
        )
    };
    match (name.starts_with("lo"), name.strip_prefix("epair").and_then(|rest| rest.strip_suffix(['a', 'b'])))
    {
        (true, _) => error.hint(clone(name)),
        (_, Some(number)) => error.hint(clone(&format!("epair{number}"))),
        _ => error.hint("`ifconfig -l` lists those that there are"),
    }
}
