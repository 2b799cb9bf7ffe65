//! Project quotas of the fake machine's own disk on Linux: numbers of directories, and a limit for each number.

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Error, ErrorKind, Place, Quota, QuotaStep, Result};
use qchroot_engine::Probe;

use super::node::Inode;
use super::resolve::Found;
use super::state::State;

impl State {
    pub(crate) fn quota(&self, at: &Utf8Path) -> Result<Option<Quota>> {
        if !self.on_linux() {
            return Ok(None);
        }
        let (found, inode) = self.counted(at)?;
        let used = self.tree.subtree(&found).iter().map(|(_, inode)| inode.size()).sum();
        let (project, limit) = (inode.project, self.project_limits.get(&inode.project).copied());
        Ok(Some(Quota { project, used, limit }))
    }

    pub(crate) fn act_on_quota(&mut self, step: &QuotaStep) -> Result<()> {
        if !self.on_linux() {
            return Err(Error::new(
                ErrorKind::Unavailable,
                format!("cannot {step}: there are no project quotas"),
            ));
        }
        match step {
            QuotaStep::Limit { dirs, bytes: Some(bytes), .. } => {
                let free = (1..).find(|number| !self.project_limits.contains_key(number)).unwrap_or_default();
                let project = self.project_of(dirs).unwrap_or(free);
                self.project_limits.insert(project, *bytes);
                for dir in dirs {
                    let (found, mut inode) = self.counted(dir)?;
                    inode.project = project;
                    self.tree.put(&found, inode)?;
                }
            }
            QuotaStep::Limit { dirs, bytes: None, .. } => {
                let project = self.project_of(dirs);
                project.and_then(|project| self.project_limits.remove(&project));
            }
            QuotaStep::Forget { project, .. } => drop(self.project_limits.remove(project)),
            other => return Err(Error::new(ErrorKind::Internal, format!("not known here: {other}"))),
        }
        Ok(())
    }

    pub(crate) fn probe_quota(&self, step: &QuotaStep) -> Result<Probe> {
        let is_done = match step {
            QuotaStep::Limit { dirs, bytes, .. } => {
                let project = self.project_of(dirs);
                let counts = |dir: &Utf8PathBuf| {
                    self.counted(dir).is_ok_and(|(_, inode)| Some(inode.project) == project)
                };
                (bytes.is_none() || dirs.iter().all(counts))
                    && project.and_then(|project| self.project_limits.get(&project)) == bytes.as_ref()
            }
            QuotaStep::Forget { project, .. } => !self.project_limits.contains_key(project),
            _ => return Ok(Probe::Unknown),
        };
        Ok(if is_done { Probe::Present } else { Probe::Absent })
    }

    fn project_of(&self, dirs: &[Utf8PathBuf]) -> Option<u32> {
        let projects = dirs.iter().filter_map(|dir| self.counted(dir).ok()).map(|(_, inode)| inode.project);
        projects.into_iter().find(|&project| project != 0)
    }

    fn counted(&self, at: &Utf8Path) -> Result<(Found, Inode)> {
        let missing = || Error::new(ErrorKind::NotFound, format!("cannot open {at}: no such directory"));
        self.tree.find(&Place::host(at))?.ok_or_else(missing)
    }
}
