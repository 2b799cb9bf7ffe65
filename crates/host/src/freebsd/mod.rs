//! What only FreeBSD does this way. No module here is called but through its Linux twin's name.

mod acl;
pub(crate) mod changes;
pub(crate) mod content;
pub(crate) mod control_group;
pub(crate) mod device;
pub(crate) mod disk;
pub(crate) mod disk_grow;
pub(crate) mod files;
pub(crate) mod flags;
pub(crate) mod jails;
pub(crate) mod listeners;
pub(crate) mod media;
mod memory_device;
pub(crate) mod mount;
mod nmount;
mod overlap;
pub(crate) mod quota;
pub(crate) mod resolve;
pub(crate) mod sysctl;
pub(crate) mod system;
pub(crate) mod xattr;

/// What the last system call of this thread said when it failed.
fn last_error() -> rustix::io::Errno {
    let error = std::io::Error::last_os_error();
    rustix::io::Errno::from_io_error(&error).unwrap_or(rustix::io::Errno::IO)
}
