//! Mounting and unmounting, with the refusals of the two kernels.

use camino::Utf8Path;
use qchroot_api::{Error, ErrorKind, Mount, MountFs, Mounted, Platform, Result};

use super::node::{Body, Inode};
use super::refuse;
use super::resolve::{Covered, Found, HOST, MISSING, obstructed};
use super::state::State;
use super::volume::{Spot, View};

impl State {
    pub(crate) fn mount(&mut self, mount: &Mount) -> Result<()> {
        let on = self.target(mount)?;
        if on.is_mount_point() {
            let what = format!("cannot mount on {}", mount.at);
            let why = format!("{} is mounted there already", self.tree.mount(on.mount).line.fs);
            return Err(refuse(ErrorKind::Exists, what, &why));
        }
        self.offers(&mount.fs)?;
        let mut view = match &mount.fs {
            MountFs::Null { source } | MountFs::File { source } => self.null(mount, source, &on)?,
            MountFs::Overlay { lower, upper, work } => self.overlay(lower, upper, work)?,
            MountFs::Disk { file, fs } => self.attach_disk(file, *fs)?,
            MountFs::Tmp { mode, .. } => View::of(vec![self.tree.new_volume(*mode)]),
            MountFs::Dev { ruleset } => self.devfs(*ruleset)?,
            MountFs::Zfs { dataset } => {
                let refused = |why: String| refuse(ErrorKind::System, format!("cannot mount {mount}"), &why);
                self.legacy(dataset).map_err(refused)?
            }
            MountFs::Pts | MountFs::Proc | MountFs::LinuxProc | MountFs::LinuxSys | MountFs::Fdesc { .. } => {
                View::of(vec![self.tree.new_volume(0o555)])
            }
            other => {
                let what = format!("cannot mount {}", other.name());
                return Err(refuse(ErrorKind::Unavailable, what, "nobody here makes such a mount"));
            }
        };
        view.read_only |= mount.read_only;
        let line = Mounted {
            at: on.seen.clone(),
            fs: self.fs_in_table(&mount.fs),
            source: source_in_table(&mount.fs),
            read_only: view.read_only,
        };
        self.tree.cover(&on, line, view, mount.clone());
        Ok(())
    }

    /// What a mount covers, which no link may stand for.
    fn target(&self, mount: &Mount) -> Result<Found> {
        let found = self.tree.spot(&mount.at)?;
        let inode = self.tree.get(&found).ok_or_else(|| missing(&found.seen))?;
        refuse_kind(mount, &found, inode)?;
        Ok(found)
    }

