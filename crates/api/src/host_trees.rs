//! The option `host_trees` that storages with a base offer: the host's `/usr/src` and `/usr/ports`, read-only.
//!
//! It knows where the trees stand on the host, not how a storage lays out a root.

use crate::{
    Error, ErrorKind, Mount, MountFs, Observe, OptionKind, OptionSpec, Options, Place, Plan, Result, Step,
};

/// What `host_trees` may name.
const TREES: &[&str] = &["src", "ports"];

/// How the option is declared.
#[must_use]
pub fn host_trees_spec() -> OptionSpec {
    OptionSpec::new(
        "host_trees",
        OptionKind::List,
        "none",
        "the host's /usr/src and /usr/ports shown read-only inside: src, ports or both",
    )
}

/// Refuses a tree that is not one of ours.
pub fn check_host_trees(options: &Options) -> Result<()> {
    match wanted(options).find(|tree| !TREES.contains(tree)) {
        None => Ok(()),
        Some(tree) => Err(Error::new(ErrorKind::Config, format!("host_trees cannot be {tree:?}"))
            .with("key", "host_trees")
            .hint("use src, ports or both")),
    }
}

/// The mounts for the wanted trees; `inside` says where `usr/src` stands in the storage's root.
pub fn host_trees_plan(
    options: &Options,
    host: &dyn Observe,
    inside: impl Fn(&str) -> Place,
) -> Result<Plan> {
    wanted(options)
        .map(|tree| {
            let path = format!("usr/{tree}");
            let source = Place::host(&path);
            if host.stat(&source)?.is_none() {
                return Err(Error::new(ErrorKind::NotFound, format!("the host has no {source}"))
                    .with("key", "host_trees")
                    .hint(format!("take {tree} out of host_trees, or put the tree there")));
            }
            let mut mount = Mount::new(inside(&path), MountFs::Null { source: source.lexical() }).read_only();
            (mount.nosuid, mount.nodev) = (true, true);
            Ok(Step::Mount(mount))
        })
        .collect()
}

fn wanted(options: &Options) -> impl Iterator<Item = &str> {
    options.get("host_trees").and_then(|v| v.as_array()).into_iter().flatten().filter_map(|v| v.as_str())
}
