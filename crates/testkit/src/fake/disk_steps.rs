//! Steps on disks, what each refuses, and how the machine stands to it; mounting one and taking it back.

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{DiskCheck, DiskFs, DiskInfo, DiskStep, ErrorKind, Place, Result, Space, size_text};
use qchroot_engine::Probe;

use super::disk::{Disk, Flaw};
use super::node::{Body, Inode};
use super::refuse;
use super::resolve::{Found, MISSING};
use super::state::State;
use super::volume::View;

/// The host's space unless a test says otherwise.
const HOST_SPACE: u64 = 64 << 30;

impl State {
    pub(crate) fn act_on_disk(&mut self, step: &DiskStep) -> Result<()> {
        match step {
            DiskStep::Template { at, fs, tree, dirs, links } => {
                self.template_disk(at, *fs, tree, dirs, links)
            }
            DiskStep::Clone { from, to, fs, size, reserve } => {
                let source = self.sound_disk(from, *fs)?;
                require_length(*size, source.length.max(fs.smallest()))?;
                self.new_disk(to, Disk { length: *size, fs_length: *size, reserved: *reserve, ..source })
            }
            DiskStep::Rebuild { from, to, fs, size, reserve } => {
                require_length(*size, fs.smallest())?;
                let files = self.sound_disk(from, *fs)?.files;
                self.new_disk(to, Disk { reserved: *reserve, ..Disk::new(*fs, Some(*size), files) })
            }
            DiskStep::Grow { at, fs, to, reserve, mounted, .. } => {
                self.grow_disk(at, *fs, *to, *reserve, mounted.as_ref())
            }
            DiskStep::Check { at, fs, how, log } => self.check_disk(at, *fs, *how, log),
            DiskStep::Remove { at } => self.remove_disk(at),
            _ => Err(refuse(ErrorKind::Internal, format!("cannot {step}"), "nobody here knows how")),
        }
    }

    pub(crate) fn probe_disk(&self, step: &DiskStep) -> Result<Probe> {
        let there = |at: &Utf8Path| Ok(self.tree.look(&Place::host(at))?.is_some());
        Ok(match step {
            DiskStep::Template { at, .. } if there(at)? => Probe::Present,
            DiskStep::Clone { to, .. } | DiskStep::Rebuild { to, .. } if there(to)? => {
                Probe::Conflict(format!("{to} exists already"))
            }
            DiskStep::Remove { at } if !there(at)? => Probe::Present,
            DiskStep::Grow { at, to, .. } => match self.disk_info(at)? {
                None => Probe::Conflict(format!("disk {at} does not exist")),
                Some(DiskInfo { length, .. }) if length > *to => {
                    Probe::Conflict(format!("it has {length} bytes already, more than {to}"))
                }
                Some(info) if info.length == *to && info.fs_length == *to => Probe::Present,
                Some(_) => Probe::Absent,
            },
            DiskStep::Check { at, fs, how, .. } => match self.disk_info(at) {
                Ok(Some(info)) if is_in_order(&info, *fs, *how) => Probe::Present,
                _ => Probe::Absent,
            },
            _ => Probe::Absent,
        })
    }

    /// The disk in a file that is fit for being attached: a regular one of the superuser's, reached without a link,
    /// with a whole file system of this type, and attached nowhere.
    fn sound_disk(&self, at: &Utf8Path, fs: DiskFs) -> Result<Disk> {
        let (_, disk) = self.disk_file(at)?;
        if disk.is_attached() {
            return Err(in_use(at));
        }
        self.whole(at, fs, &disk)?;
        if !disk.clean {
            return Err(refuse(ErrorKind::BadData, format!("cannot use disk {at}"), "it is not clean"));
        }
        Ok(disk)
    }

    fn whole(&self, at: &Utf8Path, fs: DiskFs, disk: &Disk) -> Result<()> {
        let bad = |why: String| Err(refuse(ErrorKind::BadData, format!("cannot use disk {at}"), &why));
        match disk.fs {
            Some(is) if is == fs => {}
            Some(is) => return bad(format!("it holds {is}, not {fs}")),
            None => return bad(format!("it holds no {fs}")),
        }
        if disk.length < disk.fs_length {
            return bad(format!("it has {} bytes, and its file system {}", disk.length, disk.fs_length));
        }
        if self.filesystems.contains(fs.name()) {
            return Ok(());
        }
        Err(refuse(ErrorKind::Unavailable, format!("cannot use disk {at}"), &format!("no {fs} here")))
    }

