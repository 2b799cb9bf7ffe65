//! Which directories of the host's are shown inside where nothing is taken along. It knows hier(7), and mounts
//! nothing.

use std::collections::BTreeSet;

use qchroot_api::Brand;
use qchroot_api::camino::{Utf8Path, Utf8PathBuf};

use crate::closure::Closure;
use crate::tree::Entry;

/// Where packages and administrators put programs and libraries: hier(7).
const LOCAL: &[&str] =
    &["usr/local/bin", "usr/local/lib", "usr/local/libexec", "usr/local/sbin", "usr/local/share"];

/// The directories, relative to the root; what lies in them is no longer taken along. Files elsewhere, such as
/// below `/opt` or `/etc`, still are.
pub(crate) fn directories(closure: &mut Closure<'_>, brand: Brand) -> Vec<Utf8PathBuf> {
    let mut dirs: BTreeSet<Utf8PathBuf> =
        closure.shown.iter().map(|dir| below_root(dir).to_owned()).collect();
    for (path, entry) in &closure.tree.entries {
        if let (Entry::File(_), Some(dir)) = (entry, home_of(below_root(path), brand)) {
            dirs.insert(dir.into());
        }
    }
    let nested = |dir: &Utf8PathBuf| dir.ancestors().skip(1).any(|above| dirs.contains(above));
    let dirs: Vec<Utf8PathBuf> = dirs.iter().filter(|dir| !nested(dir)).cloned().collect();
    closure.tree.entries.retain(|path, _| {
        let path = below_root(path);
        !path.ancestors().skip(1).any(|above| dirs.iter().any(|dir| dir == above))
    });
    dirs
}

/// The directory of programs or libraries that a file lies in.
fn home_of(path: &Utf8Path, brand: Brand) -> Option<&'static str> {
    brand.shared_paths().iter().chain(LOCAL).copied().find(|dir| path.starts_with(dir))
}

fn below_root(path: &Utf8Path) -> &Utf8Path {
    path.strip_prefix("/").unwrap_or(path)
}
