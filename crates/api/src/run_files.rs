//! Run files: what programs leave for others to find them, such as pid files and sockets. Plain rules; the host layer
//! removes what they name.

/// The directories inside a container that hold run files: hier(7), and `/run` of the Filesystem Hierarchy Standard,
/// whose files are to be removed when a system boots.
pub const RUN_DIRS: &[&str] = &["run", "var/run", "var/lock", "var/spool/lock"];

/// Whether the regular file `name` in one of [`RUN_DIRS`] is stale before a container's first start after a boot.
/// What needs a file and does not make it keeps it: the list of who is logged in; where FreeBSD's loader finds the libraries
/// of packages, ldconfig(8), and what `/etc/os-release` leads to, as a whole system makes both at its own boot only.
#[must_use]
pub fn is_stale_after_boot(name: &str) -> bool {
    !matches!(name, "utmp" | "utmpx" | "ld-elf.so.hints" | "ld-elf32.so.hints" | "os-release")
}

/// Whether the regular file `name` in one of [`RUN_DIRS`] is stale whenever a container has no process: it names
/// one, or says that one is at work. Sockets are stale as well.
#[must_use]
pub fn is_stale_without_processes(name: &str) -> bool {
    name == "pid" || name.starts_with("LCK..") || [".pid", ".lock"].iter().any(|end| name.ends_with(end))
}
