//! The only place that knows zfs(8): its command lines, and what it prints with `-Hp`. FreeBSD's and Linux' are the
//! same. It knows no container.

use std::collections::BTreeMap;

use qchroot_api::{Check, Error, ErrorKind, Observe, Platform, ProgramOutput, Result, Snapshot, Step};

/// The property that marks what qchroot made; a user property, zfsprops(7). Its value says what it is.
const MARK: &str = "org.qchroot:is";

/// The inverse of what needs none: it only looks, and a plan that has such a step can still be taken back.
const LOOK: &[&str] = &["list", "-H", "-o", "name"];

/// What a data set of qchroot's is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Made {
    /// The template of a base.
    Base,
    /// A container.
    Container,
}

impl Made {
    fn word(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Container => "container",
        }
    }
}

/// How a data set stands to qchroot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// There is none by this name.
    Nobody,
    /// It is what was asked for.
    Ours,
    /// Somebody else made it.
    Another,
}

/// Properties of one data set.
pub(crate) struct Properties(BTreeMap<String, String>);

impl Properties {
    /// A size in bytes; 0 where there is none.
    pub(crate) fn bytes(&self, key: &str) -> u64 {
        self.limit(key).unwrap_or(0)
    }

    /// A limit in bytes, if there is one.
    pub(crate) fn limit(&self, key: &str) -> Option<u64> {
        self.0.get(key).and_then(|text| text.parse().ok()).filter(|&bytes| bytes > 0)
    }
}

/// zfs(8) on this host.
#[derive(Clone, Copy)]
pub(crate) struct Zfs<'a>(&'a dyn Observe);

impl<'a> Zfs<'a> {
    /// # Errors
    /// Unavailable, where the host has no such program.
    pub(crate) fn of(host: &'a dyn Observe) -> Result<Self> {
        if host.program("zfs")?.is_some() {
            return Ok(Self(host));
        }
        let get = match host.platform()? {
            Platform::Linux => "apt install zfsutils-linux",
            Platform::Freebsd => "service zfs onestart",
        };
        Err(Error::new(ErrorKind::Unavailable, "this host has no program zfs")
            .hint(format!("`{get}`, or use another storage")))
    }

    /// These properties of a data set or snapshot; `None` where there is none by that name.
    pub(crate) fn get(self, name: &str, keys: &[&str]) -> Result<Option<Properties>> {
        let keys = keys.join(",");
        let Some(text) = self.ask(&["get", "-Hp", "-o", "property,value", &keys, name])? else {
            return Ok(None);
        };
        let pairs = text.lines().filter_map(|line| line.split_once('\t'));
        Ok(Some(Properties(pairs.map(|(key, value)| (key.into(), value.into())).collect())))
    }

    /// Who made a data set.
    pub(crate) fn owner(self, dataset: &str, made: Made) -> Result<Owner> {
        let argv = mark_of(dataset);
        let words: Vec<&str> = argv.iter().skip(1).map(String::as_str).collect();
        Ok(match self.ask(&words)? {
            None => Owner::Nobody,
            Some(mark) if mark.trim() == made.word() => Owner::Ours,
            Some(_) => Owner::Another,
        })
    }

    /// Whether there is a data set or snapshot by this name.
    pub(crate) fn exists(self, name: &str) -> Result<bool> {
        Ok(self.ask(&["list", "-H", "-o", "name", "-t", "all", name])?.is_some())
    }

    /// Data sets below one.
    pub(crate) fn children(self, dataset: &str) -> Result<Vec<String>> {
        let listed = self.ask(&["list", "-H", "-o", "name", "-t", "filesystem,volume", "-r", dataset])?;
        let names = listed.unwrap_or_default();
        Ok(names.lines().filter(|name| *name != dataset).map(str::to_owned).collect())
    }

    /// The snapshots of a data set by their short names, the oldest first.
    pub(crate) fn snapshots(self, dataset: &str) -> Result<Vec<Snapshot>> {
        let argv =
            ["list", "-Hp", "-t", "snapshot", "-d", "1", "-o", "name,creation", "-s", "creation", dataset];
        let listed = self.ask(&argv)?.unwrap_or_default();
        let snapshot = |line: &str| {
            let (full, taken) = line.split_once('\t')?;
            Some(Snapshot { name: full.split_once('@')?.1.into(), taken: taken.parse().ok()? })
        };
        listed.lines().map(|line| snapshot(line).ok_or_else(|| unexpected(&argv, line))).collect()
    }

    /// The clones of a snapshot.
    pub(crate) fn clones(self, snapshot: &str) -> Result<Vec<String>> {
        let listed = self.ask(&["get", "-Hp", "-o", "value", "clones", snapshot])?.unwrap_or_default();
        let names = listed.trim().split(',').filter(|name| !name.is_empty() && *name != "-");
        Ok(names.map(str::to_owned).collect())
    }

    /// Every template of a base on this host.
    pub(crate) fn bases(self) -> Result<Vec<String>> {
        let argv = ["get", "-H", "-o", "name,value", "-s", "local", "-t", "filesystem", MARK];
        let listed = self.ask(&argv)?.unwrap_or_default();
        let marked = listed.lines().filter_map(|line| line.split_once('\t'));
        Ok(marked.filter(|(_, mark)| *mark == Made::Base.word()).map(|(name, _)| name.to_owned()).collect())
    }

    /// What `zfs WORDS` prints; `None` where it says that what is asked about does not exist.
    fn ask(self, words: &[&str]) -> Result<Option<String>> {
        let argv: Vec<&str> = ["zfs"].iter().chain(words).copied().collect();
        let output = self.0.ask(&argv)?;
        if output.status == 0 {
            return Ok(Some(output.stdout));
        }
        if output.stderr.contains("does not exist") || output.stderr.contains("no such pool") {
            return Ok(None);
        }
        Err(failed(words, &output))
    }
}

