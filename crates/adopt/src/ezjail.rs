//! ezjail(7): one file of `export jail_NAME_KEY=` lines a jail, `basejail` mounted in each tree, `newjail` its template.
//!
//! Facts: `ezjail-admin create`, ezjail.conf(5). A jail is known by its file's name, which is the host name with all but
//! letters and digits turned into underscores.

use std::collections::BTreeMap;

use camino::Utf8Path;
use qchroot_api::Result;

use crate::parameters::{Becomes, becomes, put, put_addresses};
use crate::shell::{self, Says};
use crate::site::{Site, boots, image};
use crate::{Found, System, Tool, fstab, rc_conf};

const FILES: &str = "/usr/local/etc/ezjail";
const SETTINGS: &str = "/usr/local/etc/ezjail.conf";

pub(crate) fn find(site: &Site<'_>) -> Result<Option<System>> {
    let files = site.names(FILES)?;
    let settings = site.read(SETTINGS)?.map(|(_, text)| shell::variables(&text)).unwrap_or_default();
    let path = |key: &str, usual: String| settings.get(key).cloned().unwrap_or(usual);
    let trees = path("ezjail_jaildir", "/usr/jails".into());
    let base = path("ezjail_jailbase", format!("{trees}/basejail"));
    let template = path("ezjail_jailtemplate", format!("{trees}/newjail"));
    let Some(shared) = site.shared(&base, &template, "basejail")? else { return Ok(None) };
    if files.is_empty() && !site.is_directory(&shared.at)? {
        return Ok(None);
    }
    let mut system = System::of(Tool::Ezjail);
    for file in files {
        let (name, boot) = boots(&file);
        let found = Found {
            name: name.into(),
            root: site.at(format!("{trees}/{name}"))?,
            shared: shared.at.clone(),
            boot,
            jail: true,
            ..Found::default()
        };
        if let Some(found) = read(site, &file, found, &mut system)? {
            mounts(site, &found, &mut system)?;
            system.containers.push(found);
        }
    }
    system.shared.push(shared);
    system.by_hand.push("take ezjail_enable out of /etc/rc.conf: `sysrc -x ezjail_enable`".into());
    Ok(Some(system))
}

fn read(site: &Site<'_>, file: &str, mut found: Found, system: &mut System) -> Result<Option<Found>> {
    let Some((at, text)) = site.read(format!("{FILES}/{file}"))? else { return Ok(None) };
    let prefix = format!("jail_{}_", found.name);
    put(&mut found.options, "host.hostname", found.name.clone());
    put(&mut found.options, "style", "system");
    for line in shell::lines(&text) {
        let key = match &line.says {
            Says::Is(key, _) => key.strip_prefix(&prefix),
            Says::Other(_) => None,
        };
        let (Some(key), Says::Is(_, value)) = (key, &line.says) else {
            system.note(&at, line.number, "is not understood, and left alone");
            continue;
        };
        if value.is_empty() {
            continue;
        }
        match key {
            "rootdir" => found.root = site.at(value)?,
            "image" => {
                system.left.push(image(&found.name, value));
                return Ok(None);
            }
            "parameters" => parameters(&mut found, value, &at, line.number, system),
            _ if option(&mut found, key, value) => {}
            _ => system.note(&at, line.number, format!("{key}={value} is not taken over")),
        }
    }
    found.services = rc_conf::services(site, &found.root);
    Ok(Some(found))
}

/// Whether a variable is an option of the jail's, or says what goes without saying here.
fn option(found: &mut Found, key: &str, value: &str) -> bool {
    let options = &mut found.options;
    let is_on = value.eq_ignore_ascii_case("yes");
    let flags = BTreeMap::from([
        ("devfs_enable", "mount.devfs"),
        ("fdescfs_enable", "mount.fdescfs"),
        ("procfs_enable", "mount.procfs"),
    ]);
    match (key, value) {
        ("hostname", _) => put(options, "host.hostname", value),
        ("ip", _) => put_addresses(options, value),
        ("exec" | "exec_start", "/bin/sh /etc/rc") | ("exec_stop", _) | ("mount_enable", _) => {}
        ("devfs_ruleset", "devfsrules_jail") | ("imagetype" | "attachparams", _) => {}
        ("attachblocking" | "forceblocking", _) => {}
        ("devfs_ruleset", number) if number.parse::<u16>().is_ok() => put(options, key, number),
        _ => match flags.get(key) {
            Some(option) => put(options, option, if is_on { "true" } else { "false" }),
            None => return false,
        },
    }
    true
}

fn parameters(found: &mut Found, list: &str, at: &Utf8Path, line: usize, system: &mut System) {
    for word in list.split_whitespace() {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        match becomes(key, value) {
            Becomes::Option(key, value) => put(&mut found.options, &key, value),
            Becomes::Nothing => {}
            Becomes::Unknown => system.note(at, line, format!("the parameter {word} is not taken over")),
        }
    }
}

/// What its fstab mounts beside the base.
fn mounts(site: &Site<'_>, found: &Found, system: &mut System) -> Result<()> {
    let Some((at, text)) = site.read(format!("/etc/fstab.{}", found.name))? else { return Ok(()) };
    let (entries, broken) = fstab::entries(&text);
    for entry in entries.iter().filter(|entry| !entry.is_share("basejail")) {
        system.note(&at, entry.line, entry.lost());
    }
    broken.into_iter().for_each(|line| system.note(&at, line, "is not understood, and left alone"));
    Ok(())
}
