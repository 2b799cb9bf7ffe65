//! The mount table, and names resolved through it as the kernel does: beneath a root, link by link.

use std::collections::VecDeque;

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Error, ErrorKind, Mount, Mounted, Place, Result};

use super::node::{Body, Inode};
use super::refuse;
use super::volume::{Spot, View, Volumes};

/// As many links as Linux follows: path_resolution(7).
const MAX_LINKS: usize = 40;

pub(crate) const MISSING: &str = "no such file or directory";

/// The id of the mount that holds `/`.
pub(crate) const ROOT_MOUNT: u32 = 0;

/// The mount namespace of the host; the others are those of sandboxes.
pub(crate) const HOST: u32 = 0;

/// One mount.
#[derive(Debug, Clone)]
pub(crate) struct Covered {
    pub(crate) id: u32,
    /// The mount that this one covers a directory of.
    pub(crate) parent: u32,
    /// The mount namespace that it is in.
    pub(crate) space: u32,
    pub(crate) line: Mounted,
    pub(crate) view: View,
    /// What made it; `None` for `/`.
    pub(crate) made_by: Option<Mount>,
}

/// A name resolved; there need not be a file.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// As the host sees it, without links.
    pub(crate) seen: Utf8PathBuf,
    /// The mount namespace that it was looked for in.
    pub(crate) space: u32,
    pub(crate) mount: u32,
    /// Below the mount's root.
    pub(crate) rel: Utf8PathBuf,
}

impl Found {
    /// Whether this is the root of a mount.
    pub(crate) fn is_mount_point(&self) -> bool {
        self.rel.as_str().is_empty() && self.mount != ROOT_MOUNT
    }
}

/// All files, as mounted.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    pub(crate) volumes: Volumes,
    pub(crate) mounts: Vec<Covered>,
    /// Roots of containers with a mount namespace of their own, which all below them is looked for in.
    pub(crate) spaces: Vec<(Utf8PathBuf, u32)>,
    next_volume: u32,
    next_mount: u32,
}

impl Tree {
    /// A tree that has `/` alone, on a file system of the type `fs`.
    pub(crate) fn new(fs: &str) -> Self {
        let mut volumes = Volumes::default();
        volumes.put(&Spot::top(0), Inode::directory(0o755));
        let line = Mounted { at: "/".into(), fs: fs.into(), source: "/dev/disk".into(), read_only: false };
        let view = View::of(vec![Spot::top(0)]);
        let root = Covered { id: ROOT_MOUNT, parent: ROOT_MOUNT, space: HOST, line, view, made_by: None };
        Self { volumes, mounts: vec![root], spaces: vec![], next_volume: 1, next_mount: 1 }
    }

    /// A new, empty file system.
    pub(crate) fn new_volume(&mut self, mode: u32) -> Spot {
        let top = Spot::top(self.next_volume);
        self.next_volume += 1;
        self.volumes.put(&top, Inode::directory(mode));
        top
    }

    /// Mounts `view` over the directory `on`.
    pub(crate) fn cover(&mut self, on: &Found, line: Mounted, view: View, made_by: Mount) {
        let (id, parent, space) = (self.next_mount, on.mount, on.space);
        self.next_mount += 1;
        self.mounts.push(Covered { id, parent, space, line, view, made_by: Some(made_by) });
    }

    /// Takes a mount away, and its file system if it was made for it.
    pub(crate) fn uncover(&mut self, id: u32) {
        self.mounts.retain(|m| m.id != id);
    }

    pub(crate) fn mount(&self, id: u32) -> &Covered {
        self.mounts.iter().find(|m| m.id == id).expect("a resolved name is on a mount that exists")
    }

    fn under_mounts(&self, mut found: Found) -> Found {
        let over = |found: &Found| {
            let on = |m: &&Covered| m.id != ROOT_MOUNT && m.parent == found.mount && m.line.at == found.seen;
            let visible = |m: &&Covered| [HOST, found.space].contains(&m.space);
            self.mounts.iter().rev().filter(visible).find(on).map(|m| m.id)
        };
        while let Some(id) = over(&found) {
            (found.mount, found.rel) = (id, Utf8PathBuf::new());
        }
        found
    }

    fn child(&self, of: &Found, name: &str) -> Found {
        let child = Found { seen: of.seen.join(name), rel: of.rel.join(name), ..*of };
        self.under_mounts(child)
    }

    /// Resolves `path` beneath `root`. The last component is followed when `follow` is set, and may be missing;
    /// links without end, and a file where a directory was expected, are errors of the kind `no_way`.
    fn walk(&self, root: Found, path: &Utf8Path, follow: bool, no_way: ErrorKind) -> Result<Found> {
        let failed = |kind, why: &str| refuse(kind, format!("cannot resolve {}", root.seen.join(path)), why);
        let mut stack = vec![root.clone()];
        let mut todo: VecDeque<String> = path.components().map(|c| c.as_str().to_owned()).collect();
        let mut links = 0;
        while let Some(name) = todo.pop_front() {
            if name == "/" || name == "." {
                continue;
            }
            if name == ".." {
                stack.truncate(stack.len().saturating_sub(1).max(1));
                continue;
            }
            let here = stack.last().unwrap_or(&root);
            match self.get(here) {
                Some(inode) if inode.is_directory() => {}
                Some(_) => return Err(failed(no_way, "not a directory")),
                None => return Err(failed(ErrorKind::NotFound, MISSING)),
            }
            let next = self.child(here, &name);
            match self.get(&next).map(|inode| &inode.body) {
                Some(Body::Link(to)) if follow || !todo.is_empty() => {
                    links += 1;
                    if links > MAX_LINKS {
                        return Err(failed(no_way, "too many levels of symbolic links"));
                    }
                    if to.is_absolute() {
                        stack.truncate(1);
                    }
                    to.components().rev().for_each(|c| todo.push_front(c.as_str().to_owned()));
                }
                _ => stack.push(next),
            }
        }
        Ok(stack.pop().unwrap_or(root))
    }

