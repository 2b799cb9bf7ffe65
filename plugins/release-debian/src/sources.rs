//! The host's apt sources, in both formats of sources.list(5). It knows which of them are
//! the distribution's own and leaves out everybody else's.

use qchroot_api::{Error, ErrorKind, Observe, Place, Result};

use crate::entry::{Entry, deb822};
use crate::index;
use crate::own::Own;

const LIST: &str = "/etc/apt/sources.list";
const PARTS: &str = "/etc/apt/sources.list.d";
/// Components of Debian and Ubuntu; others' repositories use names of their own.
const COMPONENTS: &[&str] =
    &["main", "contrib", "non-free", "non-free-firmware", "restricted", "universe", "multiverse"];

/// The entries for `suite` from what the host has for its own release. Leave to take unsigned packages counts
/// only where the user `insists`.
pub(crate) fn of_host(host: &dyn Observe, own: &Own, suite: &str, insists: bool) -> Result<Vec<String>> {
    let all = read_all(host)?;
    let ours: Vec<_> = all.into_iter().filter(|entry| is_ours(host, own, entry)).collect();
    if !ours.iter().any(|entry| entry.suite == own.suite) {
        let message = format!("no source in {LIST} or {PARTS} is {}'s own {}", own.origin(), own.suite);
        return Err(Error::new(ErrorKind::Unavailable, message)
            .hint("give one, for example -o mirror=http://deb.debian.org/debian"));
    }
    let of_suite = |mut entry: Entry| {
        entry.trusted &= insists;
        Some(entry.of_suite(&own.suite, suite)?.text())
    };
    Ok(ours.into_iter().filter_map(of_suite).collect())
}

fn read_all(host: &dyn Observe) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    let read = |path: &str| match host.read(&Place::host(path)) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        other => other,
    };
    entries.extend(read(LIST)?.lines().filter_map(Entry::parse));
    let names = match host.list(&Place::host(PARTS)) {
        Err(error) if error.kind() == ErrorKind::NotFound => vec![],
        other => other?,
    };
    for name in names {
        let path = format!("{PARTS}/{name}");
        if name.ends_with(".list") {
            entries.extend(read(&path)?.lines().filter_map(Entry::parse));
        } else if name.ends_with(".sources") {
            entries.extend(deb822(&read(&path)?));
        }
    }
    Ok(entries)
}

/// Whether an entry is the distribution's own: its suite belongs to the host's release, its components are the
/// known ones, and where apt has its Release file, that says so.
fn is_ours(host: &dyn Observe, own: &Own, entry: &Entry) -> bool {
    let of_release = entry.suite.strip_prefix(own.suite.as_str());
    let known_suite =
        of_release.is_some_and(|rest| matches!(rest, "" | "-updates" | "-security" | "/updates"));
    let known_parts = entry.components.iter().all(|name| COMPONENTS.contains(&name.as_str()));
    let has_main = entry.components.iter().any(|name| name == "main");
    let origin = index::release_file(host, entry).and_then(|text| index::origin(&text).map(str::to_owned));
    known_suite && known_parts && has_main && origin.is_none_or(|origin| origin == own.origin())
}
