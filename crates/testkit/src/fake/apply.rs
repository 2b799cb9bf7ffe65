//! Steps on files: what each does to the tree, and what it refuses. Mounts and processes are elsewhere.

use std::time::Duration;

use camino::Utf8Path;
use qchroot_api::{
    Access, Error, ErrorKind, FileKind, Place, Result, Step, is_stale_after_boot, is_stale_without_processes,
};

use super::node::{Body, Inode};
use super::refuse;
use super::resolve::{Found, HOST, MISSING, obstructed};
use super::state::State;

/// Character devices that do no harm on Linux: `Documentation/admin-guide/devices.txt`.
const SAFE_DEVICES: &[(u32, u32)] = &[(1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0)];

impl State {
    pub(crate) fn apply(&mut self, step: &Step, deadline: Duration) -> Result<()> {
        if !self.superuser {
            return Err(refuse(ErrorKind::Permission, format!("cannot {step}"), "operation not permitted"));
        }
        self.act(step, deadline)
    }

    fn act(&mut self, step: &Step, deadline: Duration) -> Result<()> {
        match step {
            Step::MakeDir { at, mode } => self.make(at, Inode::directory(*mode)),
            Step::RemoveDir { at } => self.remove_dir(at),
            Step::Stage { at } => self.stage(at),
            Step::CopyTree { from, to } => self.copy_tree(from, to),
            Step::CopyInto { from, into } => self.copy_into(from, into),
            Step::RemoveTree { at } => self.remove_tree(at),
            Step::WriteFile { at, text, mode, .. } => {
                self.replace(at, Inode::file(text.as_str(), *mode), |old| matches!(old, Body::File(_)))
            }
            Step::RemoveFile { at, .. } => self.remove_one(at, |body| matches!(body, Body::File(_))),
            Step::Link { at, to, .. } => {
                self.replace(at, Inode::link(to.clone()), |old| matches!(old, Body::Link(_)))
            }
            Step::Unlink { at, was } => {
                self.remove_one(at, |body| matches!(body, Body::Link(is) if is == was))
            }
            Step::Rename { from, to } | Step::Discard { from, to } => self.rename(from, to),
            Step::Move { from, to } => self.relocate(from, to),
            Step::SetAccess { at, to, .. } => self.set_access(at, *to),
            Step::Device { at, major, minor } => self.device(at, *major, *minor),
            Step::RemoveDevice { at, major, minor } => self.remove_device(at, *major, *minor),
            Step::Own { at, make, uid, gid, mode } => self.own(at, *make, (*uid, *gid), *mode),
            Step::Purge { root, dirs, booted, .. } => {
                dirs.iter().try_for_each(|dir| self.purge(&Place::within(root, dir), *booted))
            }
            Step::Mount(mount) => self.mount(mount),
            Step::Unmount(mount) => self.unmount(mount),
            Step::Quota(step) => self.act_on_quota(step),
            Step::Disk(step) => self.act_on_disk(step),
            _ => self.act_on_processes(step, deadline),
        }
    }

    /// A place where a new file may be made: its parent is a directory that exists.
    pub(crate) fn free(&self, at: &Place) -> Result<Found> {
        let found = self.tree.spot(at)?;
        match self.tree.get(&found) {
            None => Ok(found),
            Some(inode) => Err(exists(&found.seen, inode)),
        }
    }

    fn make(&mut self, at: &Place, inode: Inode) -> Result<()> {
        let found = self.free(at)?;
        self.tree.put(&found, inode)
    }

    /// Puts a file in place of nothing or of one that `takes` accepts.
    fn replace(&mut self, at: &Place, inode: Inode, takes: impl Fn(&Body) -> bool) -> Result<()> {
        let found = self.tree.spot(at)?;
        match self.tree.get(&found) {
            Some(old) if !takes(&old.body) => Err(exists(&found.seen, old)),
            _ => self.tree.put(&found, inode),
        }
    }

    /// What is to be taken away; without a way to it, it is gone.
    fn left(&mut self, at: &Place) -> Result<Option<(Found, Inode)>> {
        match self.tree.find(at) {
            Err(error) if error.kind() == ErrorKind::Exists => Ok(None),
            Ok(Some((found, _))) if found.is_mount_point() && found.space != HOST => {
                // What covers it in a sandbox does not keep the host from removing it.
                self.tree.mounts.retain(|m| m.space != found.space || !m.line.at.starts_with(&found.seen));
                self.tree.find(at)
            }
            found => found,
        }
    }

