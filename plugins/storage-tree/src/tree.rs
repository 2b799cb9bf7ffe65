//! The directory that is to be a root: which it is, what is refused as one, and what is mounted below it.

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use qchroot_api::{Container, Error, ErrorKind, FileKind, Observe, Options, Place, Result};

use crate::links;

/// A tree that has none of these is no userland.
const PROGRAMS: &[&str] = &["bin", "sbin", "usr"];

/// Directories that the isolation mounts on.
const KERNELS: &[&str] = &["dev", "proc", "sys"];

/// Refuses a path that cannot be meant.
pub(crate) fn check_path(options: &Options) -> Result<()> {
    let Some(path) = options.get("path").and_then(|path| path.as_str()) else { return Ok(()) };
    let path = Utf8Path::new(path);
    let climbs = path.components().any(|part| part == Utf8Component::ParentDir);
    if path.is_absolute() && !climbs {
        return Ok(());
    }
    Err(refused(path, format!("path {path:?} is not an absolute path without `..`"))
        .hint("say where the directory is from / on"))
}

/// The tree of a container, by its path without links.
///
/// # Errors
/// Not found when it is not there, or is empty as the directory for a drive that is not mounted; configuration
/// when it cannot be a container's root.
pub(crate) fn find(container: &Container, host: &dyn Observe) -> Result<Utf8PathBuf> {
    let path = container.storage.get("path").and_then(|path| path.as_str()).unwrap_or_default();
    let place = Place::host(path);
    let tree = place.lexical();
    match real(&tree, host)? {
        Some(real) if real == tree => {}
        real => return Err(through_a_link(&tree, real)),
    }
    refuse_own(&tree, container, host)?;
    match host.stat(&place)?.map(|stat| stat.kind) {
        Some(FileKind::Directory) => {}
        None => {
            return Err(not_there(&tree, format!("{tree} does not exist")));
        }
        Some(_) => return Err(refused(&tree, format!("{tree} is no directory"))),
    }
    for name in PROGRAMS {
        if host.stat(&Place::within(&tree, name))?.is_some() {
            return Ok(tree);
        }
    }
    Err(not_there(&tree, format!("there is no userland in {tree}: it has none of {}", PROGRAMS.join(", "))))
}

fn real(path: &Utf8Path, host: &dyn Observe) -> Result<Option<Utf8PathBuf>> {
    Ok(links::real("/".into(), path, host)?.map(|path| Place::host(path).lexical()))
}

/// The running system itself, and whatever holds containers or is held by one.
fn refuse_own(tree: &Utf8Path, container: &Container, host: &dyn Observe) -> Result<()> {
    if tree == "/" {
        return Err(refused(tree, "the running system's own root cannot be a container".into())
            .hint("name the directory that another system is mounted on"));
    }
    let lib = container.dir.parent().unwrap_or(&container.dir);
    let lib = real(lib, host)?.unwrap_or_else(|| lib.to_owned());
    if tree.starts_with(&lib) {
        Err(refused(tree, format!("{tree} lies in {lib}, where containers are kept"))
            .hint("choose a directory outside of it, or leave out --source-tree"))
    } else if lib.starts_with(tree) {
        Err(refused(tree, format!("{tree} holds {lib}, where containers are kept"))
            .hint("choose a directory that does not hold it, or keep containers elsewhere with --root"))
    } else {
        Ok(())
    }
}

/// Whether what the tree lies on is mounted read-only.
pub(crate) fn is_read_only(tree: &Utf8Path, host: &dyn Observe) -> Result<bool> {
    let mounts = host.mounts()?;
    let below = mounts.iter().filter(|mount| tree.starts_with(&mount.at));
    // Of two at one place the later one is seen.
    let last = below.max_by_key(|mount| mount.at.as_str().len());
    Ok(last.is_some_and(|mount| mount.read_only))
}

/// What is mounted below the tree, the outer before the inner: where it is, and its path inside. What the
/// isolation mounts itself is left out.
pub(crate) fn submounts(tree: &Utf8Path, host: &dyn Observe) -> Result<Vec<(Utf8PathBuf, Utf8PathBuf)>> {
    let inside = |at: Utf8PathBuf| {
        let below = at.strip_prefix(tree).ok()?.to_owned();
        let wanted = !below.as_str().is_empty() && !KERNELS.iter().any(|dir| below.starts_with(dir));
        wanted.then_some((at, below))
    };
    let mut found: Vec<_> = host.mounts()?.into_iter().filter_map(|mount| inside(mount.at)).collect();
    found.sort();
    found.dedup();
    Ok(found)
}

fn refused(path: &Utf8Path, message: String) -> Error {
    Error::new(ErrorKind::Config, message).with("key", "path").with("path", path)
}

fn not_there(tree: &Utf8Path, message: String) -> Error {
    Error::new(ErrorKind::NotFound, message).with("path", tree).hint("is the drive mounted?")
}

fn through_a_link(tree: &Utf8Path, real: Option<Utf8PathBuf>) -> Error {
    match real {
        Some(real) => refused(tree, format!("{tree} leads through a link"))
            .hint(format!("name the directory itself: {real}")),
        None => refused(tree, format!("the links in {tree} lead in a circle")),
    }
}
