//! The words that jail(8) is given: only what differs from what it does by itself, so that kernels which lack a
//! parameter that nobody asked for are fine.

use qchroot_api::{Container, Error, ErrorKind, Observe, Result};

use crate::network;
use crate::options::{self, ALLOWED, Given, IPC, wrong};

/// Parameters that are qchroot's own business: it makes the jail, mounts, and runs programs itself.
const OWN: [&str; 6] = ["name", "path", "jid", "persist", "nopersist", "command"];

/// The same, by what their names begin with.
const OWN_FAMILIES: [&str; 3] = ["exec.", "mount", "ip_hostname"];

/// All parameters of a container's jail but its name.
pub(crate) fn all(container: &Container, given: Given<'_>) -> Result<Vec<String>> {
    let mut words = vec![format!("path={}", container.root())];
    words.push(format!("host.hostname={}", given.text("host.hostname").unwrap_or(container.name.as_str())));
    words.extend(network::parameters(given)?);
    words.push(format!("enforce_statfs={}", given.number("enforce_statfs").unwrap_or(2)));
    words.push(format!("devfs_ruleset={}", options::ruleset(given)));
    for key in ["securelevel", "children.max", "osreldate"] {
        words.extend(given.number(key).map(|number| format!("{key}={number}")));
    }
    words.extend(given.text("osrelease").map(|text| format!("osrelease={text}")));
    words.extend(IPC.iter().filter_map(|key| Some(format!("{key}={}", given.text(key)?))));
    words.extend(ALLOWED.iter().filter_map(|&(name, by_itself, default, _)| {
        let wanted = given.flag(&format!("allow.{name}"), default);
        (wanted != by_itself).then(|| permission(name, wanted))
    }));
    words.extend(given.list("parameters").iter().map(|&word| word.to_owned()));
    Ok(words)
}

/// `allow.mount.tmpfs`, or `allow.mount.notmpfs`.
fn permission(name: &str, wanted: bool) -> String {
    if wanted {
        return format!("allow.{name}");
    }
    match name.rsplit_once('.') {
        Some((family, name)) => format!("allow.{family}.no{name}"),
        None => format!("allow.no{name}"),
    }
}

/// Refuses a secure level below the host's, which the kernel gives no jail; security(7).
///
/// # Errors
/// Configuration.
pub(crate) fn refuse_lower(given: Given<'_>, host: &dyn Observe) -> Result<()> {
    let Some(wanted) = given.number("securelevel") else { return Ok(()) };
    let output = host.ask(&["sysctl", "-n", "kern.securelevel"])?;
    match output.stdout.trim().parse::<i64>() {
        Ok(hosts) if hosts > wanted => Err(Error::new(
            ErrorKind::Config,
            format!("securelevel {wanted} is below the host's, which is {hosts}"),
        )
        .with("key", "securelevel")
        .hint("a jail's can only be higher; take the option out for the same")),
        _ => Ok(()),
    }
}

/// A parameter's name without the `no` that turns it around.
fn plain(name: &str) -> String {
    match name.rsplit_once('.') {
        Some((family, last)) => format!("{family}.{}", last.strip_prefix("no").unwrap_or(last)),
        None => name.strip_prefix("no").unwrap_or(name).to_owned(),
    }
}

/// Refuses further parameters that an option is there for, or that qchroot sets itself.
pub(crate) fn check(given: Given<'_>) -> Result<()> {
    let known = options::specs();
    for word in given.list("parameters") {
        let name = word.split('=').next().unwrap_or_default();
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._".contains(c);
        if name.is_empty() || !name.chars().all(is_name) {
            return Err(wrong("parameters", format!("parameters: {word:?} is no parameter of jail(8)")));
        }
        if OWN.contains(&name) || OWN_FAMILIES.iter().any(|family| name.starts_with(family)) {
            return Err(wrong("parameters", format!("parameters: {name} is set by qchroot itself")));
        }
        let plain = plain(name);
        if known.iter().any(|spec| spec.key == name || spec.key == plain) {
            return Err(wrong("parameters", format!("parameters: {plain} is an option of its own")));
        }
    }
    Ok(())
}
