//! Names of data sets and snapshots, by the rules of zfs_namecheck.c of OpenZFS.

use super::{Answer, Pools, refuse};

/// The longest name, in bytes.
const LONGEST: usize = 255;

/// Refuses a name that cannot be given; `what` is how the message begins.
pub(super) fn check(what: &str, name: &str) -> Answer<()> {
    if name.len() > LONGEST {
        return refuse(format!("{what}: name is too long"));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.: /".contains(c);
    if let Some(wrong) = name.chars().find(|&c| !allowed(c)) {
        return refuse(format!("{what}: invalid character '{wrong}' in name"));
    }
    if name.starts_with('/') {
        return refuse(format!("{what}: leading slash in name"));
    }
    if name.ends_with('/') {
        return refuse(format!("{what}: trailing slash in name"));
    }
    if name.contains("//") {
        return refuse(format!("{what}: empty component or misplaced '@' or '#' delimiter in name"));
    }
    if name.split('/').any(|part| part == "." || part == "..") {
        return refuse(format!("{what}: self or parent reference in name"));
    }
    Ok(())
}

impl Pools {
    /// Refuses a place where no data set can be made.
    pub(super) fn refuse_place(&self, what: &str, name: &str) -> Answer<()> {
        check(what, name)?;
        if self.datasets.contains_key(name) {
            return refuse(format!("{what}: dataset already exists"));
        }
        let pool = name.split('/').next().unwrap_or_default();
        let Some((parent, _)) = name.rsplit_once('/') else {
            return refuse(format!("{what}: missing dataset name"));
        };
        if !self.sizes.contains_key(pool) {
            return refuse(format!("{what}: no such pool '{pool}'"));
        }
        if !self.datasets.contains_key(parent) {
            return refuse(format!("{what}: parent does not exist"));
        }
        Ok(())
    }
}

/// The pool, and each data set on the way, the name itself last.
pub(super) fn line(name: &str) -> impl Iterator<Item = &str> {
    let ends = name.match_indices('/').map(|(at, _)| at).chain([name.len()]);
    ends.map(|end| &name[..end])
}
