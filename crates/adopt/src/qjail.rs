//! qjail(8): one definition file a jail, the tree of each beside `sharedfs` and `template`; a zone has directories of its
//! own with the zone's name behind a dot.
//!
//! Facts: its script's `write-definition`, `build_config_def` and `create`.

use qchroot_api::Result;

use crate::parameters::{put, put_addresses};
use crate::shell::{self, Says};
use crate::site::{Site, boots, image};
use crate::{Found, System, Tool, rc_conf};

const FILES: &str = "/usr/local/etc/qjail.local";
const TREES: &str = "/usr/jails";

pub(crate) fn find(site: &Site<'_>) -> Result<Option<System>> {
    let files = site.names(FILES)?;
    let shared = site.shared(&format!("{TREES}/sharedfs"), &format!("{TREES}/template"), "sharedfs")?;
    let Some(shared) = shared.filter(|_| !files.is_empty()) else { return Ok(None) };
    let mut system = System::of(Tool::Qjail);
    for file in files {
        let (name, boot) = boots(&file);
        let found = Found {
            name: name.into(),
            root: site.at(format!("{TREES}/{name}"))?,
            shared: shared.at.clone(),
            boot,
            jail: true,
            ..Found::default()
        };
        if let Some(found) = read(site, &file, found, &mut system)? {
            system.containers.push(found);
        }
    }
    system.shared.push(shared);
    system.by_hand.push("take qjail_enable out of /etc/rc.conf: `sysrc -x qjail_enable`".into());
    Ok(Some(system))
}

fn read(site: &Site<'_>, file: &str, mut found: Found, system: &mut System) -> Result<Option<Found>> {
    let Some((at, text)) = site.read(format!("{FILES}/{file}"))? else { return Ok(None) };
    put(&mut found.options, "host.hostname", found.name.clone());
    put(&mut found.options, "style", "system");
    let is_own = shell::variables(&text).get("vnet").is_some_and(|vnet| !vnet.is_empty());
    for line in shell::lines(&text) {
        let Says::Is(key, value) = line.says else {
            system.note(&at, line.number, "is not understood, and left alone");
            continue;
        };
        if value.is_empty() {
            continue;
        }
        match key.as_str() {
            "path" => found.root = site.at(&value)?,
            "image" | "imagetype" => {
                system.left.push(image(&found.name, &value));
                return Ok(None);
            }
            "interface" | "ip4" | "ip6" if is_own => {}
            "name" | "fstab" | "deffile" | "imageblockcount" | "imagedevice" => {}
            _ if option(&mut found, &key, &value) => {}
            _ => system.note(&at, line.number, format!("{key}={value} is not taken over")),
        }
        if key == "vnet" {
            let what = "its network stack gets no interface: set vnet.interface, and make it by hand";
            system.note(&at, line.number, what);
        }
    }
    found.services = rc_conf::services(site, &found.root);
    Ok(Some(found))
}

/// Whether a variable is an option of the jail's.
fn option(found: &mut Found, key: &str, value: &str) -> bool {
    let options = &mut found.options;
    match key {
        "ip4" | "ip6" => put_addresses(options, value),
        "interface" | "securelevel" => put(options, key, value),
        "ruleset" => put(options, "devfs_ruleset", value),
        "rsockets" => put(options, "allow.raw_sockets", "true"),
        "sysvipc" => put(options, "allow.sysvipc", "true"),
        "quotas" => put(options, "allow.quotas", "true"),
        "vnet" => put(options, "vnet", "true"),
        "nullfs" | "zfs" | "tmpfs" => {
            put(options, "enforce_statfs", "1");
            put(options, "allow.mount", "true");
            put(options, &format!("allow.mount.{key}"), "true");
        }
        _ => return false,
    }
    true
}
