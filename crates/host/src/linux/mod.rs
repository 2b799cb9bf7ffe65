//! What only Linux does this way. No module here is called but through its FreeBSD twin's name.

pub(crate) mod changes;
pub(crate) mod content;
pub(crate) mod control_group;
pub(crate) mod device;
pub(crate) mod disk;
pub(crate) mod disk_grow;
pub(crate) mod files;
pub(crate) mod flags;
pub(crate) mod holders;
mod kernel_log;
pub(crate) mod listeners;
mod loop_device;
pub(crate) mod media;
pub(crate) mod mount;
pub(crate) mod mountinfo;
pub(crate) mod overlay;
pub(crate) mod quota;
pub(crate) mod resolve;
pub(crate) mod system;
pub(crate) mod xattr;
mod zfs;
