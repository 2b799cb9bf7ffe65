//! jail(8) and jls(8).

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::Output;

use crate::fake::node::Inode;
use crate::fake::process::output;
use crate::fake::state::State;

/// Parameters that a jail of FreeBSD 13.2 knows, as jls(8) lists them, and those that jail(8) itself takes.
const KNOWN: &[&str] = &[
    "name",
    "path",
    "persist",
    "jid",
    "host",
    "host.hostname",
    "host.domainname",
    "ip4",
    "ip4.addr",
    "ip4.saddrsel",
    "ip6",
    "ip6.addr",
    "ip6.saddrsel",
    "vnet",
    "devfs_ruleset",
    "enforce_statfs",
    "securelevel",
    "osrelease",
    "osreldate",
    "children.max",
    "cpuset.id",
    "sysvmsg",
    "sysvsem",
    "sysvshm",
    "allow.set_hostname",
    "allow.raw_sockets",
    "allow.chflags",
    "allow.mlock",
    "allow.mount",
    "allow.mount.devfs",
    "allow.mount.fdescfs",
    "allow.mount.nullfs",
    "allow.mount.procfs",
    "allow.mount.tmpfs",
    "allow.mount.zfs",
    "allow.mount.linprocfs",
    "allow.mount.linsysfs",
    "allow.quotas",
    "allow.read_msgbuf",
    "allow.reserved_ports",
    "allow.socket_af",
    "allow.suser",
    "allow.sysvipc",
    "allow.unprivileged_proc_debug",
];

/// A jail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Jail {
    pub(crate) jid: i32,
    pub(crate) path: Utf8PathBuf,
    pub(crate) parameters: BTreeMap<String, String>,
}

impl State {
    /// `jail [-J FILE] -c NAME=VALUE …`, `jail -r NAME` or `-R`.
    pub(super) fn jail(&mut self, args: &[String]) -> Output {
        let words: Vec<&str> = args.iter().map(String::as_str).collect();
        let made = match words[..] {
            ["-r" | "-R", name] => self.remove_jail(name),
            ["-c", ref parameters @ ..] => self.make_jail(parameters).map(drop),
            ["-J", file, "-c", ref parameters @ ..] => {
                self.make_jail(parameters).and_then(|line| self.write_jid_file(file, &line))
            }
            _ => Err("usage: jail [-dhilqv] [-J jid_file] [-u username] [-U username]".into()),
        };
        match made {
            Ok(()) => output(0, "", ""),
            Err(words) => output(1, "", &format!("jail: {words}\n")),
        }
    }

    /// The line for a jid file.
    fn make_jail(&mut self, words: &[&str]) -> Result<String, String> {
        let parameters = parse(words)?;
        let path = parameters.get("path").ok_or("no path")?;
        let name = parameters.get("name").ok_or("no name")?.clone();
        if self.freebsd.jails.contains_key(&name) {
            return Err(format!("\"{name}\" already exists"));
        }
        let path = self
            .root_dir(Utf8Path::new(path))
            .map_err(|_| format!("path {path}: No such file or directory"))?;
        if let Some(family) = self.freebsd.clash(&parameters) {
            return Err(format!("{family} addresses clash"));
        }
        let jid = 1 + self.freebsd.jails.values().map(|jail| jail.jid).max().unwrap_or(0);
        self.freebsd.jails.insert(name, Jail { jid, path, parameters });
        Ok(format!("jid={jid} {}\n", words.join(" ")))
    }

    fn write_jid_file(&mut self, file: &str, line: &str) -> Result<(), String> {
        let at = self.tree.host(Utf8Path::new(file), true).map_err(|error| error.to_string())?;
        self.tree.put(&at, Inode::file(line, 0o644)).map_err(|error| error.to_string())
    }

    /// Its processes end with it, and its interfaces come back; aliases stay.
    fn remove_jail(&mut self, name: &str) -> Result<(), String> {
        let jail = self.freebsd.jails.remove(name).ok_or_else(|| not_found(name))?;
        self.processes.retain(|process| !process.info.root.starts_with(&jail.path));
        self.freebsd.take_back(name);
        Ok(())
    }

    /// Whether a jail was made on this root.
    pub(crate) fn has_jail_on(&self, root: &Utf8Path) -> bool {
        self.root_dir(root).is_ok_and(|root| self.freebsd.jails.values().any(|jail| jail.path == root))
    }

    /// Removes the jails that were made on this root.
    pub(crate) fn remove_jails_on(&mut self, root: &Utf8Path) {
        let on = self.freebsd.jails.iter().filter(|(_, jail)| jail.path == root);
        for name in on.map(|(name, _)| name.clone()).collect::<Vec<_>>() {
            self.remove_jail(&name).expect("it was found a moment ago");
        }
    }

    pub(super) fn jls(&self, name: &str) -> Output {
        match self.freebsd.jails.get(name) {
            Some(jail) => output(0, &format!("{}\n", jail.jid), ""),
            None => output(1, "", &format!("jls: jail {}\n", not_found(name))),
        }
    }

    /// `jls -n name LIST`: every jail by its number, one that has no such address with nothing after the sign.
    pub(super) fn jls_all(&self, list: &str) -> Output {
        let mut jails: Vec<_> = self.freebsd.jails.iter().collect();
        jails.sort_by_key(|(_, jail)| jail.jid);
        let line = |(name, jail): &(&String, &Jail)| {
            format!("name={name} {list}={}\n", jail.parameters.get(list).map_or("", String::as_str))
        };
        output(0, &jails.iter().map(line).collect::<String>(), "")
    }
}

impl super::Kernel {
    /// Two jails may share an address only where it is the one address of each: the family, as the kernel calls it.
    fn clash(&self, parameters: &BTreeMap<String, String>) -> Option<&'static str> {
        let lists = [("ip4.addr", "IPv4"), ("ip6.addr", "IPv6")];
        let clashes = |list: &str| {
            let own: Vec<&str> = parameters.get(list)?.split(',').collect();
            let others = self.jails.values().filter_map(|jail| jail.parameters.get(list));
            let others = others.map(|theirs| theirs.split(',').collect::<Vec<_>>());
            let clashing = |theirs: Vec<&str>| {
                (own.len() > 1 || theirs.len() > 1) && own.iter().any(|ip| theirs.contains(ip))
            };
            others.map(clashing).find(|&clashes| clashes)
        };
        lists.iter().find(|(list, _)| clashes(list).is_some()).map(|&(_, family)| family)
    }
}

fn not_found(name: &str) -> String {
    format!("\"{name}\" not found")
}

/// A parameter without a value is on, and one that begins with `no` is its opposite.
fn parse(words: &[&str]) -> Result<BTreeMap<String, String>, String> {
    let mut parameters = BTreeMap::new();
    for word in words {
        let (name, value) = word.split_once('=').unwrap_or((word, "true"));
        let plain = match name.rsplit_once('.') {
            Some((family, last)) => last.strip_prefix("no").map(|last| format!("{family}.{last}")),
            None => name.strip_prefix("no").map(str::to_owned),
        };
        let known = |name: &str| KNOWN.contains(&name);
        match plain.filter(|plain| known(plain)) {
            Some(plain) => parameters.insert(plain, "false".into()),
            None if known(name) => parameters.insert(name.into(), value.into()),
            None => return Err(format!("unknown parameter: {name}")),
        };
    }
    let has = |name: &str| parameters.contains_key(name);
    if has("vnet") && ["ip4", "ip4.addr", "ip6", "ip6.addr"].iter().any(|name| has(name)) {
        return Err("vnet jails cannot have IP address restrictions".into());
    }
    Ok(parameters)
}
