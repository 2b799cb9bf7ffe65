//! Facts about the running system, read as text. Nothing of the system is run to learn them.

use std::fs;

use nix::libc;
use nix::sched::{CloneFlags, unshare};
use qchroot_api::{Brand, Error, ErrorKind, Platform, Result};
use rustix::mount::{MountPropagationFlags, mount_change};

use crate::errors::OrError;

/// Which kernel this is.
pub(crate) const PLATFORM: Platform = Platform::Linux;

/// Changes with every boot; see random(4).
pub(crate) fn boot_id() -> Result<String> {
    let path = "/proc/sys/kernel/random/boot_id";
    Ok(fs::read_to_string(path).or_error(|| format!("cannot read {path}"))?.trim().to_owned())
}

/// Gives the calling thread a mount namespace of its own, which hears nothing from the host's and tells it nothing.
pub(crate) fn own_mounts() -> Result<()> {
    let failed = || "cannot make a mount namespace".to_owned();
    unshare(CloneFlags::CLONE_NEWNS).or_error(failed)?;
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    mount_change("/", private).or_error(failed)
}

/// Lets every other process read and write first: the idle class of ioprio_set(2).
pub(crate) fn be_last_at_the_disk() {
    let (this_process, idle_class) = (1, 3 << 13);
    // SAFETY: three numbers. A disk scheduler without priorities ignores it.
    unsafe { libc::syscall(libc::SYS_ioprio_set, this_process, 0, idle_class) };
}

/// `ID-VERSION_ID` of os-release(5), or `ID` where a rolling release has no version.
pub(crate) fn host_release() -> Result<String> {
    let path = "/etc/os-release";
    let text = fs::read_to_string(path).or_error(|| format!("cannot read {path}"))?;
    release_of(&text).ok_or_else(|| Error::new(ErrorKind::BadData, format!("{path} has no ID")))
}

fn release_of(text: &str) -> Option<String> {
    let value = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))?;
        Some(line.trim().trim_matches(['"', '\'']).to_owned())
    };
    let id = value("ID").filter(|id| !id.is_empty())?;
    Some(match value("VERSION_ID") {
        Some(version) if !version.is_empty() => format!("{id}-{version}"),
        _ => id,
    })
}

/// Whether the kernel runs the programs of a userland.
#[expect(clippy::unnecessary_wraps, reason = "other systems have to ask")]
pub(crate) fn runs(brand: Brand) -> Result<bool> {
    Ok(brand == Brand::Linux)
}

/// Whether the kernel has a file system type, or a module that would be loaded for it.
pub(crate) fn has_fs(name: &str) -> Result<bool> {
    // A second view of a directory is a bind mount here, which every kernel has.
    if name == "nullfs" {
        return Ok(true);
    }
    let path = "/proc/filesystems";
    let text = fs::read_to_string(path).or_error(|| format!("cannot read {path}"))?;
    Ok(text.lines().any(|line| line.split_whitespace().last() == Some(name)) || has_module(name))
}

fn has_module(name: &str) -> bool {
    let uname = rustix::system::uname();
    let path = format!("/lib/modules/{}/modules.dep", uname.release().to_string_lossy());
    let wanted = format!("/{name}.ko");
    fs::read_to_string(path).is_ok_and(|text| {
        text.lines().filter_map(|line| line.split(':').next()).any(|file| file.contains(&wanted))
    })
}

#[cfg(test)]
mod tests {
    use super::release_of;

    #[test]
    fn a_release_is_named_by_id_and_version() {
        let text = "PRETTY_NAME=\"X\"\nVERSION_ID=\"12\"\nID=debian\nID_LIKE=other\n";
        assert_eq!(release_of(text).as_deref(), Some("debian-12"));
        assert_eq!(release_of("ID=arch\n").as_deref(), Some("arch"));
        assert_eq!(release_of("NAME=x\n"), None);
    }
}
