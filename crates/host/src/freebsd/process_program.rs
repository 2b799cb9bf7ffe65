//! This program's own file. procfs(5) and linprocfs(5) show a process' file as a link by name, which inside a jail leads
//! to nothing of the host's, so that nobody there can reach the file itself.

use std::io;
use std::path::PathBuf;

/// This program's file, to be executed for as long as this is kept.
pub(crate) struct OwnProgram(PathBuf);

impl OwnProgram {
    /// By the name that the kernel knows.
    pub(crate) fn find() -> Self {
        Self(std::env::current_exe().unwrap_or_default())
    }

    /// The same: nothing is made safe here.
    pub(crate) fn as_it_is() -> Self {
        Self::find()
    }

    /// A path for execve(2).
    pub(crate) fn path(&self) -> PathBuf {
        self.0.clone()
    }
}

/// Nothing needs to be done.
pub(crate) fn protect() -> io::Result<()> {
    Ok(())
}
