//! Project quotas of ext4 and xfs: quotactl_fd(2), and the attributes of ioctl_fsgetxattr(2const). It does not know
//! what the directories are.

use std::ffi::{CStr, CString};

use camino::{Utf8Path, Utf8PathBuf};
use nix::errno::Errno;
use nix::libc;
use qchroot_api::{Error, ErrorKind, Place, Quota, QuotaStep, Result};
use qchroot_engine::Probe;
use rustix::fd::{AsRawFd, OwnedFd};
use rustix::fs::{FileType, Mode, OFlags, fstat, fsync, openat};

use crate::beneath::{self, Spot};
use crate::dir;
use crate::errors::OrError;

/// `FS_XFLAG_PROJINHERIT`: what is made in a directory belongs to its project.
const INHERIT: u32 = 0x200;

/// Linux' <linux/quota.h> and <linux/dqblk_xfs.h>: the kind of quota, a question about its state, and the answer's
/// bit for limits that are kept.
const PROJECT: u32 = 2;
const GET_STATE: u32 = 0x5808;
const IS_ENFORCED: u16 = 1 << 5;

/// `FS_IOC_FSGETXATTR` and `FS_IOC_FSSETXATTR` of <linux/fs.h>.
const GET: libc::c_ulong = nix::request_code_read!(b'X', 31, size_of::<Attributes>());
const SET: libc::c_ulong = nix::request_code_write!(b'X', 32, size_of::<Attributes>());

/// `struct fsxattr` of the same.
#[repr(C)]
#[derive(Default)]
struct Attributes {
    flags: u32,
    extent_size: u32,
    extents: u32,
    project: u32,
    cow_extent_size: u32,
    reserved: [u8; 8],
}

/// `struct fs_quota_statv` of <linux/dqblk_xfs.h>; only the flags are looked at.
#[repr(C)]
struct State {
    version: i8,
    pad: u8,
    flags: u16,
    rest: [u64; 24],
}

/// What the file system says of the directory `at`; `None` where it keeps no limits for projects.
pub(crate) fn look(at: &Utf8Path) -> Result<Option<Quota>> {
    let dir = beneath::open_root(at)?;
    if !is_enforced(&dir) {
        return Ok(None);
    }
    let project = attributes(&dir).or_error(|| failed(at))?.project;
    let counted = get(&dir, project).or_error(|| failed(at))?;
    let limit = (counted.dqb_bhardlimit > 0).then_some(counted.dqb_bhardlimit << 10);
    Ok(Some(Quota { project, used: counted.dqb_curspace, limit }))
}

/// Carries out one step.
pub(crate) fn apply(step: &QuotaStep) -> Result<()> {
    match step {
        QuotaStep::Limit { dirs, bytes: Some(bytes), .. } => limit(dirs, *bytes),
        QuotaStep::Limit { dirs, bytes: None, .. } => lift(dirs),
        QuotaStep::Forget { on, project } => {
            set(&beneath::open_root(on)?, *project, 0).or_error(|| failed(on))
        }
        other => Err(Error::new(ErrorKind::Internal, format!("not known here: {other}"))),
    }
}

/// How the machine stands to a step.
pub(crate) fn probe(step: &QuotaStep) -> Result<Probe> {
    let is_done = match step {
        QuotaStep::Limit { dirs, bytes, .. } => match open_all(dirs) {
            Err(error) if error.kind() == ErrorKind::NotFound => bytes.is_none(),
            Err(error) => return Err(error),
            Ok(open) => match (own_project(dirs, &open)?, bytes) {
                (None, bytes) => bytes.is_none(),
                (Some(project), bytes) => {
                    let all = open.iter().all(|dir| attributes(dir).is_ok_and(|has| has.project == project));
                    (all || bytes.is_none()) && limit_of(&open[0], project)? == bytes.unwrap_or(0) >> 10
                }
            },
        },
        QuotaStep::Forget { on, project } => limit_of(&beneath::open_root(on)?, *project)? == 0,
        _ => return Ok(Probe::Unknown),
    };
    Ok(if is_done { Probe::Present } else { Probe::Absent })
}

/// Counts a file or directory under the project of the directory `into`.
pub(crate) fn adopt(spot: &Spot, into: &OwnedFd) -> Result<()> {
    let shown = Utf8Path::new(&spot.name);
    let project = attributes(into).or_error(|| failed(shown))?.project;
    let name = CString::new(spot.name.as_str()).or_error(|| failed(shown))?;
    match beneath::file_type(&spot.dir, &spot.name)? {
        Some(FileType::Directory) => {
            let dir = dir::open(&spot.dir, &name).or_error(|| failed(shown))?;
            count_under(&dir, project, shown, 0)
        }
        Some(FileType::RegularFile) => {
            let file = open_file(&spot.dir, &name).or_error(|| failed(shown))?;
            assign(&file, project, false).or_error(|| failed(shown))
        }
        _ => Ok(()),
    }
}

fn limit(dirs: &[Utf8PathBuf], bytes: u64) -> Result<()> {
    let open = open_all(dirs)?;
    let (Some(first), Some(shown)) = (open.first(), dirs.first()) else { return Ok(()) };
    if !is_enforced(first) {
        return Err(Error::new(
            ErrorKind::Unavailable,
            format!("the file system of {shown} keeps no project quotas"),
        )
        .hint("mount it with prjquota, or use --storage md"));
    }
    let project = match own_project(dirs, &open)? {
        Some(project) => project,
        None => free_project(first).or_error(|| failed(shown))?,
    };
    set(first, project, bytes >> 10).or_error(|| failed(shown))?;
    for (dir, shown) in open.iter().zip(dirs) {
        count_under(dir, project, shown, 0)?;
        fsync(dir).or_error(|| failed(shown))?;
    }
    Ok(())
}

