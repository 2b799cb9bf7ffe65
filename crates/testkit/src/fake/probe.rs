//! How the machine stands to a step: absent, present, in conflict or unknown. It changes nothing.

use camino::Utf8Path;
use qchroot_api::{Access, ErrorKind, FileKind, Mount, Place, Platform, Result, Step};
use qchroot_engine::Probe;

use super::apply::obstacle;
use super::mounting::refuse_kind;
use super::node::{Body, Inode};
use super::resolve::{HOST, obstructed};
use super::state::State;

impl State {
    pub(crate) fn probe(&self, step: &Step) -> Result<Probe> {
        match step {
            Step::MakeDir { at, .. } => self.absent_or(at, |inode| match inode.is_directory() {
                true => Probe::Present,
                false => taken(at, inode, "a directory"),
            }),
            Step::RemoveDir { at } => self.gone_or(at, |inode| match inode.is_directory() {
                true => Probe::Absent,
                false => Probe::Present,
            }),
            Step::Stage { at } => self.probe_stage(&Place::host(at)),
            Step::CopyTree { to, .. } => {
                self.absent_or(&Place::host(to), |_| Probe::Conflict(format!("{to} exists already")))
            }
            Step::RemoveTree { at } => self.gone_or(&Place::host(at), |inode| match &inode.body {
                Body::Directory { .. } | Body::File(_) => Probe::Absent,
                _ => taken(&Place::host(at), inode, "a directory"),
            }),
            Step::WriteFile { at, text, mode, was } => self.probe_write(at, text, *mode, was.as_deref()),
            Step::RemoveFile { at, .. } => self.gone_or(at, |inode| match &inode.body {
                Body::File(_) => Probe::Absent,
                _ => taken(at, inode, "a file"),
            }),
            Step::Link { at, to, was } => self.absent_or(at, |inode| match &inode.body {
                Body::Link(is) if is == to => Probe::Present,
                Body::Link(is) if Some(is) == was.as_ref() => Probe::Absent,
                _ => other_link(at, inode),
            }),
            Step::Unlink { at, was } => self.gone_or(at, |inode| match &inode.body {
                Body::Link(is) if is == was => Probe::Absent,
                _ => other_link(at, inode),
            }),
            Step::Rename { from, to } => self.probe_rename(&Place::host(from), &Place::host(to)),
            Step::Quota(step) => making(self.probe_quota(step)),
            Step::Discard { from, .. } if self.tree.find(&Place::host(from))?.is_none() => Ok(Probe::Present),
            Step::Discard { from, to } => self.probe_rename(&Place::host(from), &Place::host(to)),
            Step::Move { from, to } => settle(self.probe_rename(from, to), Probe::Absent),
            Step::SetAccess { at, to, was } => self.probe_access(at, *to, *was),
            Step::Device { at, major, minor } => {
                self.absent_or(at, |inode| device(at, inode, (*major, *minor), Probe::Present, Probe::Absent))
            }
            Step::RemoveDevice { at, major, minor } => {
                self.gone_or(at, |inode| device(at, inode, (*major, *minor), Probe::Absent, Probe::Present))
            }
            Step::Own { at, make, uid, gid, mode } => {
                self.probe_own(at, *make, Access { mode: *mode, uid: *uid, gid: *gid })
            }
            Step::Mount(mount) => making(self.probe_mount(mount, Probe::Present, Probe::Absent)),
            Step::Unmount(mount) if self.tree.space_of(&mount.at.lexical()) != HOST => Ok(Probe::Present),
            Step::Unmount(mount) => {
                settle(self.probe_mount(mount, Probe::Absent, Probe::Present), Probe::Present)
            }
            Step::Disk(step) => making(self.probe_disk(step)),
            Step::Group(step) => Ok(self.probe_group(step)),
            _ => Ok(self.probe_process(step)),
        }
    }

    fn absent_or(&self, at: &Place, there: impl FnOnce(&Inode) -> Probe) -> Result<Probe> {
        making(self.tree.find(at).map(|found| found.map_or(Probe::Absent, |(_, inode)| there(&inode))))
    }

    fn gone_or(&self, at: &Place, there: impl FnOnce(&Inode) -> Probe) -> Result<Probe> {
        taking(self.tree.find(at).map(|found| found.map_or(Probe::Present, |(_, inode)| there(&inode))))
    }

    fn probe_stage(&self, at: &Place) -> Result<Probe> {
        self.absent_or(at, |inode| match inode.is_directory() {
            true => Probe::Unknown,
            false => taken(at, inode, "a directory"),
        })
    }

    fn probe_write(&self, at: &Place, text: &str, mode: u32, was: Option<&str>) -> Result<Probe> {
        self.absent_or(at, |inode| match &inode.body {
            Body::File(is) if is == text.as_bytes() && inode.mode == mode => Probe::Present,
            Body::File(is) if is == text.as_bytes() => Probe::Absent,
            Body::File(is) if was.is_some_and(|was| is == was.as_bytes()) => Probe::Absent,
            Body::File(_) => Probe::Conflict(format!("{at} has other content than expected")),
            _ => taken(at, inode, "a file"),
        })
    }

    fn probe_own(&self, at: &Place, make: Option<FileKind>, to: Access) -> Result<Probe> {
        self.absent_or(at, |inode| {
            let is = Access { mode: inode.mode, uid: inode.uid, gid: inode.gid };
            match obstacle(at, inode, make) {
                Some(what) => Probe::Conflict(what),
                None if is == to => Probe::Present,
                None => Probe::Absent,
            }
        })
    }

