//! Files shown as block devices, loop(4): attaching one, which device shows which file, waiting until none does. A
//! device is free again with its last user, whatever way that ends. It does not know what is in a file.

use std::fs::{self, File};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Error, ErrorKind, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, AsRawFd};
use rustix::fs::fstat;
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::io::Errno;

use crate::clock;
use crate::errors::OrError;

/// How often another free loop device is asked for when somebody else was faster.
const TRIES: u32 = 64;

/// `LO_FLAGS_*` of linux/loop.h.
const READ_ONLY: u32 = 1;
const AUTOCLEAR: u32 = 4;
const DIRECT_IO: u32 = 16;

/// `struct loop_info64` of linux/loop.h; what is zero says the kernel's default.
#[repr(C)]
#[derive(Clone, Copy)]
struct LoopInfo {
    device: u64,
    inode: u64,
    /// Number of the device shown, offset and size limit.
    numbers: [u64; 3],
    /// Own number and two for encryption.
    more_numbers: [u32; 3],
    flags: u32,
    /// Two names of 64 bytes, a key of 32 and two numbers of 8.
    names: [u8; 176],
}

/// `struct loop_config` of linux/loop.h.
#[repr(C)]
struct LoopConfig {
    fd: u32,
    block_size: u32,
    info: LoopInfo,
    reserved: [u64; 8],
}

const _: () = assert!(size_of::<LoopInfo>() == 232 && size_of::<LoopConfig>() == 304, "linux/loop.h");

/// How a device for a mount that is seen is known again; the device's `lo_file_name`.
const SEEN: &[u8] = b"qchroot mount";

const NO_INFO: LoopInfo =
    LoopInfo { device: 0, inode: 0, numbers: [0; 3], more_numbers: [0; 3], flags: 0, names: [0; 176] };

nix::ioctl_none_bad!(loop_ctl_get_free, 0x4C82);
nix::ioctl_write_ptr_bad!(loop_configure, 0x4C0A, LoopConfig);
nix::ioctl_none_bad!(loop_set_capacity, 0x4C07);
nix::ioctl_read_bad!(loop_get_status64, 0x4C05, LoopInfo);

/// How a file is shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    /// No writes.
    pub(super) read_only: bool,
    /// Bytes of a sector, a power of two from 512 to 4096; 0 means 512.
    pub(super) sector: u32,
    /// Pass by the host's page cache where the file system of the file can; there is no error where it cannot.
    pub(super) direct: bool,
    /// It is for a mount that is seen, of which other mount namespaces can come to have copies.
    pub(super) seen: bool,
}

/// A loop device that shows a file for as long as this, or a mount of it, lives.
#[derive(Debug)]
pub(super) struct Loop {
    number: u32,
    device: File,
}

impl Loop {
    /// The device's name.
    pub(super) fn name(&self) -> String {
        name(self.number)
    }

    /// The device's node.
    pub(super) fn path(&self) -> Utf8PathBuf {
        node(self.number)
    }

    /// The open device.
    pub(super) fn device(&self) -> &File {
        &self.device
    }

    /// Its number, to wait for its end.
    pub(super) fn number(&self) -> u32 {
        self.number
    }
}

/// The name of a device.
pub(super) fn name(number: u32) -> String {
    format!("loop{number}")
}

fn node(number: u32) -> Utf8PathBuf {
    format!("/dev/{}", name(number)).into()
}

/// Puts an open file behind a free loop device.
///
/// # Errors
/// `Unavailable` where there is none, `Busy` where others are always faster.
pub(super) fn attach(file: &File, shape: Shape) -> Result<Loop> {
    let control = File::open("/dev/loop-control").map_err(|error| none_to_be_had(&error))?;
    for _ in 0..TRIES {
        // SAFETY: LOOP_CTL_GET_FREE takes no argument and touches no memory of ours.
        let number = unsafe { loop_ctl_get_free(control.as_raw_fd()) }
            .map_err(|error| none_to_be_had(&error.into()))?;
        let number = number.cast_unsigned();
        let device = File::options().read(true).write(!shape.read_only).open(node(number));
        let device = device.map_err(|error| none_to_be_had(&error))?;
        let config = configuration(file, shape);
        // SAFETY: LOOP_CONFIGURE reads one `struct loop_config`, which lives until it returns.
        match unsafe { loop_configure(device.as_raw_fd(), &raw const config) } {
            Ok(_) => return Ok(Loop { number, device }),
            Err(nix::Error::EBUSY) => {}
            Err(error) => return Err(none_to_be_had(&error.into())),
        }
    }
    Err(Error::new(ErrorKind::Busy, "other programs take every free loop device"))
}

fn configuration(file: &File, shape: Shape) -> LoopConfig {
    let read_only = if shape.read_only { READ_ONLY } else { 0 };
    let direct = if shape.direct { DIRECT_IO } else { 0 };
    let mut info = LoopInfo { flags: AUTOCLEAR | read_only | direct, ..NO_INFO };
    if shape.seen {
        info.names[..SEEN.len()].copy_from_slice(SEEN);
    }
    LoopConfig { fd: file.as_raw_fd().cast_unsigned(), block_size: shape.sector, info, reserved: [0; 8] }
}

