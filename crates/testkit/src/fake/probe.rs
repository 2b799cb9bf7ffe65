//! How the machine stands to a step: absent, present, in conflict or unknown. It changes nothing.

use camino::Utf8Path;
use qchroot_api::{Mount, Place, Platform, Result, Step};
use qchroot_engine::Probe;

use super::node::{Body, Inode};
use super::state::State;

impl State {
    pub(crate) fn probe(&self, step: &Step) -> Result<Probe> {
        match step {
            Step::MakeDir { at, .. } => self.probe_dir(at),
            Step::RemoveDir { at } => self.probe_remove_dir(at),
            Step::Stage { at } => self.probe_stage(at),
            Step::CopyTree { to, .. } => Ok(self.absent_or(&Place::host(to), |_| Probe::Unknown)?),
            Step::RemoveTree { at } => self.probe_remove_tree(at),
            Step::WriteFile { at, text, mode, was } => self.probe_write(at, text, *mode, was.as_deref()),
            Step::RemoveFile { at, was, .. } => self.gone_or(at, |inode| match &inode.body {
                Body::File(content) if content == was.as_bytes() => Probe::Absent,
                Body::File(_) => conflict(at, "has other content than was written"),
                _ => conflict(at, &format!("is {}, not a file", inode.words())),
            }),
            Step::Link { at, to, was } => self.absent_or(at, |inode| match &inode.body {
                Body::Link(is) if is == to => Probe::Present,
                Body::Link(is) if Some(is) == was.as_ref() => Probe::Absent,
                Body::Link(is) => conflict(at, &format!("is a symbolic link to {is}")),
                _ => conflict(at, &format!("is {}, not a symbolic link", inode.words())),
            }),
            Step::Unlink { at, was } => self.gone_or(at, |inode| match &inode.body {
                Body::Link(is) if is == was => Probe::Absent,
                Body::Link(is) => conflict(at, &format!("is a symbolic link to {is}")),
                _ => conflict(at, &format!("is {}, not a symbolic link", inode.words())),
            }),
            Step::Rename { from, to } => self.probe_rename(from, to),
            Step::Device { at, major, minor } => self.absent_or(at, |inode| match &inode.body {
                Body::Device { block: false, major: a, minor: b } if (a, b) == (major, minor) => {
                    Probe::Present
                }
                Body::File(content) if content.is_empty() => Probe::Absent,
                Body::File(_) => conflict(at, "is a file that is not empty, not the device"),
                Body::Device { .. } => conflict(at, "is another device"),
                _ => conflict(at, &format!("is {}, not the device", inode.words())),
            }),
            Step::RemoveDevice { at, major, minor } => self.gone_or(at, |inode| match &inode.body {
                Body::Device { block: false, major: a, minor: b } if (a, b) == (major, minor) => {
                    Probe::Absent
                }
                _ => conflict(at, &format!("is {}, not the device", inode.words())),
            }),
            Step::Mount(mount) => self.probe_mount(mount),
            Step::Unmount(mount) => self.probe_unmount(mount),
            _ => Ok(self.probe_process(step)),
        }
    }

    fn absent_or(&self, at: &Place, there: impl FnOnce(&Inode) -> Probe) -> Result<Probe> {
        Ok(self.tree.look(at)?.map_or(Probe::Absent, |(_, inode)| there(&inode)))
    }

    fn gone_or(&self, at: &Place, there: impl FnOnce(&Inode) -> Probe) -> Result<Probe> {
        Ok(self.tree.look(at)?.map_or(Probe::Present, |(_, inode)| there(&inode)))
    }

    fn probe_dir(&self, at: &Place) -> Result<Probe> {
        self.absent_or(at, |inode| match inode.is_directory() {
            true => Probe::Present,
            false => conflict(at, &format!("is {}, not a directory", inode.words())),
        })
    }

    fn probe_remove_dir(&self, at: &Place) -> Result<Probe> {
        let Some((found, inode)) = self.tree.look(at)? else { return Ok(Probe::Present) };
        if !inode.is_directory() {
            return Ok(conflict(at, &format!("is {}, not a directory", inode.words())));
        }
        Ok(if self.tree.list(&found).is_empty() { Probe::Absent } else { Probe::Present })
    }

