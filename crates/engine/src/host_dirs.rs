//! Directories of the host's that belong to a userland: shown read-only at the same path inside. It does not know
//! which source asked for them, nor how a storage made the root.

use camino::Utf8Path;
use qchroot_api::{
    Base, Container, Error, ErrorKind, FileKind, Mount, MountFs, Observe, Place, Plan, Result, Step,
};

/// The mounts, once the storage is attached; a mount point that is missing is made.
///
/// Nobody asked for the set-id programs and the devices among what comes along, so they mean nothing inside.
///
/// # Errors
/// Not found, when the host has such a directory no longer.
pub(crate) fn plan(base: &Base, container: &Container, host: &dyn Observe) -> Result<Plan> {
    let root = container.root();
    let mut plan = vec![];
    for dir in &base.host_dirs {
        let source = Place::host(dir);
        refuse_other_than_directory(&source, base, host)?;
        plan.extend(ancestors(dir).map(|at| Step::MakeDir { at: Place::within(&root, at), mode: 0o755 }));
        let fs = MountFs::Null { source: source.lexical() };
        let mut mount = Mount::new(Place::within(&root, dir), fs).read_only();
        (mount.nosuid, mount.nodev) = (true, true);
        plan.push(Step::Mount(mount));
    }
    Ok(plan)
}

/// `usr/lib` → `usr`, `usr/lib`.
fn ancestors(dir: &Utf8Path) -> impl Iterator<Item = &Utf8Path> {
    let mut all: Vec<&Utf8Path> = dir.ancestors().filter(|path| !path.as_str().is_empty()).collect();
    all.reverse();
    all.into_iter()
}

fn refuse_other_than_directory(source: &Place, base: &Base, host: &dyn Observe) -> Result<()> {
    match host.stat(source)? {
        Some(stat) if stat.kind == FileKind::Directory => Ok(()),
        found => {
            let what = if found.is_some() { "is not a directory any more" } else { "is gone" };
            Err(Error::new(ErrorKind::NotFound, format!("the host's {source} {what}"))
                .with("release", &base.id)
                .hint(format!("release {} shows it inside; install the release anew", base.id)))
        }
    }
}
