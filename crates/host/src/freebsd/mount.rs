//! Mounts by nmount(2). Its target is a path, so the mount is made on the working directory, which a
//! descriptor chose. It does not know what a container is.

use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::sync::{Mutex, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};
use nix::libc;
use nix::mount::{MntFlags, Nmount, unmount};
use qchroot_api::{Command, Error, ErrorKind, Mount, MountFs, Mounted, Place, Result};
use rustix::fd::{AsFd, AsRawFd, OwnedFd};
use rustix::fs::{fstat, stat};
use rustix::io::Errno;
use rustix::process::fchdir;

use super::{disk, jails, sysctl};
use crate::errors::OrError;
use crate::{beneath, command};

/// The working directory belongs to the whole process.
static DIRECTORY: Mutex<()> = Mutex::new(());

/// The kernel's mount table in the order of mounting, getfsstat(2).
pub(crate) fn table() -> Result<Vec<Mounted>> {
    let message = || "cannot read the mount table".to_owned();
    // SAFETY: a null buffer asks for the number of entries only.
    let count = unsafe { libc::getfsstat(std::ptr::null_mut(), 0, libc::MNT_NOWAIT) };
    let room = usize::try_from(count).map_err(|_| super::last_error()).or_error(message)? + 16;
    let mut entries: Vec<libc::statfs> = Vec::with_capacity(room);
    let size = libc::c_long::try_from(room * size_of::<libc::statfs>()).unwrap_or(libc::c_long::MAX);
    // SAFETY: the kernel fills at most `size` bytes of the buffer, which has that many.
    let filled = unsafe { libc::getfsstat(entries.as_mut_ptr(), size, libc::MNT_NOWAIT) };
    let filled = usize::try_from(filled).map_err(|_| super::last_error()).or_error(message)?;
    // SAFETY: the kernel filled that many entries.
    unsafe { entries.set_len(filled.min(room)) };
    Ok(entries.iter().map(mounted).collect())
}

fn mounted(entry: &libc::statfs) -> Mounted {
    Mounted {
        at: text(&entry.f_mntonname).into(),
        fs: text(&entry.f_fstypename),
        source: text(&entry.f_mntfromname),
        read_only: entry.f_flags & libc::MNT_RDONLY as u64 != 0,
    }
}