    fn disk_file(&self, at: &Utf8Path) -> Result<(Found, Disk)> {
        let found = self.tree.strictly(at)?;
        let Some(inode) = self.tree.get(&found) else {
            return Err(refuse(ErrorKind::NotFound, format!("cannot open {at}"), MISSING));
        };
        let Some(disk) = disk_in(inode) else {
            let name = at.file_name().unwrap_or("/");
            let why = format!("{name} is {}, not a file", inode.words());
            return Err(refuse(ErrorKind::Exists, format!("cannot use {at}"), &why));
        };
        if inode.uid != 0 || inode.mode & 0o022 != 0 {
            let why = "others than the superuser can write it";
            return Err(refuse(ErrorKind::Permission, format!("cannot use disk {at}"), why));
        }
        Ok((found, disk))
    }

    pub(crate) fn disk_info(&self, at: &Utf8Path) -> Result<Option<DiskInfo>> {
        match self.disk_file(at) {
            Ok((_, disk)) => {
                let device = if self.on_linux() { "loop" } else { "md" };
                Ok(Some(disk.info(&self.tree.volumes, device)))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn put_disk(&mut self, found: &Found, disk: Disk) -> Result<()> {
        self.tree.put(found, Inode::new(Body::Disk(Box::new(disk)), 0o600))
    }

    fn template_disk(
        &mut self,
        at: &Utf8Path,
        fs: DiskFs,
        tree: &Utf8Path,
        dirs: &[Utf8PathBuf],
        links: &[(Utf8PathBuf, Utf8PathBuf)],
    ) -> Result<()> {
        if self.tree.look(&Place::host(at))?.is_some() {
            return Ok(());
        }
        let source = self.tree.host(tree, true)?;
        if self.tree.get(&source).is_none() {
            return Err(refuse(ErrorKind::NotFound, format!("cannot open {tree}"), MISSING));
        }
        let mut files = self.tree.subtree(&source);
        let dirs = dirs.iter().map(|path| (path.clone(), Inode::directory(0o755)));
        files.extend(dirs.chain(links.iter().map(|(path, to)| (path.clone(), Inode::link(to.clone())))));
        let parent = at.parent().unwrap_or(at);
        if self.tree.look(&Place::host(parent))?.is_none() {
            self.plant(parent, Inode::directory(0o755));
        }
        self.new_disk(at, Disk::new(fs, None, files))
    }

    fn new_disk(&mut self, at: &Utf8Path, disk: Disk) -> Result<()> {
        let found = self.free(&Place::host(at))?;
        let full = |why| Err(refuse(ErrorKind::Io, format!("cannot make disk {at}"), why));
        if disk.held() > disk.fs_length {
            let what = format!("what is inside does not fit on disk {at}");
            return Err(refuse(ErrorKind::Usage, what, ""));
        }
        if self.tree.volumes.limit(0).is_some() && disk.allocated(&self.tree.volumes) > self.host_free() {
            return full("no space left on device");
        }
        self.put_disk(&found, disk)
    }

    fn host_free(&self) -> u64 {
        let volumes = &self.tree.volumes;
        volumes.limit(0).unwrap_or(HOST_SPACE).saturating_sub(volumes.used(0))
    }

    fn grow_disk(
        &mut self,
        at: &Utf8Path,
        fs: DiskFs,
        to: u64,
        reserve: bool,
        mounted: Option<&Place>,
    ) -> Result<()> {
        let (found, mut disk) = self.disk_file(at)?;
        if disk.elsewhere || (disk.volume.is_some() && mounted.is_none()) {
            return Err(in_use(at));
        }
        self.whole(at, fs, &disk)?;
        if to < disk.length {
            let what = format!("cannot grow disk {at} to {to} bytes");
            return Err(refuse(ErrorKind::Usage, what, &format!("it has {}", disk.length)));
        }
        if reserve && to - disk.length > self.host_free() {
            let what = format!("cannot grow disk {at}");
            return Err(refuse(ErrorKind::Io, what, "no space left on device"));
        }
        (disk.length, disk.fs_length, disk.reserved) = (to, to, reserve);
        if let Some(volume) = disk.volume {
            self.tree.volumes.set_limit(volume, disk.limit());
        }
        self.put_disk(&found, disk)
    }

    fn check_disk(&mut self, at: &Utf8Path, fs: DiskFs, how: DiskCheck, log: &Utf8Path) -> Result<()> {
        let (found, mut disk) = self.disk_file(at)?;
        if disk.is_attached() {
            return Err(in_use(at));
        }
        self.whole(at, fs, &disk)?;
        let bad = |why| {
            let error = refuse(ErrorKind::BadData, format!("disk {at} is not in order"), why);
            Err(error.hint(format!("look into {log}, and repair it by hand")))
        };
        let said = match (disk.clean, disk.damaged, how) {
            (_, true, DiskCheck::Repair) => "damaged; repaired",
            (_, true, _) => return bad("it is damaged"),
            (true, _, _) => "clean",
            (false, _, DiskCheck::Refuse) => return bad("it was not unmounted in order"),
            (false, _, _) => "not unmounted in order; repaired",
        };
        self.note(log, &format!("{at}: {said}\n"));
        (disk.clean, disk.damaged) = (true, false);
        self.put_disk(&found, disk)
    }

    fn note(&mut self, log: &Utf8Path, line: &str) {
        let found = self.tree.host(log, true).ok();
        let before = match found.and_then(|found| self.tree.get(&found)).map(|inode| &inode.body) {
            Some(Body::File(content)) => content.clone(),
            _ => vec![],
        };
        self.plant(log, Inode::file([&before, line.as_bytes()].concat(), 0o640));
    }

    /// As with every file, one that is open goes when nobody has it open any more.
    fn remove_disk(&mut self, at: &Utf8Path) -> Result<()> {
        let Some((found, inode)) = self.tree.find(&Place::host(at))? else { return Ok(()) };
        if disk_in(&inode).is_some() {
            return self.tree.remove(&found);
        }
        let why = format!("it is {}", inode.words());
        Err(refuse(ErrorKind::Exists, format!("cannot remove {at}"), &why))
    }

    /// Attaches a disk: its files are in a volume of their own from now on.
    pub(crate) fn attach_disk(&mut self, file: &Utf8Path, fs: DiskFs) -> Result<View> {
        let (found, mut disk) = self.disk_file(file)?;
        if disk.is_attached() {
            return Err(in_use(file));
        }
        self.whole(file, fs, &disk)?;
        let top = self.tree.new_volume(0o755);
        let limit = disk.limit();
        self.tree.volumes.fill(&top, std::mem::take(&mut disk.files));
        self.tree.volumes.set_limit(top.volume, limit);
        (disk.volume, disk.clean) = (Some(top.volume), false);
        self.put_disk(&found, disk)?;
        Ok(View::of(vec![top]))
    }

    /// Detaches the disks that no mount shows any more, in order or not.
    pub(crate) fn detach_disks(&mut self, in_order: bool) {
        let mounts = &self.tree.mounts;
        let shown = |volume| mounts.iter().any(|m| m.view.layers.iter().any(|at| at.volume == volume));
        let left: Vec<u32> =
            self.tree.volumes.disks().filter_map(|disk| disk.volume).filter(|&v| !shown(v)).collect();
        for volume in left {
            let files = self.tree.volumes.empty(volume);
            for disk in self.tree.volumes.disks_mut().filter(|disk| disk.volume == Some(volume)) {
                disk.files.clone_from(&files);
                (disk.volume, disk.clean) = (None, in_order);
            }
        }
    }

    /// A copy of a file as cp(1) makes it: of a disk that is mounted, what is in it now.
    pub(crate) fn copy_of(&self, mut inode: Inode) -> Inode {
        inode.project = 0;
        if let Body::Disk(disk) = &mut inode.body {
            disk.elsewhere = false;
            if let Some(volume) = disk.volume.take() {
                disk.files = self.tree.volumes.files(volume);
            }
        }
        inode
    }

    pub(crate) fn spoil(&mut self, at: &Utf8Path, flaw: Flaw) -> Result<()> {
        let (found, disk) = self.disk_file(at)?;
        self.put_disk(&found, disk.with_flaw(flaw))
    }

    pub(crate) fn space(&self, at: &Place) -> Result<Space> {
        let found = self.tree.place_followed(at)?;
        if self.tree.get(&found).is_none() {
            let what = format!("cannot look at {at}");
            return Err(refuse(ErrorKind::NotFound, what, MISSING));
        }
        let mount = self.tree.mount(found.mount);
        let volume = mount.view.layers.first().map_or(0, |top| top.volume);
        let volumes = &self.tree.volumes;
        let total = volumes.limit(volume).unwrap_or(HOST_SPACE);
        let free = total.saturating_sub(volumes.used(volume));
        Ok(Space { fs: mount.line.fs.clone(), total, free, files: 0, files_free: 0 })
    }
}

fn is_in_order(info: &DiskInfo, fs: DiskFs, how: DiskCheck) -> bool {
    let clean = info.clean && info.fs == Some(fs) && info.fs_length <= info.length;
    !info.attached.is_empty() || (!matches!(how, DiskCheck::Full | DiskCheck::Repair) && clean)
}

fn disk_in(inode: &Inode) -> Option<Disk> {
    match &inode.body {
        Body::Disk(disk) => Some((**disk).clone()),
        Body::File(content) => {
            let blank = Disk::new(DiskFs::Ext4, Some(content.len() as u64), vec![]);
            Some(blank.with_flaw(Flaw::Foreign))
        }
        _ => None,
    }
}

fn require_length(size: u64, least: u64) -> Result<()> {
    if size >= least && size.is_multiple_of(4096) {
        return Ok(());
    }
    let why = format!("it needs {} at least", size_text(least));
    Err(refuse(ErrorKind::Usage, format!("{size} bytes cannot be the length of a disk"), &why))
}

fn in_use(at: &Utf8Path) -> qchroot_api::Error {
    refuse(ErrorKind::Busy, format!("disk {at} is attached already"), "")
}
