//! What a program inside is held to, and what it must not have from whoever started it.
//!
//! This is the order, the same for a session and for a service; each step still needs what a later one takes away:
//!
//! 1. the control group, while the host's files are in sight;
//! 2. a session of its own, with its terminal if it has one;
//! 3. [`forget_caller`]: niceness, scheduling, memory policy, OOM score, personality, keyring, umask; login class;
//! 4. root and working directory, or jail;
//! 5. every descriptor above 2 is closed;
//! 6. [`Hold::assume`]: limits, bounding set, inheritable and ambient capabilities, groups, group, user;
//! 7. the tie to its parent, signals by default and unblocked;
//! 8. [`Hold::shut`]: no new privileges, the filter of system calls, the capabilities that are left;
//! 9. execve(2).
//!
//! It knows neither containers nor the program.

use nix::unistd::{Gid, Uid};
use qchroot_api::{Credentials, Error, ErrorKind, Result, Rules};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::{confine, kernel};
use crate::errors::OrError;

/// Rules made ready before the fork: names understood, the filter built.
pub(super) struct Hold {
    /// The limits that a service gets which the host's own init starts.
    usual: Vec<(Resource, Rlimit)>,
    limits: Vec<(String, Resource, u64)>,
    confinement: confine::Confinement,
}

impl Hold {
    /// # Errors
    /// Config for a name that nothing has; unavailable for what this system does not know.
    pub(super) fn new(rules: &Rules) -> Result<Self> {
        let limits = rules.process_limits.iter();
        let known = limits.map(|(name, limit)| Ok((name.clone(), resource(name)?, *limit)));
        Ok(Self {
            usual: confine::usual_limits(),
            limits: known.collect::<Result<_>>()?,
            confinement: confine::Confinement::new(rules)?,
        })
    }

    /// Takes on limits and, if it is told whom, numeric credentials; keeps no capability that a program could inherit.
    /// What it takes to finish is kept until [`Hold::shut`].
    pub(super) fn assume(&self, who: Option<&Credentials>) -> Result<()> {
        self.limit()?;
        self.confinement.narrow().or_error(|| "cannot give up capabilities".into())?;
        kernel::clear_inheritable().or_error(|| "cannot clear capabilities".into())?;
        let Some(who) = who else { return Ok(()) };
        let failed = || format!("cannot become user {} of group {}", who.uid, who.gid);
        let (uid, gid) = (Uid::from_raw(who.uid), Gid::from_raw(who.gid));
        nix::unistd::setgroups(&groups_of(who)).or_error(failed)?;
        nix::unistd::setresgid(gid, gid, gid).or_error(failed)?;
        nix::unistd::setresuid(uid, uid, uid).or_error(failed)
    }

    /// Gives up the rest. Nothing but execve(2) comes after it.
    pub(super) fn shut(&self) -> Result<()> {
        self.confinement.shut()
    }

    fn limit(&self) -> Result<()> {
        for (resource, usual) in &self.usual {
            reset(*resource, *usual).or_error(|| "cannot reset limits".into())?;
        }
        self.limits.iter().try_for_each(|(name, resource, limit)| narrow(name, *resource, *limit))
    }
}

/// With the primary group in front: FreeBSD before 15 takes the first for the effective one, which the change of group
/// overwrites.
fn groups_of(who: &Credentials) -> Vec<Gid> {
    let first = who.groups.first().map(|_| who.gid);
    let others = who.groups.iter().copied().filter(|&group| group != who.gid);
    first.into_iter().chain(others).map(Gid::from_raw).collect()
}

/// Leaves behind what this process has from whoever started it and no rule is about.
pub(super) fn forget_caller() -> Result<()> {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    confine::forget_caller()
}

/// A limit as it is usual, or as near to it as this process may go: raising the hard one takes a privilege.
fn reset(resource: Resource, usual: Rlimit) -> rustix::io::Result<()> {
    let own = getrlimit(resource);
    if (own.current, own.maximum) == (usual.current, usual.maximum) {
        return Ok(());
    }
    match setrlimit(resource, usual) {
        Err(Errno::PERM) => {
            let maximum = lower(own.maximum, usual.maximum);
            setrlimit(resource, Rlimit { current: lower(usual.current, maximum), maximum })
        }
        done => done,
    }
}

/// `None` is no limit.
fn lower(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    a.min(b).or(a).or(b)
}

fn narrow(name: &str, resource: Resource, limit: u64) -> Result<()> {
    let own = getrlimit(resource).maximum;
    match setrlimit(resource, Rlimit { current: Some(limit), maximum: Some(limit) }) {
        Err(Errno::PERM) => Err(Error::new(
            ErrorKind::Permission,
            format!("cannot raise the limit {name} of each process to {limit}"),
        )
        .cause(format!("it is {} here", own.map_or("unlimited".into(), |own| own.to_string())))
        .hint(
            "give a lower one; raising it takes CAP_SYS_RESOURCE, and `nofile` never goes above fs.nr_open",
        )),
        done => done.or_error(|| format!("cannot set the limit {name} of each process to {limit}")),
    }
}

fn resource(name: &str) -> Result<Resource> {
    let known = confine::RESOURCES.iter().find(|(known, _)| *known == name);
    known.map(|(_, resource)| *resource).ok_or_else(|| {
        let names: Vec<&str> = confine::RESOURCES.iter().map(|(name, _)| *name).collect();
        Error::new(ErrorKind::Config, format!("there is no limit {name:?}"))
            .with("key", name)
            .hint(format!("there are: {}", names.join(", ")))
    })
}
