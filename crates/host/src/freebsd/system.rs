//! Facts about the running system. Of the system's own files only text is read.

use std::fs;

use camino::Utf8Path;
use qchroot_api::{Brand, Command, Platform, Result};

use super::sysctl;
use crate::command;

/// Which kernel this is.
pub(crate) const PLATFORM: Platform = Platform::Freebsd;

/// Changes with every boot, and not when the clock is set, as `kern.boottime` does.
pub(crate) fn boot_id() -> Result<String> {
    let bytes = sysctl::bytes("kern.boot_id")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Every mount is in the one table of the system's.
#[expect(clippy::unnecessary_wraps, reason = "other systems have to ask")]
pub(crate) fn own_mounts() -> Result<()> {
    Ok(())
}

/// Disks know no priorities here; the processor's, which nice(3) lowers, is all there is.
pub(crate) fn be_last_at_the_disk() {}

/// The userland's release from the text of freebsd-version(1), or the kernel's.
pub(crate) fn host_release() -> Result<String> {
    match fs::read_to_string("/bin/freebsd-version").ok().as_deref().and_then(userland_of) {
        Some(release) => Ok(release),
        None => sysctl::text("kern.osrelease"),
    }
}

fn userland_of(text: &str) -> Option<String> {
    let line = text.lines().find_map(|line| line.trim().strip_prefix("USERLAND_VERSION="))?;
    Some(line.trim_matches('"').to_owned()).filter(|release| !release.is_empty())
}

/// Whether the kernel runs the programs of a userland: its own kind, GNU/kFreeBSD's because the ELF activator
/// knows its brand (`sys/kern/imgact_elf.c`), and those of Linux where linux(4) is loaded, whose modules bear
/// the names that `/etc/rc.d/linux` looks for.
pub(crate) fn runs(brand: Brand) -> Result<bool> {
    if brand != Brand::Linux {
        return Ok(true);
    }
    for module in ["linux64elf", "linuxelf"] {
        if command::run(&Command::new(["kldstat", "-q", "-m", module]), &mut crate::running::Nobody)?.status
            == 0
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether the kernel has a file system type, or a module that would be loaded for it; see lsvfs(1).
pub(crate) fn has_fs(name: &str) -> Result<bool> {
    let name = if name == "proc" { "procfs" } else { name };
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Ok(false);
    }
    let loaded = command::run(&Command::new(["lsvfs", name]), &mut crate::running::Nobody)?.status == 0;
    Ok(loaded || Utf8Path::new("/boot/kernel").join(format!("{name}.ko")).exists())
}