fn text(field: &[c_char]) -> String {
    let bytes: Vec<u8> = field.iter().map(|&c| c as u8).take_while(|&byte| byte != 0).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn statfs_of(file: impl AsFd) -> Result<libc::statfs> {
    let mut entry = MaybeUninit::uninit();
    // SAFETY: fstatfs(2) fills the structure or fails.
    let status = unsafe { libc::fstatfs(file.as_fd().as_raw_fd(), entry.as_mut_ptr()) };
    if status != 0 {
        return Err::<_, Errno>(super::last_error()).or_error(|| "cannot look at a mount".into());
    }
    // SAFETY: the call succeeded, so the structure is filled.
    Ok(unsafe { entry.assume_init() })
}

/// The mount that the open directory is the root of, if it is one.
pub(crate) fn on(_at: &Place, dir: &OwnedFd) -> Result<Option<Mounted>> {
    let found = mounted(&statfs_of(dir)?);
    let here = fstat(dir).or_error(|| "cannot look at a mount".into())?;
    let is_root =
        stat(found.at.as_str()).is_ok_and(|top| (top.st_dev, top.st_ino) == (here.st_dev, here.st_ino));
    Ok(is_root.then_some(found))
}

/// Something that differs between any two mounts.
pub(crate) fn id(file: impl AsFd) -> Result<u64> {
    let fsid = fsid(&statfs_of(file)?);
    Ok(u64::from(fsid[0].cast_unsigned()) << 32 | u64::from(fsid[1].cast_unsigned()))
}

fn fsid(entry: &libc::statfs) -> [i32; 2] {
    // SAFETY: `fsid_t` is two 32-bit numbers and nothing else; see sys/_types.h. libc keeps them private.
    unsafe { std::mem::transmute::<libc::fsid_t, [i32; 2]>(entry.f_fsid) }
}

/// The kernel's name of the type of the file system that an open file is on.
pub(crate) fn fs_of(_at: &Place, file: &OwnedFd) -> Result<String> {
    Ok(mounted(&statfs_of(file)?).fs)
}

/// Whether a mount is the directory `source` seen a second time.
pub(crate) fn shows(source: &Utf8Path, found: &Mounted, _target: &OwnedFd) -> Result<bool> {
    let real = source.canonicalize_utf8().unwrap_or_else(|_| source.to_owned());
    Ok(found.fs == "nullfs" && found.source == real)
}

/// The kernel's name of a file system type.
pub(crate) fn type_name(fs: &MountFs) -> &str {
    match fs {
        MountFs::Proc => "procfs",
        other => other.name(),
    }
}

/// There are no sandboxes on FreeBSD.
#[expect(clippy::unnecessary_wraps, reason = "on Linux it can fail")]
pub(crate) fn ends_with_sandbox(_at: &Place) -> Result<bool> {
    Ok(false)
}

/// Makes the mount on the directory `target`.
pub(crate) fn attach(mount: &Mount, target: &OwnedFd) -> Result<()> {
    if let MountFs::Disk { file, fs } = &mount.fs {
        let device = disk::shown(file, *fs, mount.read_only)?;
        place_disk(mount, target, &device)?;
        device.keep();
        return Ok(());
    }
    place(mount, target, &options(&mount.fs)?)
}

/// Mounts a disk's device on the directory `target`.
pub(super) fn place_disk(mount: &Mount, target: &OwnedFd, device: &disk::Device) -> Result<()> {
    place(mount, target, &[("from", device.path().to_string())])
        .map_err(|error| error.hint(crate::disk::content::MEND))
}

fn place(mount: &Mount, target: &OwnedFd, options: &[(&str, String)]) -> Result<()> {
    let _guard = DIRECTORY.lock().unwrap_or_else(PoisonError::into_inner);
    let before = beneath::open_root(Utf8Path::new("."))?;
    let (dir, name) = match &mount.fs {
        MountFs::File { .. } => {
            let spot = beneath::parent(&mount.at)?;
            (spot.dir, format!("./{}", spot.name))
        }
        _ => (target.try_clone().or_error(|| "cannot copy a descriptor".into())?, ".".to_owned()),
    };
    fchdir(dir).or_error(|| format!("cannot enter {}", mount.at))?;
    let result = refuse_inside(&mount.fs).and_then(|()| mount_here(mount, &name, options));
    fchdir(before).or_error(|| "cannot go back to the working directory".into())?;
    result
}

/// A nullfs on itself panics the kernel, and one inside its own source is as bad.
fn refuse_inside(fs: &MountFs) -> Result<()> {
    let MountFs::Null { source } = fs else { return Ok(()) };
    let source = source.canonicalize_utf8().or_error(|| format!("cannot open {source}"))?;
    let here = std::env::current_dir().or_error(|| "cannot name the target".into())?;
    if !here.starts_with(&source) {
        return Ok(());
    }
    let message = format!("cannot mount {source} on {}: the target lies inside the source", here.display());
    Err(Error::new(ErrorKind::Config, message))
}

fn mount_here(mount: &Mount, name: &str, options: &[(&str, String)]) -> Result<()> {
    let mut flags = MntFlags::empty();
    flags.set(MntFlags::MNT_RDONLY, mount.read_only);
    flags.set(MntFlags::MNT_NOSUID, mount.nosuid);
    flags.set(MntFlags::MNT_NOEXEC, mount.noexec);
    let mut call = Nmount::new();
    call.str_opt_owned("fstype", type_name(&mount.fs)).str_opt_owned("fspath", name);
    for (key, value) in options {
        call.str_opt_owned(*key, value.as_str());
    }
    call.nmount(flags).map_err(|error| {
        let words = error.errmsg().map(str::to_owned);
        let built = Error::from_io(&std::io::Error::from(error), format!("cannot mount {mount}"));
        let built = match words {
            Some(words) if !words.is_empty() => built.cause(words),
            _ => built,
        };
        match &mount.fs {
            MountFs::File { .. } => built.hint("a single file can be shown by FreeBSD 14.0 and later"),
            _ => built,
        }
    })
}

fn options(fs: &MountFs) -> Result<Vec<(&'static str, String)>> {
    Ok(match fs {
        MountFs::Null { source } | MountFs::File { source } => {
            let real: Utf8PathBuf =
                source.canonicalize_utf8().or_error(|| format!("cannot open {source}"))?;
            vec![("from", real.clone().into()), ("target", real.into())]
        }
        MountFs::Dev { ruleset } => {
            refuse_missing(*ruleset)?;
            vec![("from", "devfs".into()), ("ruleset", ruleset.to_string())]
        }
        MountFs::Proc | MountFs::LinuxProc | MountFs::LinuxSys | MountFs::Fdesc { links: false } => {
            vec![("from", type_name(fs).into())]
        }
        MountFs::Fdesc { links: true } => vec![("from", "fdescfs".into()), ("linrdlnk", String::new())],
        MountFs::Tmp { size, mode } => {
            vec![("from", "tmpfs".into()), ("size", size.to_string()), ("mode", format!("{mode:o}"))]
        }
        MountFs::Zfs { dataset } => vec![("from", dataset.clone())],
        other => {
            let message = format!("file system {} cannot be mounted: it is Linux's", other.name());
            return Err(Error::new(ErrorKind::Unavailable, message).hint("use --storage nullfs"));
        }
    })
}

/// With a rule set that is not loaded devfs shows every device without a word; see devfs(8). In a jail the rule sets
/// cannot be asked for, and need not be: the kernel mounts devfs with the jail's own there, or not at all.
fn refuse_missing(ruleset: u32) -> Result<()> {
    if sysctl::bytes("security.jail.jailed").is_ok_and(|value| value.first() == Some(&1)) {
        return Ok(());
    }
    let output = command::run_well(&Command::new(["devfs", "rule", "showsets"]))?;
    if output.stdout.lines().any(|line| line.trim() == ruleset.to_string()) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Unavailable, format!("devfs rule set {ruleset} is not loaded"))
        .hint("run `service devfs start`, or add the rule set to /etc/devfs.rules"))
}