    fn probe_stage(&self, at: &Utf8Path) -> Result<Probe> {
        self.absent_or(&Place::host(at), |inode| match inode.is_directory() {
            true => Probe::Unknown,
            false => conflict(&Place::host(at), &format!("is {}, not a directory", inode.words())),
        })
    }

    fn probe_remove_tree(&self, at: &Utf8Path) -> Result<Probe> {
        let Some((found, _)) = self.tree.look(&Place::host(at))? else { return Ok(Probe::Present) };
        Ok(match self.tree.mounts_below(&found.seen).next() {
            Some(mount) => Probe::Conflict(format!("{} is mounted on {}", mount.line.fs, mount.line.at)),
            None => Probe::Absent,
        })
    }

    fn probe_write(&self, at: &Place, text: &str, mode: u32, was: Option<&str>) -> Result<Probe> {
        self.absent_or(at, |inode| match &inode.body {
            Body::File(is) if is == text.as_bytes() && inode.mode == mode => Probe::Present,
            Body::File(is) if is == text.as_bytes() || was.is_some_and(|was| is == was.as_bytes()) => {
                Probe::Absent
            }
            Body::File(_) => conflict(at, "has other content than expected"),
            _ => conflict(at, &format!("is {}, not a file", inode.words())),
        })
    }

    fn probe_rename(&self, from: &Utf8Path, to: &Utf8Path) -> Result<Probe> {
        let there = |path| Ok(self.tree.look(&Place::host(path))?.is_some());
        Ok(match (there(from)?, there(to)?) {
            (true, false) => Probe::Absent,
            (false, true) => Probe::Present,
            (true, true) => conflict(&Place::host(to), "exists already"),
            (false, false) => conflict(&Place::host(from), "does not exist"),
        })
    }

    fn probe_mount(&self, mount: &Mount) -> Result<Probe> {
        let Some((found, inode)) = self.tree.look(&mount.at)? else { return Ok(Probe::Absent) };
        if !inode.is_directory() {
            return Ok(conflict(&mount.at, &format!("is {}, not a directory", inode.words())));
        }
        if !found.is_mount_point() {
            return Ok(Probe::Absent);
        }
        let there = self.tree.mount(found.mount);
        Ok(match there.made_by.as_ref().is_some_and(|m| m.fs == mount.fs && m.read_only == mount.read_only) {
            true => Probe::Present,
            false => {
                Probe::Conflict(format!("{} is mounted on {} already", there.line.fs, mount.at.lexical()))
            }
        })
    }

    fn probe_unmount(&self, mount: &Mount) -> Result<Probe> {
        let Some((found, _)) = self.tree.look(&mount.at)? else { return Ok(Probe::Present) };
        if !found.is_mount_point() {
            return Ok(Probe::Present);
        }
        let there = self.tree.mount(found.mount);
        Ok(match there.made_by.as_ref().is_some_and(|m| m.fs == mount.fs) {
            true => Probe::Absent,
            false => Probe::Conflict(format!("{} is mounted on {}", there.line.fs, mount.at.lexical())),
        })
    }

    fn probe_process(&self, step: &Step) -> Probe {
        let present = match step {
            Step::StartInit { root, .. } => self.init_of(root).is_some(),
            Step::StopInit { root, .. } => self.inside_of(root).next().is_none(),
            Step::StartService(service) => self.holder(&service.lock).is_some(),
            Step::StopService(service) => self.holder(&service.lock).is_none(),
            Step::Run { check: Some(check), .. } => self.run(check).is_ok_and(|output| output.status == 0),
            _ => return Probe::Unknown,
        };
        if present { Probe::Present } else { Probe::Absent }
    }

    pub(crate) fn on_linux(&self) -> bool {
        self.platform == Platform::Linux
    }
}

fn conflict(at: &Place, what: &str) -> Probe {
    Probe::Conflict(format!("{} {what}", at.lexical()))
}
