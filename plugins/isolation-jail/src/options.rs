//! The options: their names, types and defaults, and what their values may be.

use camino::Utf8Path;
use qchroot_api::{Error, ErrorKind, OptionKind, OptionSpec, Options, Result};

/// What may be allowed inside: the name after `allow.`, whether jail(8) allows it by itself, whether qchroot does, and
/// what it is.
pub(crate) const ALLOWED: &[(&str, bool, bool, &str)] = &[
    ("set_hostname", true, false, "change the host name"),
    ("raw_sockets", false, false, "raw sockets, as ping(8) needs"),
    ("chflags", false, false, "change system file flags; chflags(1)"),
    ("socket_af", false, false, "sockets beyond local, IPv4, IPv6 and routing"),
    ("sysvipc", false, false, "the host's System V IPC; better sysvmsg, sysvsem, sysvshm"),
    ("mlock", false, false, "lock memory; mlock(2)"),
    ("read_msgbuf", false, false, "read the kernel's messages; dmesg(8)"),
    ("reserved_ports", true, true, "bind ports below 1024"),
    ("unprivileged_proc_debug", true, true, "debug processes without being superuser"),
    ("quotas", false, false, "change quotas of the jail's file systems"),
    ("mount", false, false, "mount what is marked as fit for jails; needs enforce_statfs below 2"),
    ("mount.devfs", false, false, "mount devfs(5)"),
    ("mount.fdescfs", false, false, "mount fdescfs(5)"),
    ("mount.nullfs", false, false, "mount nullfs(5): has been a way out of jails"),
    ("mount.procfs", false, false, "mount procfs(5)"),
    ("mount.linprocfs", false, false, "mount linprocfs(5)"),
    ("mount.linsysfs", false, false, "mount linsysfs(5)"),
    ("mount.tmpfs", false, false, "mount tmpfs(5)"),
    ("mount.zfs", false, false, "mount data sets of its own; zfs(8)"),
];

/// System V IPC, each kind by itself.
pub(crate) const IPC: [&str; 3] = ["sysvmsg", "sysvsem", "sysvshm"];

/// The kernel refuses what is not below its own limit, JAIL_MAX of sys/jail.h.
const MOST_CHILDREN: i64 = 999_998;

/// The longest release that a jail can say, without the zero at its end: OSRELEASELEN of sys/jail.h.
const LONGEST_RELEASE: usize = 31;

/// Values of what is inherited from the host, new, or not there.
pub(crate) const INHERITANCE: [&str; 3] = ["new", "inherit", "disable"];

/// All options.
pub(crate) fn specs() -> Vec<OptionSpec> {
    use OptionKind::{Flag, List, Number, Text};
    let others = [
        ("host.hostname", Text, "the container's name", "its host name"),
        ("ip4", Text, "new with addresses, else disable", "IPv4: new, inherit or disable"),
        ("ip4.addr", List, "none", "IPv4 addresses: [INTERFACE|]ADDRESS[/PREFIX]"),
        ("ip6", Text, "new with addresses, else disable", "IPv6: new, inherit or disable"),
        ("ip6.addr", List, "none", "IPv6 addresses: [INTERFACE|]ADDRESS[/PREFIX]"),
        ("interface", Text, "none", "where addresses without an interface are added as aliases"),
        ("vnet", Flag, "false", "a network stack of its own"),
        ("vnet.interface", List, "none", "interfaces that a network stack of its own gets"),
        ("securelevel", Number, "the host's", "-1 to 3; security(7)"),
        ("devfs_ruleset", Number, "4, with vnet 5", "devfs(8) rule set for /dev"),
        ("enforce_statfs", Number, "2", "0: all mounts are seen, 1: those inside, 2: the root alone"),
        ("children.max", Number, "0", "jails that it may make itself"),
        ("sysvmsg", Text, "disable", "System V messages: new, inherit or disable"),
        ("sysvsem", Text, "disable", "System V semaphores: new, inherit or disable"),
        ("sysvshm", Text, "disable", "System V shared memory: new, inherit or disable"),
        ("mount.devfs", Flag, "true", "mount /dev"),
        ("mount.fdescfs", Flag, "false", "mount /dev/fd"),
        ("mount.procfs", Flag, "false, true for Linux userlands", "mount /proc, and /sys for those"),
        ("osrelease", Text, "the host's", "what uname -r says inside, for an older userland"),
        ("osreldate", Number, "the host's", "what uname -K says inside"),
        ("jid_file", Text, "none", "a file that its number and parameters are written to"),
        ("style", Text, "application", "application: services alone; system: /etc/rc and /etc/rc.shutdown"),
        ("parameters", List, "none", "further parameters of jail(8): NAME or NAME=VALUE"),
    ];
    let mut specs: Vec<OptionSpec> =
        others.iter().map(|&(key, kind, default, what)| OptionSpec::new(key, kind, default, what)).collect();
    specs.extend(ALLOWED.iter().map(|&(name, _, default, what)| {
        let default = if default { "true" } else { "false" };
        OptionSpec::new(&format!("allow.{name}"), Flag, default, &format!("may inside: {what}"))
    }));
    specs
}