/// Whether a mount comes from the device that shows this file.
pub(crate) fn shows_disk(file: &Utf8Path, found: &Mounted) -> Result<bool> {
    disk::shows(file, &found.source)
}

/// Clears away what a mount leaves when nothing is mounted at its place any more: the device of a disk.
pub(crate) fn clear(mount: &Mount) -> Result<()> {
    match &mount.fs {
        MountFs::Disk { file, .. } => disk::release(file),
        _ => Ok(()),
    }
}

/// Unmounts what is on top at a place by its number; what is not mounted is fine.
pub(crate) fn detach(mount: &Mount, _end: std::time::Duration) -> Result<()> {
    let at = &mount.at;
    let number = {
        let dir = beneath::open_file_or_dir(at)?;
        if on(at, &dir)?.is_none() {
            return Ok(());
        }
        fsid(&statfs_of(&dir)?)
    };
    let name = format!("FSID:{}:{}", number[0], number[1]);
    let by_number = MntFlags::from_bits_retain(libc::MNT_BYFSID);
    let done = match unmount(name.as_str(), by_number) {
        Err(nix::Error::EBUSY) if is_held_by_nobody(at)? => {
            unmount(name.as_str(), by_number | MntFlags::MNT_FORCE)
        }
        done => done,
    };
    match done {
        Ok(()) | Err(nix::Error::ENOENT | nix::Error::EINVAL) => Ok(()),
        Err(error) => Err(std::io::Error::from(error)).or_error(|| format!("cannot unmount {at}")),
    }
}

/// Whether all that keeps a mount in use is a jail that is gone but for the connections that TCP still remembers: for
/// as long it keeps its root.
fn is_held_by_nobody(at: &Place) -> Result<bool> {
    let lexical = at.lexical();
    let is_jails = jails::dying().iter().any(|root| root.starts_with(&lexical) || lexical.starts_with(root));
    if !is_jails || table()?.iter().any(|other| other.at != lexical && other.at.starts_with(&lexical)) {
        return Ok(false);
    }
    let output = command::run_well(&Command::new(["fstat", "-m", "-f", lexical.as_str()]))?;
    Ok(output.stdout.lines().skip(1).all(|line| line.trim().is_empty()))
}

/// Processes that keep the mount in use, as `PID (COMMAND)`, from fstat(1); for a message only.
pub(crate) fn holders(at: &Place) -> Vec<String> {
    let lexical = at.lexical();
    let command = Command::new(["fstat", "-f", lexical.as_str()]);
    let Ok(output) = command::run(&command, &mut crate::running::Nobody) else { return vec![] };
    let mut holders: Vec<String> = output.stdout.lines().skip(1).filter_map(holder).collect();
    holders.dedup();
    holders.truncate(5);
    holders
}

/// `USER CMD PID …`
fn holder(line: &str) -> Option<String> {
    let mut fields = line.split_whitespace().skip(1);
    let (command, pid) = (fields.next()?, fields.next()?);
    Some(format!("{pid} ({command})"))
}
