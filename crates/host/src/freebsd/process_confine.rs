//! What FreeBSD takes from a process beside its limits: nothing. jail(8) holds what is inside.

use std::io;

use qchroot_api::{Error, ErrorKind, Result, Rules};
use rustix::process::{Resource, Rlimit};

use super::login;

/// The limits by their names; setrlimit(2).
pub(super) const RESOURCES: &[(&str, Resource)] = &[
    ("as", Resource::As),
    ("core", Resource::Core),
    ("cpu", Resource::Cpu),
    ("data", Resource::Data),
    ("fsize", Resource::Fsize),
    ("memlock", Resource::Memlock),
    ("nofile", Resource::Nofile),
    ("nproc", Resource::Nproc),
    ("rss", Resource::Rss),
    ("stack", Resource::Stack),
];

/// Nothing; see the module.
pub(super) struct Confinement;

impl Confinement {
    /// # Errors
    /// Unavailable for rules that only Linux knows.
    pub(super) fn new(rules: &Rules) -> Result<Self> {
        if rules.capabilities.is_none() && rules.syscalls.is_none() && !rules.no_new_privs {
            return Ok(Self);
        }
        Err(Error::new(ErrorKind::Unavailable, "FreeBSD has neither capabilities(7) nor seccomp(2)")
            .hint("the isolation jail holds what is inside; see security(7)"))
    }

    /// Takes nothing away.
    pub(super) fn narrow(&self) -> io::Result<()> {
        Ok(())
    }

    /// Takes nothing away.
    pub(super) fn shut(&self) -> Result<()> {
        Ok(())
    }
}

/// Those of the class `daemon`, which are taken on with the rest of it.
pub(super) fn usual_limits() -> Vec<(Resource, Rlimit)> {
    vec![]
}

/// Priority, limits and processors are those that services of the host's have.
#[expect(clippy::unnecessary_wraps, reason = "on Linux it can fail")]
pub(super) fn forget_caller() -> Result<()> {
    login::begin_as_daemon();
    Ok(())
}
