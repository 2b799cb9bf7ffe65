//! qchroot(8) as it was before: a csh script, one administration file a container, the tree of each beside `sharedfs`
//! and `template`.
//!
//! Facts: its manual page. What stands in an administration file it does not say: names of services are taken, however
//! they are written, where the container has a script of that name.

use qchroot_api::Result;

use crate::shell::{self, Says};
use crate::site::{Site, boots};
use crate::{Found, System, Tool};

const FILES: &str = "/usr/local/etc/qchroot.local";
const TREES: &str = "/usr/qchroot";
const BOOT: &str = "/usr/local/etc/rc.d/qchroot.bootime";

/// Variables of which the tree itself says as much.
const KNOWN: &[&str] =
    &["name", "path", "rootdir", "chroot_name", "chrootname", "container_name", "fstab", "deffile"];

pub(crate) fn find(site: &Site<'_>) -> Result<Option<System>> {
    let mut files = site.names(FILES)?;
    files.retain(|file| !file.ends_with(".toml"));
    let shared = site.shared(&format!("{TREES}/sharedfs"), &format!("{TREES}/template"), "sharedfs")?;
    let Some(shared) = shared else { return Ok(None) };
    if files.is_empty() && !site.is_directory(&shared.at)? {
        return Ok(None);
    }
    let mut system = System::of(Tool::Qchroot);
    for file in files {
        let (name, boot) = boots(&file);
        let found = Found {
            name: name.into(),
            root: site.at(format!("{TREES}/{name}"))?,
            shared: shared.at.clone(),
            boot,
            ..Found::default()
        };
        let found = read(site, &file, found, &mut system)?;
        system.containers.push(found);
    }
    system.shared.push(shared);
    let script = site.at(BOOT)?;
    if site.kind(&script)?.is_some() {
        system.by_hand.push(format!("remove {script}, which starts containers at boot as well"));
    }
    Ok(Some(system))
}

fn read(site: &Site<'_>, file: &str, mut found: Found, system: &mut System) -> Result<Found> {
    let Some((at, text)) = site.read(format!("{FILES}/{file}"))? else { return Ok(found) };
    for line in shell::lines(&text) {
        let (words, is_known) = match &line.says {
            Says::Is(key, value) if key.to_ascii_lowercase().contains("service") => (value, false),
            Says::Is(key, value) => (value, KNOWN.contains(&key.to_ascii_lowercase().as_str())),
            Says::Other(text) => (text, false),
        };
        if is_known || (matches!(line.says, Says::Is(..)) && words.is_empty()) {
            continue;
        }
        let names: Vec<&str> = words.split([' ', ',', '\t']).filter(|word| !word.is_empty()).collect();
        let is_services = match &line.says {
            Says::Is(key, _) => key.to_ascii_lowercase().contains("service"),
            Says::Other(_) => names.iter().all(|name| site.has_script(&found.root, name)),
        };
        if !is_services {
            system.note(&at, line.number, "is not understood, and left alone");
            continue;
        }
        for name in names {
            if !site.has_script(&found.root, name) {
                system.note(
                    &at,
                    line.number,
                    format!("the service {name} has no script inside, and is left out"),
                );
            } else if !found.services.iter().any(|known| known == name) {
                found.services.push(name.into());
            }
        }
    }
    Ok(found)
}
