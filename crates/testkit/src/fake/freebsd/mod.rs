//! The fake machine's programs of FreeBSD: jail(8), jls(8), ifconfig(8), rctl(8), sysctl(8), devfs(8), with the words
//! and the exit statuses that the real ones have. They act on the state alone.

mod ifconfig;
mod jail;
mod rctl;

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;
use qchroot_api::Output;

use super::FakeHost;
use super::node::Inode;
use super::process::output;
use super::state::State;
pub(crate) use jail::Jail;

/// What a FreeBSD kernel has beside files, mounts and processes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Kernel {
    pub(crate) jails: BTreeMap<String, Jail>,
    /// Addresses by interface, each as ifconfig(8) shows it: `inet 127.0.0.1 netmask 0xff000000`.
    interfaces: BTreeMap<String, Vec<String>>,
    /// Interfaces that a jail has, and whose.
    given: BTreeMap<String, String>,
    /// Rules of rctl(8).
    rules: BTreeSet<String>,
    /// `kern.racct.enable`.
    pub(crate) counts: bool,
    /// `kern.features.vimage`.
    stacks: bool,
    /// Further variables of sysctl(8) by their names.
    variables: BTreeMap<String, String>,
}

impl Kernel {
    /// The state of a machine that has just been set up.
    pub(crate) fn new() -> Self {
        let loopback = vec!["inet 127.0.0.1 netmask 0xff000000".into(), "inet6 ::1 prefixlen 128".into()];
        let variables = [("security.jail.jailed", "0"), ("kern.securelevel", "-1")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let interfaces = [("lo0".to_owned(), loopback)].into();
        Self { interfaces, stacks: true, variables, ..Self::default() }
    }

    /// The machine starts anew.
    pub(crate) fn reboot(&mut self) {
        let kept = self.interfaces.keys().filter(|name| *name != "lo0").map(|name| (name.clone(), vec![]));
        let interfaces = Self::new().interfaces.into_iter().chain(kept.collect::<Vec<_>>()).collect();
        let variables = std::mem::take(&mut self.variables);
        *self = Self { interfaces, counts: self.counts, stacks: self.stacks, variables, ..Self::default() };
    }

    /// One line for everything that is there.
    pub(crate) fn lines(&self) -> Vec<String> {
        let jails = self.jails.iter().map(|(name, jail)| format!("jail {name} in {}", jail.path));
        let aliases = self.interfaces.iter().flat_map(|(name, addresses)| {
            std::iter::once(format!("interface {name}"))
                .chain(addresses.iter().map(move |address| format!("interface {name}: {address}")))
        });
        let given = self.given.iter().map(|(name, jail)| format!("interface {name} of jail {jail}"));
        let rules = self.rules.iter().map(|rule| format!("rule {rule}"));
        jails.chain(aliases).chain(given).chain(rules).collect()
    }
}

impl FakeHost {
    /// Adds an interface without an address.
    pub fn plant_interface(&self, name: &str) {
        self.state().freebsd.interfaces.insert(name.into(), vec![]);
    }

    /// Takes an interface out of the machine, whoever has it.
    pub fn destroy_interface(&self, name: &str) {
        let mut state = self.state();
        state.freebsd.interfaces.remove(name);
        state.freebsd.given.remove(name);
    }

    /// The same, with a kernel that counts what jails use: `kern.racct.enable=1`.
    #[must_use]
    pub fn with_accounting(self) -> Self {
        self.state().freebsd.counts = true;
        self
    }

    /// The same, with one that does not.
    #[must_use]
    pub fn without_accounting(self) -> Self {
        self.state().freebsd.counts = false;
        self
    }

    /// The same, with a kernel that has one network stack for all.
    #[must_use]
    pub fn with_one_network_stack(self) -> Self {
        self.state().freebsd.stacks = false;
        self
    }

    /// The same, with a variable of the kernel's as sysctl(8) tells it.
    #[must_use]
    pub fn with_variable(self, name: &str, value: &str) -> Self {
        self.state().freebsd.variables.insert(name.into(), value.into());
        self
    }

    /// Runs a program of FreeBSD's, words separated by single spaces.
    ///
    /// # Panics
    /// When it is not known here.
    #[must_use]
    pub fn freebsd_says(&self, line: &str) -> Output {
        let argv: Vec<String> = line.split(' ').map(str::to_owned).collect();
        self.state().freebsd_act(&argv).unwrap_or_else(|| panic!("{line} is not known here"))
    }
}

impl State {
    /// Runs a program that may change something; `None` for one that is not FreeBSD's or not known.
    pub(crate) fn freebsd_act(&mut self, argv: &[String]) -> Option<Output> {
        let (program, args) = argv.split_first()?;
        match program.as_str() {
            "jail" => Some(self.jail(args)),
            "devfs" if args.first().is_some_and(|arg| arg == "-m") => self.devfs_rule(args),
            "ifconfig" if args.len() > 2 => Some(self.freebsd.ifconfig(args)),
            "rctl" if args.first().is_some_and(|arg| arg.starts_with('-')) => Some(self.freebsd.rctl(args)),
            _ => self.freebsd_ask(argv),
        }
    }

    /// Runs a program that only looks.
    pub(crate) fn freebsd_ask(&self, argv: &[String]) -> Option<Output> {
        let words: Vec<&str> = argv.iter().map(String::as_str).collect();
        Some(match words[..] {
            ["jls", "-j", name, "jid"] => self.jls(name),
            ["jls", "-n", "name", list] => self.jls_all(list),
            ["devfs", "rule", "showsets"] => {
                output(0, &self.rulesets.iter().map(|set| format!("{set}\n")).collect::<String>(), "")
            }
            ["ifconfig", interface] => self.freebsd.show(interface, ""),
            ["ifconfig", interface, family] => self.freebsd.show(interface, family),
            ["rctl", filter] => self.freebsd.rules_of(filter),
            ["sysctl", "-n", "kern.racct.enable"] => output(0, flag(self.freebsd.counts), ""),
            ["sysctl", "-n", "kern.features.vimage"] if self.freebsd.stacks => output(0, "1\n", ""),
            ["sysctl", "-n", name] if self.freebsd.variables.contains_key(name) => {
                output(0, &format!("{}\n", self.freebsd.variables[name]), "")
            }
            ["sysctl", "-n", name] => output(1, "", &format!("sysctl: unknown oid '{name}'\n")),
            _ => return None,
        })
    }

    /// devfs(8) with `-m DIR rule apply path NAME unhide`: what linux(4) has put there comes to light.
    fn devfs_rule(&mut self, args: &[String]) -> Option<Output> {
        let words: Vec<&str> = args.iter().map(String::as_str).collect();
        let ["-m", dir, "rule", "apply", "path", name, "unhide"] = words[..] else { return None };
        let at = self.tree.host(&Utf8Path::new(dir).join(name), false);
        Some(match at.and_then(|at| self.tree.put(&at, Inode::directory(0o755))) {
            Ok(()) => output(0, "", ""),
            Err(error) => output(1, "", &format!("devfs: {error}\n")),
        })
    }
}

fn flag(set: bool) -> &'static str {
    if set { "1\n" } else { "0\n" }
}
