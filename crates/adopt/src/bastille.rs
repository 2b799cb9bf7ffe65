//! BastilleBSD: a directory a jail with its `root`, jail.conf(5), fstab(5) and settings; a thin one mounts a whole release
//! on `.bastille` and has links into it.
//!
//! Facts: its `create.sh`, `limits.sh` and `bastille.conf.sample`.

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Place, Result};

use crate::parameters::{Becomes, becomes, put};
use crate::site::Site;
use crate::{Found, Shared, System, Template, Tool, fstab, jail_conf, rc_conf, rctl, shell};

const SETTINGS: &str = "/usr/local/etc/bastille/bastille.conf";
const MOUNT: &str = ".bastille";

/// What a thin jail has links for.
const LINKS: &[&str] = &[
    "bin",
    "boot",
    "lib",
    "lib64",
    "libexec",
    "rescue",
    "sbin",
    "usr/bin",
    "usr/include",
    "usr/lib",
    "usr/lib32",
    "usr/libdata",
    "usr/libexec",
    "usr/sbin",
    "usr/share",
    "usr/src",
];

/// What a thin jail has copies of.
const COPIES: &[&str] = &[
    ".cshrc",
    ".profile",
    "COPYRIGHT",
    "dev",
    "etc",
    "media",
    "mnt",
    "net",
    "proc",
    "root",
    "tmp",
    "var",
    "usr/obj",
    "usr/tests",
];

pub(crate) fn find(site: &Site<'_>) -> Result<Option<System>> {
    let settings = site.read(SETTINGS)?.map(|(_, text)| shell::variables(&text)).unwrap_or_default();
    let path = |key: &str, usual: String| settings.get(key).cloned().unwrap_or(usual);
    let prefix = path("bastille_prefix", "/usr/local/bastille".into());
    let jails = path("bastille_jailsdir", format!("{prefix}/jails"));
    let mut system = System::of(Tool::Bastille);
    for name in site.names(&jails)? {
        let dir = format!("{jails}/{name}");
        if site.read(format!("{dir}/jail.conf"))?.is_none() {
            continue;
        }
        if let Some(found) = read(site, &name, &dir, &mut system)? {
            share(site, &found, &mut system)?;
            system.containers.push(found);
        }
    }
    if system.containers.is_empty() && system.left.is_empty() {
        return Ok(None);
    }
    system.by_hand.push("take bastille_enable out of /etc/rc.conf: `sysrc -x bastille_enable`".into());
    Ok(Some(system))
}

/// The release that a jail shares, once.
fn share(site: &Site<'_>, found: &Found, system: &mut System) -> Result<()> {
    if system.shared.iter().any(|shared| shared.at == found.shared) {
        return Ok(());
    }
    let there = |paths: &[&str]| -> Result<Vec<Utf8PathBuf>> {
        let mut there = vec![];
        for path in paths {
            if site.host.stat(&Place::within(&found.shared, path))?.is_some() {
                there.push((*path).into());
            }
        }
        Ok(there)
    };
    let is_tree = site.is_directory(&found.shared)?;
    let paths = if is_tree { there(LINKS)? } else { vec![] };
    let template = Template::Paths(if is_tree { there(COPIES)? } else { vec![] });
    system.shared.push(Shared { at: found.shared.clone(), template, mount: MOUNT.into(), paths });
    Ok(())
}

fn read(site: &Site<'_>, name: &str, dir: &str, system: &mut System) -> Result<Option<Found>> {
    let mut found = Found { name: name.into(), jail: true, boot: true, ..Found::default() };
    found.root = site.at(format!("{dir}/root"))?;
    let Some((at, text)) = site.read(format!("{dir}/jail.conf"))? else { return Ok(None) };
    let Some(release) = release(site, dir, system)? else {
        system.leave(
            name,
            "it shares no release: it is a thick, clone, Linux or empty jail",
            Some(format!(
                "run it where it lies: `qchroot create {name} --source-tree {} --isolation jail`",
                found.root
            )),
        );
        return Ok(None);
    };
    found.shared = site.at(release)?;
    configuration(&mut found, &at, &text, system);
    if let Some((_, text)) = site.read(format!("{dir}/settings.conf"))? {
        let settings = shell::variables(&text);
        found.boot = settings.get("boot").is_none_or(|boot| boot != "off");
        let needs = settings.get("depend").map_or("", String::as_str);
        found.requires = needs.split_whitespace().map(str::to_owned).collect();
    }
    limits(site, dir, &mut found, system)?;
    found.services = rc_conf::services(site, &found.root);
    Ok(Some(found))
}

fn configuration(found: &mut Found, at: &Utf8Path, text: &str, system: &mut System) {
    let (parameters, broken) = jail_conf::parameters(text, &found.name);
    let is_own = parameters.iter().any(|parameter| parameter.key == "vnet");
    for parameter in parameters {
        let (key, value) = (parameter.key.as_str(), parameter.value.as_str());
        match becomes(key, value) {
            Becomes::Option(key, _)
                if is_own && ["ip4", "ip6", "ip4.addr", "ip6.addr"].contains(&key.as_str()) => {}
            // With addresses this is said by them.
            Becomes::Option(key, value) if (key == "ip4" || key == "ip6") && value == "new" => {}
            Becomes::Option(key, value) => {
                let before = found.options.iter().find(|(known, _)| parameter.adds && *known == key);
                let value = before.map_or(value.clone(), |(_, before)| format!("{before},{value}"));
                put(&mut found.options, &key, value);
            }
            Becomes::Nothing => {}
            Becomes::Unknown => {
                let what = if value.is_empty() { key.to_owned() } else { format!("{key} = {value}") };
                system.note(at, parameter.line, format!("{what} is not taken over"));
            }
        }
    }
    broken.into_iter().for_each(|line| system.note(at, line, "is not understood, and left alone"));
}

/// The release that the jail's fstab mounts, and a note of everything else in it.
fn release(site: &Site<'_>, dir: &str, system: &mut System) -> Result<Option<Utf8PathBuf>> {
    let Some((at, text)) = site.read(format!("{dir}/fstab"))? else { return Ok(None) };
    let (entries, broken) = fstab::entries(&text);
    let (shares, others): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| entry.is_share(MOUNT));
    if !shares.is_empty() {
        others.iter().for_each(|entry| system.note(&at, entry.line, entry.lost()));
        broken.into_iter().for_each(|line| system.note(&at, line, "is not understood, and left alone"));
    }
    Ok(shares.into_iter().next().map(|entry| entry.what))
}

fn limits(site: &Site<'_>, dir: &str, found: &mut Found, system: &mut System) -> Result<()> {
    let Some((at, text)) = site.read(format!("{dir}/rctl.conf"))? else { return Ok(()) };
    for (index, rule) in text.lines().enumerate().filter(|(_, rule)| !rule.trim().is_empty()) {
        match rctl::limit(rule) {
            Some(limit) => found.limits.push(limit),
            None => system.note(&at, index + 1, format!("the rule {} is not taken over", rule.trim())),
        }
    }
    Ok(())
}