fn failed(words: &[&str], output: &ProgramOutput) -> Error {
    let message = format!("zfs {} ended with status {}", words.join(" "), output.status);
    let said =
        output.stderr.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ");
    let kind = if said.contains("module") { ErrorKind::Unavailable } else { ErrorKind::System };
    let error = Error::new(kind, message);
    let error = if said.is_empty() { error } else { error.cause(said) };
    match kind {
        ErrorKind::Unavailable => error.hint("load ZFS into the kernel (modprobe zfs, kldload zfs)"),
        _ => error,
    }
}

fn unexpected(words: &[&str], line: &str) -> Error {
    Error::new(ErrorKind::System, format!("zfs {} printed something unexpected", words.join(" ")))
        .cause(format!("{line:?}"))
}

fn argv(words: &[&str]) -> Vec<String> {
    ["zfs"].iter().chain(words).map(|&word| word.to_owned()).collect()
}

/// Prints the mark of a data set, and nothing where it only inherits one.
fn mark_of(dataset: &str) -> Vec<String> {
    argv(&["get", "-H", "-o", "value", "-s", "local", MARK, dataset])
}

/// Prints the name of a snapshot that exists.
fn snapshot_of(name: &str) -> Vec<String> {
    argv(&["list", "-H", "-o", "name", "-t", "snapshot", name])
}

/// Prints one property.
fn value_of(key: &str, name: &str) -> Vec<String> {
    argv(&["get", "-Hp", "-o", "value", key, name])
}

fn run(words: &[&str], check: Check, undo: Option<&[&str]>) -> Step {
    Step::Run { argv: argv(words), check: Some(check), undo: undo.map(argv) }
}

fn prints(argv: Vec<String>, prints: &str) -> Check {
    Check::Prints { argv, prints: prints.into() }
}

/// Makes a data set and marks it as ours; `properties` are `KEY=VALUE`. Taken back only if it is ours.
pub(crate) fn create(dataset: &str, made: Made, properties: &[String]) -> Step {
    let mark = format!("{MARK}={}", made.word());
    let mut words = vec!["create", "-o", &mark];
    properties.iter().for_each(|property| words.extend(["-o", property]));
    words.push(dataset);
    run(&words, prints(mark_of(dataset), made.word()), Some(&["destroy", "-r", dataset]))
}

/// As [`create`], with what a snapshot holds.
pub(crate) fn clone(snapshot: &str, dataset: &str, made: Made, properties: &[String]) -> Step {
    let mark = format!("{MARK}={}", made.word());
    let mut words = vec!["clone", "-o", &mark];
    properties.iter().for_each(|property| words.extend(["-o", property]));
    words.extend([snapshot, dataset]);
    run(&words, prints(mark_of(dataset), made.word()), Some(&["destroy", "-r", dataset]))
}

/// Sets one property, which was `was`.
pub(crate) fn set(dataset: &str, key: &str, value: &str, was: &str) -> Step {
    let (to, back) = (format!("{key}={value}"), format!("{key}={was}"));
    run(&["set", &to, dataset], prints(value_of(key, dataset), value), Some(&["set", &back, dataset]))
}

/// Takes a snapshot.
pub(crate) fn snapshot(snapshot: &str) -> Step {
    let undo: &[&str] = &["destroy", snapshot];
    run(&["snapshot", snapshot], prints(snapshot_of(snapshot), snapshot), Some(undo))
}

/// Gives a data set that was made aside its name, unless somebody else was faster; `holds` is a snapshot that it has
/// then. It stays so when the plan is taken back.
pub(crate) fn publish(from: &str, to: &str, holds: &str) -> Step {
    run(&["rename", from, to], prints(snapshot_of(holds), holds), Some(LOOK))
}

/// Renames a container.
pub(crate) fn rename(from: &str, to: &str) -> Step {
    let undo: &[&str] = &["rename", to, from];
    run(&["rename", from, to], prints(mark_of(to), Made::Container.word()), Some(undo))
}

/// Takes a data set back to its newest snapshot, for good; done where nothing was written since.
pub(crate) fn rollback(dataset: &str, snapshot: &str) -> Step {
    run(&["rollback", snapshot], prints(value_of("written", dataset), "0"), None)
}

/// Makes a clone stand on its own feet: what it was cloned from depends on it from then on.
pub(crate) fn promote(clone: &str, origin: &str) -> Step {
    let check = Check::Lacks { argv: value_of("origin", clone), lacks: origin.into() };
    run(&["promote", clone], check, None)
}

/// Removes a data set of ours with its snapshots.
pub(crate) fn destroy(dataset: &str, made: Made) -> Step {
    let check = Check::Lacks { argv: mark_of(dataset), lacks: made.word().into() };
    run(&["destroy", "-r", dataset], check, None)
}

/// Removes a data set that was made aside and that nobody used. There is nothing to bring back.
pub(crate) fn discard(dataset: &str, made: Made) -> Step {
    let check = Check::Lacks { argv: mark_of(dataset), lacks: made.word().into() };
    run(&["destroy", "-r", dataset], check, Some(LOOK))
}

/// Removes a snapshot.
pub(crate) fn destroy_snapshot(snapshot: &str) -> Step {
    let check = Check::Lacks { argv: snapshot_of(snapshot), lacks: snapshot.into() };
    run(&["destroy", snapshot], check, None)
}

/// Lets a snapshot go together with the last of its clones.
pub(crate) fn destroy_with_clones(snapshot: &str) -> Step {
    run(&["destroy", "-d", snapshot], prints(value_of("defer_destroy", snapshot), "on"), Some(LOOK))
}