fn lift(dirs: &[Utf8PathBuf]) -> Result<()> {
    let open = match open_all(dirs) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        open => open?,
    };
    match (own_project(dirs, &open)?, dirs.first()) {
        (Some(project), Some(shown)) => set(&open[0], project, 0).or_error(|| failed(shown)),
        _ => Ok(()),
    }
}

fn open_all(dirs: &[Utf8PathBuf]) -> Result<Vec<OwnedFd>> {
    dirs.iter().map(|dir| beneath::open_dir(&Place::host(dir))).collect()
}

/// The project of one of the directories that the directory above does not have.
fn own_project(dirs: &[Utf8PathBuf], open: &[OwnedFd]) -> Result<Option<u32>> {
    let Some(above) = dirs.first().and_then(|dir| dir.parent()) else { return Ok(None) };
    let project = |dir: &OwnedFd| attributes(dir).map_or(0, |attributes| attributes.project);
    let inherited = project(&beneath::open_root(above)?);
    Ok(open.iter().map(project).find(|&own| own != 0 && own != inherited))
}

/// A number that nothing is counted under. It is looked for from the directory's own number on, so that others who look
/// at the same time begin elsewhere.
fn free_project(dir: &OwnedFd) -> Result<u32, Errno> {
    let number = fstat(dir).map_err(|_| Errno::EIO)?.st_ino;
    let first = 0x4000_0000 | (u32::try_from(number & 0x3fff_ffff).unwrap_or(1));
    for project in first..u32::MAX {
        let counted = get(dir, project)?;
        if counted.dqb_curspace == 0 && counted.dqb_curinodes == 0 && counted.dqb_bhardlimit == 0 {
            return Ok(project);
        }
    }
    Err(Errno::ENOSPC)
}

/// Counts a directory under a project, after everything in it. What is no file and no directory cannot be, and takes
/// next to nothing.
fn count_under(at: &OwnedFd, project: u32, shown: &Utf8Path, depth: usize) -> Result<()> {
    for entry in dir::entries(at, shown.as_str())? {
        let shown = shown.join(entry.shown());
        match entry.kind {
            FileType::Directory if depth > dir::DEEPEST => {
                return Err(Error::new(ErrorKind::BadData, format!("{shown} is too deep to be counted")));
            }
            FileType::Directory => {
                let below = dir::open(at, &entry.name).or_error(|| failed(&shown))?;
                count_under(&below, project, &shown, depth + 1)?;
            }
            FileType::RegularFile => {
                let file = open_file(at, &entry.name).or_error(|| failed(&shown))?;
                assign(&file, project, false).or_error(|| failed(&shown))?;
            }
            _ => {}
        }
    }
    assign(at, project, true).or_error(|| failed(shown))
}

fn open_file(dir: &OwnedFd, name: &CStr) -> rustix::io::Result<OwnedFd> {
    openat(dir, name, OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())
}

fn assign(file: &OwnedFd, project: u32, inherit: bool) -> Result<(), Errno> {
    let mut wanted = attributes(file)?;
    wanted.project = project;
    wanted.flags |= if inherit { INHERIT } else { 0 };
    // SAFETY: the request reads one `Attributes`, which lives until it returns.
    Errno::result(unsafe { libc::ioctl(file.as_raw_fd(), SET, &raw const wanted) }).map(drop)
}

fn attributes(file: &OwnedFd) -> Result<Attributes, Errno> {
    let mut found = Attributes::default();
    // SAFETY: the request writes one `Attributes`, which lives until it returns.
    Errno::result(unsafe { libc::ioctl(file.as_raw_fd(), GET, &raw mut found) }).map(|_| found)
}

fn is_enforced(dir: &OwnedFd) -> bool {
    let mut state = State { version: 1, pad: 0, flags: 0, rest: [0; 24] };
    quotactl(dir, GET_STATE, 0, (&raw mut state).cast()).is_ok() && state.flags & IS_ENFORCED != 0
}

fn get(dir: &OwnedFd, project: u32) -> Result<libc::dqblk, Errno> {
    // SAFETY: a plain structure of numbers.
    let mut found: libc::dqblk = unsafe { std::mem::zeroed() };
    match quotactl(dir, libc::Q_GETQUOTA as u32, project, (&raw mut found).cast()) {
        Ok(()) | Err(Errno::ENOENT | Errno::ESRCH) => Ok(found), // nothing is known of it
        Err(error) => Err(error),
    }
}

fn limit_of(dir: &OwnedFd, project: u32) -> Result<u64> {
    get(dir, project)
        .map(|found| found.dqb_bhardlimit)
        .or_error(|| format!("cannot look at project {project}"))
}

/// Limits a project to `blocks` of 1024 bytes; 0 for no limit.
fn set(dir: &OwnedFd, project: u32, blocks: u64) -> Result<(), Errno> {
    // SAFETY: a plain structure of numbers.
    let mut wanted: libc::dqblk = unsafe { std::mem::zeroed() };
    wanted.dqb_bhardlimit = blocks;
    wanted.dqb_valid = libc::QIF_BLIMITS;
    quotactl(dir, libc::Q_SETQUOTA as u32, project, (&raw mut wanted).cast())
}

fn quotactl(dir: &OwnedFd, command: u32, project: u32, data: *mut libc::c_void) -> Result<(), Errno> {
    // SAFETY: `data` points to the structure of the command, which the caller keeps alive.
    let status = unsafe {
        libc::syscall(libc::SYS_quotactl_fd, dir.as_raw_fd(), command << 8 | PROJECT, project, data)
    };
    Errno::result(status).map(drop)
}

fn failed(at: &Utf8Path) -> String {
    format!("cannot limit {at}")
}
