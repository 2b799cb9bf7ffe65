//! Where the script for rc.d stands among FreeBSD's own, as rcorder(8) orders them.
//!
//! Must not know what the scripts do.

use std::collections::{BTreeMap, BTreeSet};

use super::scripts::boot_file;

/// Headers of FreeBSD's own scripts, each a block: those that lead to `LOGIN`, `FILESYSTEMS`, `jail` and `securelevel`,
/// as they stand in 13, 14 and 15 alike. What they name that is not here leads to nothing that is.
const SYSTEM: &str = include_str!("rc.d-headers");

/// What a script says of itself.
#[derive(Debug, Default, Clone)]
pub struct Header {
    pub provides: Vec<String>,
    requires: Vec<String>,
    before: Vec<String>,
    keywords: Vec<String>,
}

impl Header {
    /// rcorder(8): a block of lines of this form and no other; each may stand several times; what follows the first
    /// other line is not read.
    pub fn of(text: &str) -> Self {
        let mut header = Self::default();
        let lines = text.lines().skip_while(|line| header_line(line).is_none());
        for (key, words) in lines.map_while(header_line) {
            let list = match key {
                "PROVIDE" => &mut header.provides,
                "REQUIRE" => &mut header.requires,
                "BEFORE" => &mut header.before,
                _ => &mut header.keywords,
            };
            list.extend(words.split_whitespace().map(str::to_owned));
        }
        header
    }
}

fn header_line(line: &str) -> Option<(&str, &str)> {
    let (key, words) = line.strip_prefix("# ")?.split_once(':')?;
    ["PROVIDE", "REQUIRE", "BEFORE", "KEYWORD"].contains(&key).then_some((key, words))
}

/// FreeBSD's scripts, then ours, as rc(8) gives them to rcorder(8).
fn scripts() -> Vec<Header> {
    let mut all: Vec<Header> = SYSTEM.split("\n\n").map(Header::of).collect();
    all.push(Header::of(&boot_file("qchroot.rc.d")));
    all
}

/// The order of the scripts by what each provides first: what a script requires comes before it. Like rcorder(8) it
/// begins with the last script given, so that nothing comes late by accident.
fn order(scripts: &[Header]) -> Vec<String> {
    let mut needs: Vec<Vec<&str>> = Vec::new();
    for script in scripts {
        let first = |other: &&Header| other.before.iter().any(|name| script.provides.contains(name));
        let before = scripts.iter().filter(first).map(|other| other.provides[0].as_str());
        needs.push(script.requires.iter().map(String::as_str).chain(before).collect());
    }
    let by_name: BTreeMap<&str, usize> = scripts
        .iter()
        .enumerate()
        .flat_map(|(at, it)| it.provides.iter().map(move |name| (name.as_str(), at)))
        .collect();
    let mut walk =
        Walk { needs: &needs, by_name: &by_name, path: vec![], done: BTreeSet::new(), order: vec![] };
    (0..scripts.len()).rev().for_each(|at| walk.visit(at));
    walk.order.into_iter().map(|at| scripts[at].provides[0].clone()).collect()
}

struct Walk<'a> {
    needs: &'a [Vec<&'a str>],
    by_name: &'a BTreeMap<&'a str, usize>,
    path: Vec<usize>,
    done: BTreeSet<usize>,
    order: Vec<usize>,
}

impl Walk<'_> {
    fn visit(&mut self, at: usize) {
        assert!(!self.path.contains(&at), "circular dependency: {:?} then {at}", self.path);
        if !self.done.insert(at) {
            return;
        }
        self.path.push(at);
        for name in &self.needs[at] {
            if let Some(&need) = self.by_name.get(name) {
                self.visit(need);
            }
        }
        self.path.pop();
        self.order.push(at);
    }
}

fn place(order: &[String], name: &str) -> usize {
    order.iter().position(|it| it == name).unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn the_rc_script_says_where_it_belongs() {
    let header = Header::of(&boot_file("qchroot.rc.d"));
    assert_eq!(header.requires, ["LOGIN", "FILESYSTEMS", "cleanvar", "jail"]);
    assert_eq!(header.before, ["securelevel"]);
    assert_eq!(header.keywords, ["nojail", "shutdown"]);
}

/// Devices' rules are loaded, data sets, late mounts and memory disks are there, limits and the host's own services;
/// after the secure level nothing could be mounted.
#[test]
fn containers_start_when_the_system_is_ready() {
    let scripts = scripts();
    let order = order(&scripts);
    assert_eq!(order.len(), scripts.len());
    let ours = place(&order, "qchroot");
    for earlier in [
        "LOGIN",
        "FILESYSTEMS",
        "cleanvar",
        "devfs",
        "zfs",
        "mdconfig2",
        "mountlate",
        "rctl",
        "local",
        "linux",
        "jail",
    ] {
        assert!(place(&order, earlier) < ours, "{earlier} comes after: {order:?}");
    }
    assert!(ours < place(&order, "securelevel"), "{order:?}");
    // Every name that the script gives is one that FreeBSD provides.
    let provided: BTreeSet<&String> = scripts.iter().flat_map(|it| &it.provides).collect();
    let header = scripts.last().unwrap();
    assert!(header.requires.iter().chain(&header.before).all(|name| provided.contains(name)));
}

/// rc.shutdown(8) goes backwards through those with the keyword. `rc.d/jail` without a list removes every jail that
/// runs, so it must not come first.
#[test]
fn containers_stop_before_jails_are_removed() {
    let all = scripts();
    let order = order(&all);
    let with = |keyword: &str, name: &String| {
        all.iter().any(|it| it.provides[0] == *name && it.keywords.iter().any(|it| it == keyword))
    };
    let mut shutdown: Vec<String> = order.iter().filter(|name| with("shutdown", name)).cloned().collect();
    shutdown.reverse();
    for later in ["jail", "local", "watchdogd", "mountcritlocal"] {
        assert!(place(&shutdown, "qchroot") < place(&shutdown, later), "{shutdown:?}");
    }
    assert!(with("nojail", &"qchroot".to_owned()), "a jail has no right to what it does");
}

/// Only the requirement says so: without it the script would come before `jail`, and be stopped after it.
#[test]
fn the_order_against_jails_is_not_by_accident() {
    let mut all = scripts();
    all.last_mut().unwrap().requires.retain(|name| name != "jail");
    let order = order(&all);
    assert!(place(&order, "qchroot") < place(&order, "jail"), "{order:?}");
}
