//! The tracer of Linux, which is not here: truss(1) and ktrace(1) do this for people.

use std::path::PathBuf;

use nix::unistd::Pid;
use qchroot_api::{Error, ErrorKind, Result};

/// No tracer.
pub(super) struct Tracer;

fn not_here() -> Error {
    Error::new(ErrorKind::Unavailable, "programs cannot be traced on FreeBSD")
        .hint("run truss(1) or ktrace(1) on the program by hand, and look for ENOENT")
}

/// Does not wait.
pub(super) fn wait_for_tracer() -> Result<()> {
    Err(not_here())
}

impl Tracer {
    /// Always an error.
    pub(super) fn new() -> Result<Self> {
        Err(not_here())
    }

    /// Always an error.
    pub(super) fn begin(&mut self, _child: Pid) -> Result<()> {
        Err(not_here())
    }

    /// As without a tracer.
    pub(super) fn turn(&mut self, child: Pid) -> nix::Result<Option<i32>> {
        super::fork::try_wait(child)
    }

    /// Nothing.
    pub(super) fn end(self) -> Vec<PathBuf> {
        vec![]
    }
}