/// The device that was made for a mount of this file that is seen, and lives on because something still has a copy of
/// that mount. None where another device shows the file, too.
pub(super) fn left_by_mount(file: impl AsFd) -> Result<Option<Loop>> {
    let [number] = showing(&file)?[..] else { return Ok(None) };
    let device = File::options().read(true).write(true).open(node(number));
    let device = device.or_error(|| format!("cannot open {}", node(number)))?;
    // Open, it cannot be freed and given another file any more.
    let stat = fstat(file).or_error(|| "cannot look at a file".into())?;
    let is_left = status(&device).is_some_and(|info| {
        (info.device, info.inode) == (stat.st_dev, stat.st_ino) && info.names.starts_with(SEEN)
    });
    Ok(is_left.then_some(Loop { number, device }))
}

fn none_to_be_had(error: &std::io::Error) -> Error {
    let hint = match error.kind() {
        std::io::ErrorKind::NotFound => "load the kernel's module: `modprobe loop`",
        std::io::ErrorKind::PermissionDenied => "this machine's administrator has to allow loop devices here",
        _ => "see with `losetup -l` which are in use, and free one or raise the module's `max_loop`",
    };
    Error::from_io(error, "no loop device to be had").of_kind(ErrorKind::Unavailable).hint(hint)
}

/// The devices that show a file, whatever path it was attached by.
pub(super) fn showing(file: impl AsFd) -> Result<Vec<u32>> {
    let stat = fstat(file).or_error(|| "cannot look at a file".into())?;
    let shows = |&number: &u32| file_of(number) == Some((stat.st_dev, stat.st_ino));
    Ok(in_use()?.into_iter().filter(shows).collect())
}

/// The numbers of the devices that show something.
fn in_use() -> Result<Vec<u32>> {
    let entries = fs::read_dir("/sys/block").or_error(|| "cannot read /sys/block".into())?;
    let number = |entry: &fs::DirEntry| entry.file_name().to_str()?.strip_prefix("loop")?.parse().ok();
    let numbers = entries.flatten().filter(|entry| entry.path().join("loop").exists());
    Ok(numbers.filter_map(|entry| number(&entry)).collect())
}

/// Whether a device shows a file.
pub(super) fn shows(number: u32, file: impl AsFd) -> bool {
    fstat(file).is_ok_and(|stat| file_of(number) == Some((stat.st_dev, stat.st_ino)))
}

/// Whether a device shows a file that is, or was when it was removed, in this directory; `backing_file` in sysfs.
pub(super) fn shows_one_of(number: u32, dir: &Utf8Path) -> bool {
    let path = fs::read_to_string(format!("/sys/block/loop{number}/loop/backing_file")).unwrap_or_default();
    let path = path.trim_end_matches('\n');
    Utf8Path::new(path.strip_suffix(" (deleted)").unwrap_or(path)).parent() == Some(dir)
}

/// File system and number of the file that a device shows; `None` when it shows none.
fn file_of(number: u32) -> Option<(u64, u64)> {
    let info = status(&File::open(node(number)).ok()?)?;
    Some((info.device, info.inode))
}

/// What a device says of itself; `None` when it shows no file.
fn status(device: &File) -> Option<LoopInfo> {
    let mut info = NO_INFO;
    // SAFETY: LOOP_GET_STATUS64 fills one `struct loop_info64`, which lives until it returns.
    unsafe { loop_get_status64(device.as_raw_fd(), &raw mut info) }.ok()?;
    Some(info)
}

/// Has a device notice that its file has another length.
pub(super) fn follow_length(number: u32) -> Result<()> {
    let message = || format!("cannot change the size of loop{number}");
    let device = File::open(node(number)).or_error(message)?;
    // SAFETY: LOOP_SET_CAPACITY takes no argument and touches no memory of ours.
    unsafe { loop_set_capacity(device.as_raw_fd()) }.or_error(message).map(drop)
}

/// Returns when the device shows the file no more: the kernel frees it only with its last user, which can be a program
/// that just looks at it. Woken when the kernel closes the file.
///
/// # Errors
/// `Busy` when it still does at `end`, a time of the steady clock.
pub(super) fn wait_until_free(number: u32, file: impl AsFd, end: Duration) -> Result<()> {
    if !shows(number, &file) {
        return Ok(());
    }
    let message = || format!("cannot wait for loop{number}");
    let watch = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).or_error(message)?;
    let path = format!("/proc/self/fd/{}", file.as_fd().as_raw_fd());
    inotify::add_watch(&watch, path, WatchFlags::CLOSE).or_error(message)?;
    while shows(number, &file) {
        let left = end.saturating_sub(clock::steady());
        if left.is_zero() {
            return Err(Error::new(ErrorKind::Busy, format!("loop{number} is still in use"))
                .hint("another mount namespace or program holds it; see `lsblk` and `fuser -vm`"));
        }
        pause(&watch, left).or_error(message)?;
    }
    Ok(())
}

/// Until the watch has something to tell, which is read, or the time is over.
fn pause(watch: impl AsFd, left: Duration) -> Result<(), Errno> {
    let timeout = Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() };
    match poll(&mut [PollFd::new(&watch, PollFlags::IN)], Some(&timeout)) {
        Ok(_) | Err(Errno::INTR) => {}
        Err(error) => return Err(error),
    }
    let mut events = [0_u8; 4096];
    while let Ok(1..) = rustix::io::read(&watch, &mut events) {}
    Ok(())
}
