//! The way into a jail: jail_attach(2), by a process that has nothing open but what it needs inside. It does not know what
//! the jail is for.

use camino::{Utf8Path, Utf8PathBuf};
use nix::errno::Errno;
use nix::libc;
use qchroot_api::{Error, ErrorKind, Result};
use rustix::process::chdir;

use super::kernel;
use crate::errors::OrError;
use crate::os::jails;

/// A jail, found by its name.
pub(super) struct JailDoor {
    name: String,
    jid: i32,
}

impl JailDoor {
    /// The jail `name`, whose root is `root`.
    ///
    /// # Errors
    /// Not found for no such jail; busy for one that was made on another root.
    pub(super) fn open(name: &str, root: &Utf8Path) -> Result<Self> {
        let Some((jid, path)) = jails::named(name) else {
            return Err(Error::new(ErrorKind::NotFound, format!("there is no jail {name}"))
                .hint("jls(8) shows all jails; stop the container and start it again"));
        };
        let wanted: Utf8PathBuf = root.canonicalize_utf8().unwrap_or_else(|_| root.to_owned());
        if path != wanted {
            return Err(Error::new(ErrorKind::Busy, format!("the jail {name} is not that of {root}"))
                .cause(format!("it has the number {jid} and the root {path}"))
                .hint("if nobody needs it, remove it with `jail -r`"));
        }
        Ok(Self { name: name.into(), jid })
    }

    /// Its number, which no other jail has had since the system was started but by wish.
    pub(super) fn id(&self) -> u64 {
        u64::try_from(self.jid).unwrap_or(0)
    }

    /// Puts this process inside, into `directory`, or into `/`. Of the descriptors above 2 it keeps those in `keep`.
    pub(super) fn enter(&self, directory: &Utf8Path, keep: &[i32]) -> Result<()> {
        let failed = || format!("cannot enter the jail {}", self.name);
        kernel::before_chroot(keep)?;
        kernel::hide_until_exec();
        // SAFETY: the call takes a number.
        Errno::result(unsafe { libc::jail_attach(self.jid) }).or_error(failed)?;
        chdir("/").or_error(failed)?;
        let _ = chdir(directory.as_str());
        Ok(())
    }
}