    fn offers(&self, fs: &MountFs) -> Result<()> {
        let name = match (fs, self.platform) {
            (MountFs::Proc, Platform::Freebsd) => "procfs",
            (other, _) => other.name(),
        };
        if self.filesystems.contains(name) {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Unavailable, format!("this kernel has no file system {name}")))
    }

    fn null(&self, mount: &Mount, source: &Utf8Path, on: &Found) -> Result<View> {
        let from = self.tree.host(source, true)?;
        match self.tree.get(&from) {
            Some(inode) if inode.is_directory() == matches!(mount.fs, MountFs::Null { .. }) => {}
            Some(_) => {
                return Err(refuse(ErrorKind::System, format!("cannot mount {source}"), "not a directory"));
            }
            None => return Err(missing(source)),
        }
        if on.seen.starts_with(&from.seen) {
            let what = format!("cannot mount {source} on {}", on.seen);
            return Err(refuse(ErrorKind::Config, what, "the target lies inside the source"));
        }
        let mut view = self.tree.mount(from.mount).view.clone();
        view.base = view.base.join(&from.rel);
        Ok(view)
    }

    fn overlay(&self, lower: &[camino::Utf8PathBuf], upper: &Utf8Path, work: &Utf8Path) -> Result<View> {
        let upper_at = self.layer(upper)?;
        let work_at = self.layer(work)?;
        let refused = |kind, why| Err(refuse(kind, format!("cannot mount an overlay with {upper}"), why));
        if upper_at.volume != work_at.volume {
            return refused(ErrorKind::System, "upper and work directory are on two file systems");
        }
        if upper_at.path.starts_with(&work_at.path) || work_at.path.starts_with(&upper_at.path) {
            return refused(ErrorKind::System, "upper and work directory overlap");
        }
        let takes_changes = |m: &Covered| match m.made_by.as_ref().map(|mount| &mount.fs) {
            Some(MountFs::Overlay { .. }) => m.view.layers.first() == Some(&upper_at),
            _ => false,
        };
        if self.tree.mounts.iter().any(takes_changes) {
            return refused(ErrorKind::Busy, "the upper directory is in use by another mount");
        }
        let mut layers = vec![upper_at];
        for dir in lower {
            layers.push(self.layer(dir)?);
        }
        Ok(View::of(layers))
    }

    /// A directory of one file system; overlays on overlays are not offered.
    fn layer(&self, dir: &Utf8Path) -> Result<Spot> {
        let found = self.tree.host(dir, true)?;
        match self.tree.get(&found) {
            Some(inode) if inode.is_directory() => {}
            _ => return Err(missing(dir)),
        }
        let view = &self.tree.mount(found.mount).view;
        match view.layers.as_slice() {
            [one] => Ok(one.join(view.base.join(&found.rel))),
            _ => {
                Err(refuse(ErrorKind::System, format!("cannot use {dir} as a layer"), "it is on an overlay"))
            }
        }
    }

    fn devfs(&mut self, ruleset: u32) -> Result<View> {
        if !self.rulesets.contains(&ruleset) {
            return Err(Error::new(
                ErrorKind::Unavailable,
                format!("devfs rule set {ruleset} is not loaded"),
            )
            .hint("load it with `service devfs start`"));
        }
        let top = self.tree.new_volume(0o555);
        for (name, minor) in [("null", 10), ("zero", 11), ("random", 12), ("urandom", 13)] {
            let device = Body::Device { block: false, major: 0, minor };
            self.tree.volumes.put(&top.join(name), Inode::new(device, 0o666));
        }
        self.tree.volumes.put(&top.join("fd"), Inode::directory(0o555));
        Ok(View::of(vec![top]))
    }

    /// Whether what is mounted is this mount: by its source where it has one, otherwise by its type.
    pub(crate) fn is_it(&self, there: &Covered, mount: &Mount) -> bool {
        match &mount.fs {
            MountFs::Null { .. } | MountFs::File { .. } | MountFs::Disk { .. } => {
                there.made_by.as_ref().is_some_and(|made_by| made_by.fs == mount.fs)
            }
            MountFs::Zfs { dataset } => there.line.source == *dataset,
            other => there.line.fs == self.fs_in_table(other),
        }
    }

    /// A bind mount has no type of its own on Linux.
    fn fs_in_table(&self, fs: &MountFs) -> String {
        match (fs, self.platform) {
            (MountFs::Null { .. } | MountFs::File { .. }, Platform::Linux) => {
                self.tree.mounts[0].line.fs.clone()
            }
            (MountFs::Proc, Platform::Freebsd) => "procfs".into(),
            (other, _) => other.name().into(),
        }
    }

    pub(crate) fn unmount(&mut self, mount: &Mount) -> Result<()> {
        let Some((found, inode)) = self.tree.find(&mount.at)? else { return Ok(()) };
        refuse_kind(mount, &found, &inode)?;
        if !found.is_mount_point() || found.space != HOST {
            return Ok(()); // those of a sandbox end with it
        }
        let refused = |why: &str| Err(refuse(ErrorKind::Busy, format!("cannot unmount {}", found.seen), why));
        let there = self.tree.mount(found.mount);
        if !self.is_it(there, mount) {
            let what = format!("cannot unmount {}", mount.at);
            let why = format!("{} from {} is mounted on it", there.line.fs, there.line.source);
            return Err(refuse(ErrorKind::Exists, what, &why));
        }
        if self.tree.mounts.iter().any(|m| m.id != found.mount && m.parent == found.mount) {
            return refused("device busy: something is mounted below");
        }
        if let Some(process) = self.inside_of(&found.seen).next() {
            let why = format!("device busy: process {} ({})", process.info.pid, process.info.command);
            return refused(&why);
        }
        self.tree.uncover(found.mount);
        self.detach_disks(true);
        Ok(())
    }
}

/// Refuses what a mount cannot cover: a file covers a file, and all else a directory.
pub(crate) fn refuse_kind(mount: &Mount, found: &Found, inode: &Inode) -> Result<()> {
    let is_file = matches!(inode.body, Body::File(_));
    match &mount.fs {
        MountFs::Foreign { .. } if is_file => Ok(()),
        MountFs::File { .. } if is_file => Ok(()),
        MountFs::File { .. } => {
            let name = found.seen.file_name().unwrap_or("/");
            let what = format!("cannot use {}: {name} is {}, not a file", mount.at, inode.words());
            Err(Error::new(ErrorKind::Exists, what))
        }
        _ if inode.is_directory() => Ok(()),
        _ => Err(obstructed(&mount.at, &found.seen, inode)),
    }
}

fn source_in_table(fs: &MountFs) -> String {
    match fs {
        MountFs::Null { source } | MountFs::File { source } => source.to_string(),
        MountFs::Zfs { dataset } => dataset.clone(),
        other => other.name().into(),
    }
}

fn missing(path: &Utf8Path) -> Error {
    refuse(ErrorKind::NotFound, format!("cannot open {path}"), MISSING)
}
