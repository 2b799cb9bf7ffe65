//! Parameters of jail(8) as options of isolation `jail`. It knows their names, not what they do.

/// What becomes of one parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Becomes {
    /// An option and its value.
    Option(String, String),
    /// It goes without saying here.
    Nothing,
    /// It is not understood.
    Unknown,
}

/// Options that bear the parameter's name and take its value.
const VALUES: &[&str] = &[
    "children.max",
    "devfs_ruleset",
    "enforce_statfs",
    "host.hostname",
    "interface",
    "ip4",
    "ip4.addr",
    "ip6",
    "ip6.addr",
    "osreldate",
    "osrelease",
    "securelevel",
    "sysvmsg",
    "sysvsem",
    "sysvshm",
    "vnet.interface",
];

/// Options that are on or off.
const FLAGS: &[&str] = &[
    "allow.chflags",
    "allow.mlock",
    "allow.mount",
    "allow.mount.devfs",
    "allow.mount.fdescfs",
    "allow.mount.linprocfs",
    "allow.mount.linsysfs",
    "allow.mount.nullfs",
    "allow.mount.procfs",
    "allow.mount.tmpfs",
    "allow.mount.zfs",
    "allow.quotas",
    "allow.raw_sockets",
    "allow.read_msgbuf",
    "allow.reserved_ports",
    "allow.set_hostname",
    "allow.socket_af",
    "allow.sysvipc",
    "allow.unprivileged_proc_debug",
    "mount.devfs",
    "mount.fdescfs",
    "mount.procfs",
    "vnet",
];

/// What every container here has, or gets from its own file: programs start in a clean environment, output has a log.
const ELSEWHERE: &[&str] = &[
    "exec.clean",
    "exec.consolelog",
    "exec.timeout",
    "mount.fstab",
    "name",
    "path",
    "persist",
    "stop.timeout",
];

/// What becomes of the parameter `key`, whose value is empty where it has none.
pub(crate) fn becomes(key: &str, value: &str) -> Becomes {
    let option = |key: &str, value: &str| Becomes::Option(key.into(), value.into());
    match key {
        "exec.start" if is_run(value, "/etc/rc") => option("style", "system"),
        "exec.stop" if is_run(value, "/etc/rc.shutdown") => Becomes::Nothing,
        // Within a jail of a jail; the machine's own rules are what is left.
        "devfs_ruleset" if value == "0" => Becomes::Nothing,
        "allow.dying" | "host.hostuuid" if value.is_empty() => Becomes::Nothing,
        _ if ELSEWHERE.contains(&key) => Becomes::Nothing,
        _ if VALUES.contains(&key) && !value.is_empty() => option(key, value),
        _ => match (flag(key), value) {
            (Some((name, on)), "" | "true" | "1") => option(&name, if on { "true" } else { "false" }),
            (Some((name, on)), "false" | "0") => option(&name, if on { "false" } else { "true" }),
            _ => Becomes::Unknown,
        },
    }
}

/// The flag of that name, and whether it is meant to be on: `allow.noraw_sockets` is `allow.raw_sockets` off.
fn flag(key: &str) -> Option<(String, bool)> {
    if FLAGS.contains(&key) {
        return Some((key.into(), true));
    }
    let (above, last) = key.rsplit_once('.').map_or(("", key), |(above, last)| (above, last));
    let last = last.strip_prefix("no")?;
    let name = if above.is_empty() { last.to_owned() } else { format!("{above}.{last}") };
    FLAGS.contains(&name.as_str()).then_some((name, false))
}

fn is_run(command: &str, script: &str) -> bool {
    let words: Vec<&str> = command.split_whitespace().collect();
    matches!(words.as_slice(), ["/bin/sh", run] | ["/bin/sh", run, "jail"] if *run == script)
}

/// Addresses as several tools list them, `[INTERFACE|]ADDRESS[/PREFIX],…`: those of IPv4, and those of IPv6.
pub(crate) fn addresses(list: &str) -> (Vec<&str>, Vec<&str>) {
    let all = list.split([',', ' ']).filter(|address| !address.is_empty());
    all.partition(|address| !address.rsplit('|').next().unwrap_or_default().contains(':'))
}

/// Puts an option in, in place of the one of that name.
pub(crate) fn put(options: &mut Vec<(String, String)>, key: &str, value: impl Into<String>) {
    options.retain(|(known, _)| known != key);
    options.push((key.into(), value.into()));
}

/// Puts addresses in, each kind under its option.
pub(crate) fn put_addresses(options: &mut Vec<(String, String)>, list: &str) {
    let (four, six) = addresses(list);
    for (key, addresses) in [("ip4.addr", four), ("ip6.addr", six)] {
        if !addresses.is_empty() {
            put(options, key, addresses.join(","));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_become_options_of_their_name() {
        let option = |key: &str, value: &str| Becomes::Option(key.into(), value.into());
        assert_eq!(becomes("allow.raw_sockets", ""), option("allow.raw_sockets", "true"));
        assert_eq!(becomes("allow.noraw_sockets", ""), option("allow.raw_sockets", "false"));
        assert_eq!(becomes("mount.nodevfs", ""), option("mount.devfs", "false"));
        assert_eq!(becomes("securelevel", "2"), option("securelevel", "2"));
        assert_eq!(becomes("exec.start", "/bin/sh /etc/rc"), option("style", "system"));
        assert_eq!(becomes("exec.stop", "/bin/sh /etc/rc.shutdown jail"), Becomes::Nothing);
        assert_eq!(becomes("exec.start", "/bin/sh /root/mine"), Becomes::Unknown);
        assert_eq!(becomes("exec.prestart", "jib addm e0a"), Becomes::Unknown);
        assert_eq!(becomes("allow.notify", ""), Becomes::Unknown);
    }

    #[test]
    fn addresses_are_told_apart_by_kind() {
        let (four, six) = addresses("em0|10.0.0.1/24,lo1|fd00::1, 127.0.1.1");
        assert_eq!((four, six), (vec!["em0|10.0.0.1/24", "127.0.1.1"], vec!["lo1|fd00::1"]));
    }
}
