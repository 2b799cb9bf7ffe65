//! Mounts by nmount(2), the mount table by getfsstat(2), unmounting by the number of the file system. It does not know
//! what a container is.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use camino::{Utf8Path, Utf8PathBuf};
use nix::libc;
use nix::mount::{MntFlags, unmount};
use qchroot_api::{Command, Error, ErrorKind, Mount, MountFs, Mounted, Place, Result};
use rustix::fd::{AsFd, AsRawFd, OwnedFd};
use rustix::io::Errno;

use super::nmount::{self, Call, Refusal};
use super::{disk, jails, overlap, sysctl};
use crate::attributes::identity;
use crate::errors::OrError;
use crate::{beneath, command, errors, fstat};

/// The kernel's mount table in the order of mounting, getfsstat(2). It fills what room there is: a table that leaves
/// none was perhaps longer.
pub(crate) fn table() -> Result<Vec<Mounted>> {
    let mut entries: Vec<libc::statfs> = vec![];
    for room in (6..).map(|power| 1_usize << power) {
        entries.reserve_exact(room);
        let size = libc::c_long::try_from(room * size_of::<libc::statfs>()).unwrap_or(libc::c_long::MAX);
        // SAFETY: the kernel fills at most `size` bytes of the buffer, which has that many.
        let filled = unsafe { libc::getfsstat(entries.as_mut_ptr(), size, libc::MNT_NOWAIT) };
        let filled = usize::try_from(filled)
            .map_err(|_| super::last_error())
            .or_error(|| "cannot read the mount table".to_owned())?;
        if filled < room {
            // SAFETY: the kernel filled that many entries.
            unsafe { entries.set_len(filled) };
            break;
        }
    }
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

/// The mount that what is open at a place is the root of, if it is one: then the directory that has its name is on
/// another mount. The kernel's table cannot tell, since its names stay as they were when a directory above is renamed.
pub(crate) fn on(at: &Place, file: &OwnedFd) -> Result<Option<Mounted>> {
    if at.lexical() != "/" && id(&beneath::parent(at)?.dir)? == id(file)? {
        return Ok(None);
    }
    Ok(Some(mounted(&statfs_of(file)?)))
}

/// Something that differs between any two mounts. The number of statfs(2) is zero for anybody but the superuser; that of
/// the device differs too, as nullfs(5) and the kernel's own file systems have one for each mount.
pub(crate) fn id(file: impl AsFd) -> Result<u64> {
    match fsid(&statfs_of(&file)?) {
        [0, 0] => Ok(identity(&rustix::fs::fstat(file).or_error(|| "cannot look at a mount".into())?).0),
        fsid => Ok(u64::from(fsid[0].cast_unsigned()) << 32 | u64::from(fsid[1].cast_unsigned())),
    }
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
    let mut flags = MntFlags::empty();
    flags.set(MntFlags::MNT_RDONLY, mount.read_only);
    flags.set(MntFlags::MNT_NOSUID, mount.nosuid);
    flags.set(MntFlags::MNT_NOEXEC, mount.noexec);
    let (dir, name) = match &mount.fs {
        MountFs::File { source } => {
            overlap::refuse_same(source, target)?;
            let spot = beneath::parent(&mount.at)?;
            (spot.dir, format!("./{}", spot.name))
        }
        MountFs::Null { source } => {
            overlap::refuse(source, target)?;
            (copy_of(target)?, ".".to_owned())
        }
        _ => (copy_of(target)?, ".".to_owned()),
    };
    let call = Call { fs: type_name(&mount.fs), at: &name, options, flags };
    nmount::run(&call, &dir).map_err(|refusal| refused(mount, refusal))
}

fn copy_of(file: &OwnedFd) -> Result<OwnedFd> {
    file.try_clone().or_error(|| "cannot copy a descriptor".into())
}

fn refused(mount: &Mount, why: Refusal) -> Error {
    let message = format!("cannot mount {mount}");
    let (number, words) = match why {
        Refusal::Kernel(number, words) => (number, words),
        Refusal::Child(error) => return error.while_doing(message),
    };
    let error = errors::from_io(&std::io::Error::from_raw_os_error(number), message);
    let error = if words.is_empty() { error } else { error.cause(words) };
    match (&mount.fs, number) {
        (fs, libc::ENODEV) => absent(error, type_name(fs)),
        (MountFs::Null { .. }, libc::EDEADLK) => error
            .of_kind(ErrorKind::Exists)
            .cause("the target shows the source already")
            .hint("unmount what covers the target first"),
        (MountFs::File { .. }, libc::ENOTDIR) => {
            error.of_kind(ErrorKind::Unavailable).hint("a single file can be shown by FreeBSD 14.0 and later")
        }
        _ => error,
    }
}

/// The kernel loads the module of a file system itself, but not at a securelevel above 0; see security(7).
fn absent(error: Error, module: &str) -> Error {
    error.cause(format!("this kernel has no {module}")).hint(format!(
        "load it with `kldload {module}`; at a securelevel above 0 only {module}_load=\"YES\" in /boot/loader.conf \
         and a reboot can"
    ))
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

/// Whether nothing is left of a mount that is gone: no device of a disk.
pub(crate) fn is_clear(mount: &Mount) -> Result<bool> {
    match &mount.fs {
        MountFs::Disk { file, .. } => Ok(!disk::is_left(file)?),
        _ => Ok(true),
    }
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
    Ok(fstat::pids(&output.stdout).is_empty())
}

/// Processes that keep the mount in use, as `PID (COMMAND)`, from fstat(1); for a message only.
pub(crate) fn holders(at: &Place) -> Vec<String> {
    let lexical = at.lexical();
    let command = Command::new(["fstat", "-m", "-f", lexical.as_str()]);
    let Ok(output) = command::run(&command, &mut crate::running::Nobody) else { return vec![] };
    let mut holders = fstat::holders(&output.stdout);
    holders.truncate(5);
    holders
}