/// A container's options.
#[derive(Clone, Copy)]
pub(crate) struct Given<'a>(pub(crate) &'a Options);

impl<'a> Given<'a> {
    pub(crate) fn text(self, key: &str) -> Option<&'a str> {
        self.0.get(key)?.as_str()
    }

    pub(crate) fn flag(self, key: &str, default: bool) -> bool {
        self.0.get(key).and_then(|value| value.as_bool()).unwrap_or(default)
    }

    pub(crate) fn number(self, key: &str) -> Option<i64> {
        self.0.get(key)?.as_integer()
    }

    pub(crate) fn list(self, key: &str) -> Vec<&'a str> {
        let items = self.0.get(key).and_then(|value| value.as_array());
        items.into_iter().flatten().filter_map(|item| item.as_str()).collect()
    }
}

/// The devfs(8) rule set: those that the system comes with for jails.
pub(crate) fn ruleset(given: Given<'_>) -> u32 {
    let usual = if given.flag("vnet", false) { 5 } else { 4 };
    given.number("devfs_ruleset").and_then(|number| u32::try_from(number).ok()).unwrap_or(usual)
}

/// Refuses values that are of the right type and yet make no sense.
pub(crate) fn check_values(given: Given<'_>) -> Result<()> {
    for key in ["ip4", "ip6"].into_iter().chain(IPC) {
        one_of(given, key, &INHERITANCE)?;
    }
    one_of(given, "style", &["application", "system"])?;
    let ranges = [
        ("securelevel", -1, 3),
        ("devfs_ruleset", 1, 65535),
        ("enforce_statfs", 0, 2),
        ("children.max", 0, MOST_CHILDREN),
        ("osreldate", 1, i64::from(i32::MAX)),
    ];
    ranges.into_iter().try_for_each(|(key, from, to)| in_range(given, key, from, to))?;
    let is_host_name = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    if let Some(name) = given.text("host.hostname")
        && (name.is_empty() || name.len() > 255 || name.starts_with('-') || !name.chars().all(is_host_name))
    {
        return Err(wrong("host.hostname", format!("{name:?} is no host name")));
    }
    let is_release = |c: char| c.is_ascii_graphic();
    if let Some(release) = given.text("osrelease")
        && (release.is_empty() || release.len() > LONGEST_RELEASE || !release.chars().all(is_release))
    {
        return Err(wrong("osrelease", format!("osrelease: {release:?} is no release"))
            .hint("write it as uname -r does, for example 12.4-RELEASE"));
    }
    if let Some(file) = given.text("jid_file")
        && !Utf8Path::new(file).is_absolute()
    {
        return Err(wrong("jid_file", format!("jid_file {file:?} is not absolute"))
            .hint("use a path such as /var/run/web.jid, where a restart of the host clears it away"));
    }
    Ok(())
}

fn one_of(given: Given<'_>, key: &str, known: &[&str]) -> Result<()> {
    match given.text(key) {
        Some(value) if !known.contains(&value) => {
            Err(wrong(key, format!("{key} must be one of {}, not {value:?}", known.join(", "))))
        }
        _ => Ok(()),
    }
}

fn in_range(given: Given<'_>, key: &str, from: i64, to: i64) -> Result<()> {
    match given.number(key) {
        Some(number) if !(from..=to).contains(&number) => {
            Err(wrong(key, format!("{key} must be from {from} to {to}, not {number}")))
        }
        _ => Ok(()),
    }
}

/// An option whose value is wrong.
pub(crate) fn wrong(key: &str, message: String) -> Error {
    Error::new(ErrorKind::Config, message).with("key", key)
}