    fn remove_one(&mut self, at: &Place, takes: impl Fn(&Body) -> bool) -> Result<()> {
        match self.left(at)? {
            None => Ok(()),
            Some((found, inode)) if takes(&inode.body) => self.tree.remove(&found),
            Some((_, inode)) => Err(refuse(
                ErrorKind::Exists,
                format!("cannot remove {at}"),
                &format!("it is {}", inode.words()),
            )),
        }
    }

    fn remove_dir(&mut self, at: &Place) -> Result<()> {
        let Some((found, inode)) = self.left(at)? else { return Ok(()) };
        let refused = |kind, why| Err(refuse(kind, format!("cannot remove {}", found.seen), why));
        if !inode.is_directory() {
            return Ok(());
        }
        if found.is_mount_point() {
            return refused(ErrorKind::Busy, "device busy");
        }
        if self.tree.list(&found).is_empty() { self.tree.remove(&found) } else { Ok(()) }
    }

    fn stage(&mut self, at: &Utf8Path) -> Result<()> {
        self.remove_tree(at)?;
        self.make(&Place::host(at), Inode::directory(0o700))
    }

    fn remove_tree(&mut self, at: &Utf8Path) -> Result<()> {
        let Some((found, _)) = self.tree.find(&Place::host(at))? else { return Ok(()) };
        if let Some(mount) = self.tree.mounts_below(&found.seen).next() {
            let why = format!("{} is mounted on {}", mount.line.fs, mount.line.at);
            return Err(refuse(ErrorKind::Busy, format!("cannot remove {at}"), &why));
        }
        self.tree.remove(&found)
    }

    fn purge(&mut self, dir: &Place, booted: bool) -> Result<()> {
        let Some((top, _)) = self.left(dir)?.filter(|(_, inode)| inode.is_directory()) else { return Ok(()) };
        for (below, inode) in self.tree.subtree(&top) {
            let name = below.file_name().unwrap_or_default();
            let stale = match inode.body {
                Body::File(_) if booted => is_stale_after_boot(name),
                Body::File(_) => is_stale_without_processes(name),
                Body::Fifo => booted,
                _ => false,
            };
            if stale {
                let (rel, seen) = (join(&top.rel, &below), join(&top.seen, &below));
                self.tree.remove(&Found { rel, seen, ..top.clone() })?;
            }
        }
        Ok(())
    }

    fn copy_tree(&mut self, from: &Utf8Path, to: &Utf8Path) -> Result<()> {
        let Some((source, _)) = self.tree.find(&Place::host(from))? else {
            return Err(refuse(
                ErrorKind::NotFound,
                format!("cannot copy {from}"),
                "no such file or directory",
            ));
        };
        let target = self.free(&Place::host(to))?;
        if target.seen.starts_with(&source.seen) {
            return Err(refuse(
                ErrorKind::System,
                format!("cannot copy {from}"),
                "the copy would be inside it",
            ));
        }
        let copy = |(path, inode)| (path, self.copy_of(inode));
        self.paste(&target, self.tree.subtree(&source).into_iter().map(copy).collect())
    }

    fn copy_into(&mut self, from: &Utf8Path, into: &Utf8Path) -> Result<()> {
        let found = |at: &Utf8Path| {
            let found = self.tree.find(&Place::host(at))?.filter(|(_, inode)| inode.is_directory());
            found.ok_or_else(|| refuse(ErrorKind::NotFound, format!("cannot open {at}"), MISSING))
        };
        let ((source, _), (target, _)) = (found(from)?, found(into)?);
        if !self.tree.list(&target).is_empty() {
            return Err(refuse(ErrorKind::Exists, format!("cannot fill {into}"), "it is not empty"));
        }
        self.paste(&target, self.tree.subtree(&source))
    }

    fn paste(&mut self, target: &Found, all: Vec<(camino::Utf8PathBuf, Inode)>) -> Result<()> {
        for (below, inode) in all {
            let at =
                Found { rel: join(&target.rel, &below), seen: join(&target.seen, &below), ..target.clone() };
            self.tree.put(&at, inode)?;
        }
        Ok(())
    }

    fn set_access(&mut self, at: &Place, to: Access) -> Result<()> {
        let found = self.tree.spot(at)?;
        match self.tree.get(&found).cloned() {
            Some(mut inode) if inode.is_directory() => {
                (inode.mode, inode.uid, inode.gid) = (to.mode, to.uid, to.gid);
                self.tree.put(&found, inode)
            }
            Some(inode) => Err(obstructed(at, &found.seen, &inode)),
            None => Err(refuse(ErrorKind::NotFound, format!("cannot open {at}"), MISSING)),
        }
    }

