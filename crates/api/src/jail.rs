//! Jails of FreeBSD's as steps: jail(8) makes and removes one, rctl(8) says what it may use.

use std::collections::BTreeMap;

use camino::Utf8Path;

use crate::{Check, Error, ErrorKind, Limits, Observe, Plan, Result, Rules, Step};

/// The step that makes the jail `name` by jail(8), with the words `options` before and `parameters` after its name; it
/// stays until it is removed. Its inverse ends every process in it: TERM, then KILL after ten seconds. It reads no
/// jail.conf(5), so that nothing in one, nor a mistake there, has a part in it.
#[must_use]
pub fn jail_step(name: &str, options: &[String], parameters: &[String]) -> Step {
    let mut argv = words(&["jail"]);
    argv.extend_from_slice(options);
    argv.extend(["-c".to_owned(), format!("name={name}")]);
    argv.extend_from_slice(parameters);
    argv.push("persist".into());
    Step::Run {
        argv,
        check: Some(Check::Succeeds(words(&["jls", "-j", name, "jid"]))),
        undo: Some(words(&["jail", "-R", name])),
    }
}

/// Steps that limit what the processes of the jail `name` may use together, by rctl(8): before the jail is made, so
/// that its first process is held to them.
///
/// Processes and threads are counted as threads, of which every process has one. What is written and read is slowed
/// down, all else refused: memory that would have to be paged out, when it is asked for; pages beyond the limit lose
/// their place in memory.
#[must_use]
pub fn jail_limits(name: &str, limits: &Limits) -> Plan {
    let each = [
        ("pcpu", "deny", limits.cpu_percent.map(u64::from)),
        ("memoryuse", "deny", limits.memory_bytes),
        ("swapuse", "deny", limits.memory_bytes),
        ("maxproc", "deny", limits.processes),
        ("nthr", "deny", limits.processes),
        ("readbps", "throttle", limits.read_bps),
        ("writebps", "throttle", limits.write_bps),
    ];
    let rule = |(resource, action, amount): (&str, &str, Option<u64>)| {
        let subject = format!("jail:{name}:{resource}");
        let rule = format!("{subject}:{action}={}", amount?);
        Some(Step::Run {
            argv: words(&["rctl", "-a", &rule]),
            check: Some(Check::Prints { argv: words(&["rctl", &subject]), prints: rule }),
            undo: Some(words(&["rctl", "-r", &subject])),
        })
    };
    each.into_iter().filter_map(rule).collect()
}

/// What there is to tell of the jail `name` with this root while it is there: its name, its number, and a way out of it
/// that somebody has made.
///
/// # Errors
/// When the machine cannot be asked.
pub fn jail_facts(name: &str, root: &Utf8Path, host: &dyn Observe) -> Result<BTreeMap<String, String>> {
    let jid = host.ask(&["jls", "-j", name, "jid"])?;
    let jid = (jid.status == 0).then(|| ("jid".to_owned(), jid.stdout.trim().to_owned()));
    let risk = shared_directory(root, host)?.map(|risk| ("risk".to_owned(), risk));
    Ok(jid.into_iter().chain(risk).chain([("jail".to_owned(), name.to_owned())]).collect())
}

/// Two jails that can write to one directory by nullfs(5) can hand each other open directories through it and leave.
fn shared_directory(root: &Utf8Path, host: &dyn Observe) -> Result<Option<String>> {
    let mounts = host.mounts()?;
    let writable: Vec<_> = mounts.iter().filter(|mount| mount.fs == "nullfs" && !mount.read_only).collect();
    let is_one = |a: &str, b: &str| Utf8Path::new(a).starts_with(b) || Utf8Path::new(b).starts_with(a);
    let (inside, outside): (Vec<_>, Vec<_>) =
        writable.into_iter().partition(|mount| mount.at.starts_with(root));
    let shared = inside.iter().find_map(|mine| {
        let other = outside.iter().find(|other| is_one(&mine.source, &other.source))?;
        Some(format!("{} and {} can both be written to and are the same directory", mine.at, other.at))
    });
    Ok(shared)
}

/// What each process of a jail is held to by itself.
#[must_use]
pub fn jail_rules(limits: &Limits) -> Rules {
    let process_limits = limits.open_files.map(|most| ("nofile".to_owned(), most)).into_iter().collect();
    Rules { process_limits, ..Rules::default() }
}

/// Refuses what the kernel would refuse to a jail: where this program runs in one, it may make jails and mount only as
/// far as that jail may. Source: `security.jail.*` of jail(8).
///
/// # Errors
/// Unavailable, with what the jail lacks.
pub fn refuse_in_jail(host: &dyn Observe) -> Result<()> {
    if number(host, "security.jail.jailed")? != Some(1) {
        return Ok(());
    }
    let most = number(host, "security.jail.children.max")?.unwrap_or(0);
    let lacks = if most <= number(host, "security.jail.children.cur")?.unwrap_or(0) {
        "it may make no further jail: children.max is too low"
    } else if number(host, "security.jail.enforce_statfs")? == Some(2) {
        "it may not mount: enforce_statfs is 2"
    } else if number(host, "security.jail.mount_allowed")? != Some(1) {
        "it may not mount: allow.mount is missing"
    } else if number(host, "security.jail.mount_devfs_allowed")? != Some(1) {
        "it may not mount devfs: allow.mount.devfs is missing"
    } else {
        return Ok(());
    };
    Err(Error::new(ErrorKind::Unavailable, "this system is a jail itself, and cannot start a container")
        .cause(lacks)
        .hint(
            "give the jail children.max, enforce_statfs=1, devfs_ruleset=4, allow.mount, allow.mount.devfs and \
             allow.mount.nullfs, or run qchroot on the host",
        ))
}

/// A number among the kernel's variables; `None` for one that it does not have.
fn number(host: &dyn Observe, name: &str) -> Result<Option<i64>> {
    let output = host.ask(&["sysctl", "-n", name])?;
    Ok(Some(output.stdout).filter(|_| output.status == 0).and_then(|text| text.trim().parse().ok()))
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}
