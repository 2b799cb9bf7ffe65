//! How storages that copy the template show the shared part of a base: one read-only mount inside the root, and
//! relative links from the root into it.
//!
//! It knows where that stands in a root, not where the root lies.

use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    Base, Container, Mount, MountFs, Observe, Place, Plan, Result, Step, host_trees_plan, require_leaf,
};

/// Where the shared part of a base appears inside a container, relative to its root.
pub const SHARED_PART: &str = "sharedfs";

/// The links that belong beside a copy of the template: where, relative to the root, and their relative targets.
#[must_use]
pub fn shared_links(base: &Base) -> Vec<(Utf8PathBuf, Utf8PathBuf)> {
    base.shared.iter().map(|path| (path.clone(), into_shared(path))).collect()
}

/// The mounts of the shared part, and of the host's trees that the container was given, inside `container.root()`.
///
/// # Errors
/// Not found, where the host lacks a tree that the option `host_trees` names; busy, where something is mounted in the
/// base.
pub fn shared_plan(base: &Base, container: &Container, host: &dyn Observe) -> Result<Plan> {
    require_leaf(base, host)?;
    let root = container.root();
    let shared = MountFs::Null { source: base.sharedfs.clone() };
    let mut plan = vec![Step::Mount(Mount::new(Place::within(&root, SHARED_PART), shared).read_only())];
    let inside = |path: &str| Place::within(&root, Utf8Path::new(SHARED_PART).join(path));
    plan.extend(host_trees_plan(&container.storage, host, inside)?);
    Ok(plan)
}

/// The relative link from `path` to its content: `usr/bin` → `../sharedfs/usr/bin`.
#[must_use]
pub fn into_shared(path: &Utf8Path) -> Utf8PathBuf {
    let up = path.components().skip(1).map(|_| "..");
    up.chain([SHARED_PART]).collect::<Utf8PathBuf>().join(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_climb_as_far_as_they_are_deep() {
        assert_eq!(into_shared("bin".into()), "sharedfs/bin");
        assert_eq!(into_shared("usr/bin".into()), "../sharedfs/usr/bin");
        assert_eq!(into_shared("usr/a/b".into()), "../../sharedfs/usr/a/b");
    }
}