    /// Resolves a path of the host's.
    pub(crate) fn host(&self, path: &Utf8Path, follow: bool) -> Result<Found> {
        let space = self.space_of(path);
        let top = Found { seen: "/".into(), space, mount: ROOT_MOUNT, rel: Utf8PathBuf::new() };
        self.walk(self.under_mounts(top), path, follow, ErrorKind::System)
    }

    /// The mount namespace that a path of the host's is looked for in.
    pub(crate) fn space_of(&self, path: &Utf8Path) -> u32 {
        self.spaces.iter().find(|(root, _)| path.starts_with(root)).map_or(HOST, |(_, space)| *space)
    }

    /// Resolves a place to look at it, its last component not followed.
    fn place(&self, at: &Place) -> Result<Found> {
        self.walk(self.start_of(at)?, at.path(), false, ErrorKind::NotFound)
    }

    /// Resolves a place to change it: inside a container no link on the way is followed.
    ///
    /// # Errors
    /// `Exists`, naming the component, where something that is not a directory is on the way.
    pub(crate) fn spot(&self, at: &Place) -> Result<Found> {
        let found = self.start_of(at)?;
        if !at.is_within() {
            return self.walk(found, at.path(), false, ErrorKind::System);
        }
        self.step_by_step(found, at)
    }

    /// Resolves a path of the host's as a place inside a container is: no link on the way is followed.
    pub(crate) fn strictly(&self, path: &Utf8Path) -> Result<Found> {
        let at = Place::host(path);
        self.step_by_step(self.start_of(&at)?, &at)
    }

    fn step_by_step(&self, mut found: Found, at: &Place) -> Result<Found> {
        for name in at.path().components() {
            match self.get(&found) {
                Some(inode) if inode.is_directory() => found = self.child(&found, name.as_str()),
                Some(inode) => return Err(obstructed(at, &found.seen, inode)),
                None => return Err(refuse(ErrorKind::NotFound, format!("cannot open {at}"), MISSING)),
            }
        }
        Ok(found)
    }

    /// Resolves a place with every link followed beneath its root.
    pub(crate) fn place_followed(&self, at: &Place) -> Result<Found> {
        self.walk(self.start_of(at)?, at.path(), true, ErrorKind::NotFound)
    }

    /// Where a place is looked for from.
    fn start_of(&self, at: &Place) -> Result<Found> {
        Ok(Found { space: self.space_of(&at.lexical()), ..self.root_of(at)? })
    }

    fn root_of(&self, at: &Place) -> Result<Found> {
        let root = self.host(at.root(), true)?;
        match self.get(&root) {
            Some(inode) if inode.is_directory() => Ok(root),
            _ => Err(refuse(ErrorKind::NotFound, format!("cannot open {}", at.root()), "no such directory")),
        }
    }

    pub(crate) fn get(&self, at: &Found) -> Option<&Inode> {
        self.mount(at.mount).view.get(&self.volumes, &at.rel)
    }

    /// What a step finds at a place; `None` also when a directory on the way is missing.
    pub(crate) fn find(&self, at: &Place) -> Result<Option<(Found, Inode)>> {
        self.there(self.spot(at))
    }

    /// What can be seen at a place; `None` also when a directory on the way is missing.
    pub(crate) fn look(&self, at: &Place) -> Result<Option<(Found, Inode)>> {
        self.there(self.place(at))
    }

    fn there(&self, found: Result<Found>) -> Result<Option<(Found, Inode)>> {
        match found {
            Ok(found) => Ok(self.get(&found).cloned().map(|inode| (found, inode))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn list(&self, at: &Found) -> Vec<String> {
        self.mount(at.mount).view.list(&self.volumes, &at.rel)
    }

    pub(crate) fn put(&mut self, at: &Found, inode: Inode) -> Result<()> {
        let view = self.mount(at.mount).view.clone();
        view.put(&mut self.volumes, &at.rel, inode).map_err(|error| named(error, &at.seen))
    }

    pub(crate) fn remove(&mut self, at: &Found) -> Result<()> {
        let view = self.mount(at.mount).view.clone();
        view.remove(&mut self.volumes, &at.rel).map_err(|error| named(error, &at.seen))
    }

    /// The mounts at or below `seen`, the outermost first.
    pub(crate) fn mounts_below<'a>(&'a self, seen: &'a Utf8Path) -> impl Iterator<Item = &'a Covered> {
        self.mounts.iter().filter(move |m| m.id != ROOT_MOUNT && m.line.at.starts_with(seen))
    }

    /// Everything at and below `at` on its own mount, parents first, by path below `at`.
    pub(crate) fn subtree(&self, at: &Found) -> Vec<(Utf8PathBuf, Inode)> {
        let all = self.mount(at.mount).view.walk(&self.volumes, &at.rel);
        let below =
            |path: Utf8PathBuf| path.strip_prefix(&at.rel).map(Utf8Path::to_owned).unwrap_or_default();
        all.into_iter().map(|(path, inode)| (below(path), inode)).collect()
    }
}

pub(crate) fn obstructed(at: &Place, seen: &Utf8Path, inode: &Inode) -> Error {
    let name = seen.file_name().unwrap_or("/");
    Error::new(ErrorKind::Exists, format!("cannot use {at}: {name} is {}, not a directory", inode.words()))
}

fn named(error: Error, seen: &Utf8Path) -> Error {
    Error::new(error.kind(), format!("cannot change {seen}")).cause(error.causes().join(": "))
}
