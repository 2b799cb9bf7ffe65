//! Services that a container's own rc.conf(5) turns on. The file is the container's: it is parsed, and only names for
//! which there is a script inside count.

use camino::Utf8Path;
use qchroot_api::Place;

use crate::shell;
use crate::site::Site;

/// The services, in the order of the file.
pub(crate) fn services(site: &Site<'_>, root: &Utf8Path) -> Vec<String> {
    let Ok(text) = site.host.read(&Place::within(root, "etc/rc.conf")) else { return vec![] };
    let mut services = vec![];
    for line in shell::lines(&text) {
        let shell::Says::Is(key, value) = line.says else { continue };
        let Some(name) = key.strip_suffix("_enable") else { continue };
        let is_on = ["yes", "true", "on", "1"].contains(&value.to_ascii_lowercase().as_str());
        if is_on && site.has_script(root, name) && !services.iter().any(|known| known == name) {
            services.push(name.to_owned());
        }
    }
    services
}
