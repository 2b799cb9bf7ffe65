//! The hierarchies of control groups that are mounted, version 1, version 2 or both, and where groups of ours go in
//! them. It does not know limits.

use std::fs;
use std::io::ErrorKind as Io;

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Error, ErrorKind, Result};
use rustix::fs::{Access, access};

use crate::errors::OrError;
use crate::linux::mountinfo::{self, Line};

/// The group that holds all of ours.
const OURS: &str = "qchroot";

/// As often as another program may remove [`OURS`] while a group is made in it.
const ATTEMPTS: usize = 20;

/// One mounted hierarchy.
#[derive(Debug)]
pub(super) struct Hierarchy {
    /// Where it is mounted.
    at: Utf8PathBuf,
    /// This process' own group, relative to the mount.
    own: Utf8PathBuf,
    controllers: Vec<String>,
    /// Version 2.
    pub(super) unified: bool,
}

/// Every hierarchy that carries controllers, each once.
pub(super) fn all() -> Result<Vec<Hierarchy>> {
    let path = "/proc/self/cgroup";
    let memberships = fs::read_to_string(path).or_error(|| format!("cannot read {path}"))?;
    let mut found: Vec<Hierarchy> = Vec::new();
    for line in mountinfo::read()? {
        let Some(hierarchy) = Hierarchy::of(&line, &memberships) else { continue };
        if found.iter().all(|known| known.controllers != hierarchy.controllers) {
            found.push(hierarchy);
        }
    }
    Ok(found)
}

impl Hierarchy {
    fn of(line: &Line, memberships: &str) -> Option<Self> {
        let at = line.mounted.at.clone();
        let unified = line.mounted.fs == "cgroup2";
        let controllers: Vec<String> = match line.mounted.fs.as_str() {
            "cgroup2" => words(&fs::read_to_string(at.join("cgroup.controllers")).ok()?, ' '),
            "cgroup" => words(&line.options, ','),
            _ => return None,
        };
        let own = memberships.lines().find_map(|membership| own_group(membership, unified, &controllers));
        let own = own.and_then(|own| own.strip_prefix(&line.root).ok().map(Utf8Path::to_owned));
        Some(Self { at, own: own.unwrap_or_default(), controllers, unified })
    }

    /// Whether it carries a controller.
    pub(super) fn has(&self, controller: &str) -> bool {
        self.controllers.iter().any(|known| known == controller)
    }

    /// Where groups of ours can be, the best place first: at the top, and where a part of the hierarchy was given
    /// away, in the uppermost group above this process that can be written to.
    fn homes(&self) -> impl Iterator<Item = Utf8PathBuf> {
        let mut above: Vec<_> = self.own.ancestors().map(|part| self.at.join(part)).collect();
        above.reverse();
        above.into_iter()
    }

    /// The directory of a group, if there is one.
    pub(super) fn find(&self, group: &str) -> Option<Utf8PathBuf> {
        self.homes().map(|home| home.join(OURS).join(group)).find(|at| at.is_dir())
    }

    /// Refuses a hierarchy that no group can be made in.
    pub(super) fn check_writable(&self) -> Result<()> {
        if self.homes().any(|home| access(home.as_std_path(), Access::WRITE_OK).is_ok()) {
            return Ok(());
        }
        let message = format!("control groups cannot be made in {}: it is read-only", self.at);
        Err(Error::new(ErrorKind::Unavailable, message).hint(format!("mount -o remount,rw {}", self.at)))
    }

    /// Makes a group whose controller `controller` is on; one that is there is fine.
    pub(super) fn make(&self, group: &str, controller: &str) -> Result<Utf8PathBuf> {
        if let Some(at) = self.find(group) {
            self.switch_on(&at, controller)?;
            return Ok(at);
        }
        let mut refused = None;
        for home in self.homes() {
            let at = home.join(OURS).join(group);
            match make_below(&home, &at) {
                Ok(()) => return self.switch_on(&at, controller).map(|()| at),
                Err(error) if is_refusal(&error) => refused = refused.or(Some(error)),
                Err(error) => return Err(error).or_error(|| format!("cannot make control group {at}")),
            }
        }
        let error = refused.unwrap_or_else(|| Io::NotFound.into());
        Err(Error::from_io(&error, format!("cannot make a control group in {}", self.at))
            .hint("run qchroot where /sys/fs/cgroup can be written to"))
    }

    /// Version 2 gives a group only the controllers that the one above passes on.
    fn switch_on(&self, at: &Utf8Path, controller: &str) -> Result<()> {
        if !self.unified {
            return Ok(());
        }
        let mut above: Vec<&Utf8Path> = at.ancestors().skip(1).take(2).collect();
        above.reverse();
        for directory in above {
            let file = directory.join("cgroup.subtree_control");
            fs::write(&file, format!("+{controller}")).map_err(|error| {
                let error = Error::from_io(&error, format!("cannot pass {controller} on in {file}"));
                error.hint(format!(
                    "{directory} must have the controller and no process of its own; with systemd: \
                     Delegate=yes and DelegateSubgroup= in the unit"
                ))
            })?;
        }
        Ok(())
    }
}

/// Makes the group that holds ours, and in it the group `at`.
fn make_below(home: &Utf8Path, at: &Utf8Path) -> std::io::Result<()> {
    let exists = |made: std::io::Result<()>| match made {
        Err(error) if error.kind() == Io::AlreadyExists => Ok(()),
        made => made,
    };
    let mut made = Ok(());
    for _ in 0..ATTEMPTS {
        exists(fs::create_dir(home.join(OURS)))?;
        made = exists(fs::create_dir(at));
        if !made.as_ref().is_err_and(|error| error.kind() == Io::NotFound) {
            break;
        }
    }
    made
}

fn is_refusal(error: &std::io::Error) -> bool {
    matches!(error.kind(), Io::PermissionDenied | Io::ReadOnlyFilesystem)
}

/// This process' group in a hierarchy, from a line `ID:CONTROLLERS:/GROUP` of proc_pid_cgroup(5).
fn own_group(membership: &str, unified: bool, controllers: &[String]) -> Option<Utf8PathBuf> {
    let mut parts = membership.splitn(3, ':');
    let (number, names, group) = (parts.next()?, parts.next()?, parts.next()?);
    let is_it = match unified {
        true => number == "0" && names.is_empty(),
        false => names.split(',').next().is_some_and(|name| controllers.iter().any(|known| known == name)),
    };
    (is_it && !group.starts_with("/..")).then(|| group.into())
}

fn words(text: &str, separator: char) -> Vec<String> {
    text.trim().split(separator).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}