    fn probe_access(&self, at: &Place, to: Access, was: Access) -> Result<Probe> {
        making(match self.tree.find(at) {
            Ok(Some((found, inode))) if !inode.is_directory() => Err(obstructed(at, &found.seen, &inode)),
            Ok(found) => Ok(found.map_or(Probe::Absent, |(_, inode)| {
                match (Access { mode: inode.mode, uid: inode.uid, gid: inode.gid }) {
                    is if is == to => Probe::Present,
                    is if is == was => Probe::Absent,
                    is => Probe::Conflict(format!("{at} has {}:{} mode {:04o}", is.uid, is.gid, is.mode)),
                }
            })),
            Err(error) => Err(error),
        })
    }

    fn probe_rename(&self, from: &Place, to: &Place) -> Result<Probe> {
        let there = |at| Ok(self.tree.find(at)?.is_some());
        Ok(match (there(from)?, there(to)?) {
            (true, false) => Probe::Absent,
            (false, true) => Probe::Present,
            (true, true) => Probe::Conflict(format!("{to} exists already")),
            (false, false) => Probe::Conflict(format!("neither {from} nor {to} exists")),
        })
    }

    fn probe_mount(&self, mount: &Mount, there: Probe, free: Probe) -> Result<Probe> {
        let Some((found, inode)) = self.tree.find(&mount.at)? else { return Ok(free) };
        refuse_kind(mount, &found, &inode)?;
        if !found.is_mount_point() {
            return Ok(free);
        }
        let mounted = self.tree.mount(found.mount);
        let line = &mounted.line;
        if !self.is_it(mounted, mount) {
            let what = format!("{}: {} from {} is mounted on it", mount.at, line.fs, line.source);
            return Ok(Probe::Conflict(what));
        }
        if mount.read_only && !line.read_only {
            let what = format!("{}: {} is mounted on it, but not read-only", mount.at, mount.fs.name());
            return Ok(Probe::Conflict(what));
        }
        Ok(there)
    }

    fn probe_process(&self, step: &Step) -> Probe {
        let present = match step {
            Step::StartInit { root, proc, .. } => return self.with_init(root, proc.as_ref()),
            Step::StopInit { root, proc, .. } => {
                return match self.with_init(root, proc.as_ref()) {
                    Probe::Present => Probe::Absent,
                    Probe::Absent => Probe::Present,
                    other => other,
                };
            }
            Step::StartSandbox(_) | Step::StopSandbox(_) | Step::Seal(_) | Step::StopProcesses { .. } => {
                return self.probe_sandbox(step);
            }
            Step::StartService(service) => self.holder(&service.lock).is_some(),
            Step::StopService(service) => self.holder(&service.lock).is_none(),
            Step::Run { check: Some(check), .. } => {
                let fails = |argv: &[String]| self.run(argv).is_ok_and(|output| output.status != 0);
                self.run(check.argv()).is_ok_and(|output| check.holds(output.status, &output.stdout))
                    && check.fails().is_none_or(fails)
            }
            _ => return Probe::Unknown,
        };
        if present { Probe::Present } else { Probe::Absent }
    }

    /// Without an init, its procfs may be left behind.
    fn with_init(&self, root: &Utf8Path, proc: Option<&Place>) -> Probe {
        let left = |at: &Place| self.tree.mounts.iter().any(|mount| mount.line.at == at.lexical());
        match self.init_of(root) {
            Some(_) => Probe::Present,
            None if self.has_jail_on(root) => Probe::Present,
            None if proc.is_some_and(left) => Probe::Unknown,
            None => Probe::Absent,
        }
    }

    pub(crate) fn on_linux(&self) -> bool {
        self.platform == Platform::Linux
    }
}

/// For steps that make something: a way that is missing is made by a step before.
fn making(probe: Result<Probe>) -> Result<Probe> {
    settle(probe, Probe::Absent)
}

fn settle(probe: Result<Probe>, missing: Probe) -> Result<Probe> {
    match probe {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(missing),
        Err(error) if error.kind() == ErrorKind::Exists => Ok(Probe::Conflict(error.to_string())),
        probe => probe,
    }
}

/// For steps that take something away: without a way to it, or with something else in the way, it is gone.
fn taking(probe: Result<Probe>) -> Result<Probe> {
    match probe {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Exists) => Ok(Probe::Present),
        probe => probe,
    }
}

fn taken(at: &Place, inode: &Inode, wanted: &str) -> Probe {
    Probe::Conflict(format!("{at} is {}, not {wanted}", inode.words()))
}

fn other_link(at: &Place, inode: &Inode) -> Probe {
    match &inode.body {
        Body::Link(to) => Probe::Conflict(format!("{at} is a link to {to}")),
        _ => taken(at, inode, "a link"),
    }
}

fn device(at: &Place, inode: &Inode, want: (u32, u32), there: Probe, free: Probe) -> Probe {
    match &inode.body {
        Body::Device { block: false, major, minor } if (*major, *minor) == want => there,
        Body::Device { major, minor, .. } => {
            Probe::Conflict(format!("{at} is device {major}:{minor}, not {}:{}", want.0, want.1))
        }
        Body::File(content) if content.is_empty() => free,
        Body::File(_) => Probe::Conflict(format!("{at} is a file with content, not a device")),
        _ => taken(at, inode, "a device"),
    }
}