    fn rename(&mut self, from: &Utf8Path, to: &Utf8Path) -> Result<()> {
        self.relocate(&Place::host(from), &Place::host(to))
    }

    fn relocate(&mut self, from: &Place, to: &Place) -> Result<()> {
        let source = self.tree.spot(from)?;
        let refused = |kind, why| Err(refuse(kind, format!("cannot rename {from} to {to}"), why));
        if self.tree.get(&source).is_none() {
            return refused(ErrorKind::NotFound, "no such file or directory");
        }
        let target = self.free(to)?;
        if source.is_mount_point() {
            return refused(ErrorKind::Busy, "device busy");
        }
        if source.mount != target.mount {
            return refused(ErrorKind::System, "cross-device link");
        }
        if target.seen.starts_with(&source.seen) {
            return refused(ErrorKind::System, "invalid argument");
        }
        let all = self.tree.subtree(&source);
        self.tree.remove(&source)?;
        self.paste(&target, all)?;
        self.follow_rename(&source.seen, &target.seen);
        Ok(())
    }

    /// Mounts and processes below a directory that was renamed are below its new name.
    fn follow_rename(&mut self, from: &Utf8Path, to: &Utf8Path) {
        let mounts = self.tree.mounts.iter_mut().map(|m| &mut m.line.at);
        let roots = self.processes.iter_mut().map(|p| &mut p.info.root);
        for path in mounts.chain(roots) {
            if let Ok(below) = path.strip_prefix(from) {
                *path = join(to, below);
            }
        }
    }

    /// An empty file in a device's place is as good as nothing.
    fn remove_device(&mut self, at: &Place, major: u32, minor: u32) -> Result<()> {
        let device = Body::Device { block: false, major, minor };
        match self.left(at)? {
            Some((_, Inode { body: Body::File(content), .. })) if content.is_empty() => Ok(()),
            _ => self.remove_one(at, |body| *body == device),
        }
    }

    fn own(&mut self, at: &Place, make: Option<FileKind>, owner: (u32, u32), mode: u32) -> Result<()> {
        let found = self.tree.spot(at)?;
        let mut inode = match (self.tree.get(&found).cloned(), make) {
            (Some(inode), _) => inode,
            (None, Some(FileKind::Directory)) => Inode::directory(mode),
            (None, Some(_)) => Inode::file("", mode),
            (None, None) => {
                return Err(refuse(ErrorKind::NotFound, format!("cannot own {at}"), "no such file"));
            }
        };
        if let Some(obstacle) = obstacle(at, &inode, make) {
            return Err(refuse(ErrorKind::Exists, obstacle, ""));
        }
        (inode.uid, inode.gid, inode.mode) = (owner.0, owner.1, mode);
        self.tree.put(&found, inode)
    }

    fn device(&mut self, at: &Place, major: u32, minor: u32) -> Result<()> {
        let refused = |kind, why: &str| Err(refuse(kind, format!("cannot make device {at}"), why));
        if !self.on_linux() {
            return refused(ErrorKind::Unavailable, "devices come from devfs(5) here");
        }
        if !SAFE_DEVICES.contains(&(major, minor)) {
            return refused(
                ErrorKind::Permission,
                &format!("{major}:{minor} is not on the list of safe ones"),
            );
        }
        let device = Inode::new(Body::Device { block: false, major, minor }, 0o666);
        let same = device.body.clone();
        self.replace(at, device, |old| match old {
            Body::File(content) => content.is_empty(),
            other => *other == same,
        })
    }
}

/// What keeps a file from being owned as declared.
pub(super) fn obstacle(at: &Place, inode: &Inode, make: Option<FileKind>) -> Option<String> {
    let (is_dir, is_file) = (inode.is_directory(), matches!(inode.body, Body::File(_)));
    let (fits, words) = match make {
        Some(FileKind::Directory) => (is_dir, "a directory"),
        Some(_) => (is_file, "a file"),
        None => (is_dir || is_file, "a file or a directory"),
    };
    (!fits).then(|| format!("{at} is {}, not {words}", inode.words()))
}

fn join(path: &Utf8Path, below: &Utf8Path) -> camino::Utf8PathBuf {
    if below.as_str().is_empty() { path.to_owned() } else { path.join(below) }
}

fn exists(at: &Utf8Path, inode: &Inode) -> Error {
    refuse(ErrorKind::Exists, format!("cannot make {at}"), &format!("{} is there", inode.words()))
}
