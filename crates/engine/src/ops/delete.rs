//! `delete`: the tree, the administration file and the logs of a container that is stopped.

use qchroot_api::{Error, ErrorKind, FileKind, Name, Place, Plan, Result, Step};

use crate::config::ContainerFile;
use crate::journal::Op;
use crate::transaction::Job;
use crate::{Engine, STOP_PATIENCE};

impl Engine<'_> {
    /// Deletes the container `name`.
    ///
    /// # Errors
    /// Busy, when it has processes or mounts, by the kernel's word.
    pub fn delete(&self, name: &Name) -> Result<()> {
        let _lock = self.lock_container(name)?;
        let _bases = self.share_releases()?;
        self.refuse_half_done(name)?;
        let plan = self.delete_plan(name)?;
        if !self.dry_run {
            self.host.make_own_dir(&self.layout.journals())?;
            self.host.remove_own(&self.layout.start_journal(name))?;
        }
        let job = Job {
            op: Op::Delete,
            container: Some(name),
            journal: self.layout.journal(name),
            deadline: self.deadline_in(STOP_PATIENCE),
        };
        self.run(&job, plan)
    }

    fn delete_plan(&self, name: &Name) -> Result<Plan> {
        let (file, was) = match self.read_file(name) {
            Ok((file, text)) => (Some(file), text),
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(error),
            Err(_) => (None, self.damaged_text(name)?),
        };
        self.refuse_busy(name)?;
        let tree = self.layout.container(name);
        let mut plan = Vec::new();
        let has_tree = self.is_directory(&tree)?;
        if has_tree {
            plan.push(Step::Rename { from: tree, to: self.layout.trash(name) });
        }
        plan.push(Step::RemoveFile { at: Place::host(self.layout.file(name)), mode: 0o644, was });
        if has_tree {
            plan.push(Step::RemoveTree { at: self.layout.trash(name) });
        }
        let leftovers =
            [self.layout.previous(name), self.layout.container_log(name), self.layout.container_run(name)];
        for leftover in leftovers {
            if self.view().stat(&Place::host(&leftover))?.is_some_and(|stat| stat.kind == FileKind::Directory)
            {
                plan.push(Step::RemoveTree { at: leftover });
            }
        }
        plan.extend(self.outside(name, file.as_ref())?);
        Ok(plan)
    }

    /// What its storage keeps outside of the container's directory; nothing where the file cannot tell which it is.
    fn outside(&self, name: &Name, file: Option<&ContainerFile>) -> Result<Plan> {
        let Some(file) = file else { return Ok(vec![]) };
        let Ok(storage) = self.registry.storage(&file.storage.backend) else { return Ok(vec![]) };
        storage.delete(&self.container(name, self.layout.container(name), file), self.view())
    }

    /// A damaged file must not keep a container from being deleted.
    fn damaged_text(&self, name: &Name) -> Result<String> {
        let bytes = self.host.read_own(&self.layout.file(name))?.unwrap_or_default();
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Everything below the container's directory counts, not only its root.
    fn refuse_busy(&self, name: &Name) -> Result<()> {
        let dir = self.layout.container(name);
        let mounts: Vec<_> =
            self.view().mounts()?.into_iter().filter(|mount| mount.at.starts_with(&dir)).collect();
        let processes = self.view().processes(&dir)?;
        let pids: Vec<String> = processes
            .iter()
            .filter(|process| !process.zombie)
            .map(|process| process.pid.to_string())
            .collect();
        let busy = |why: String| {
            Error::new(ErrorKind::Busy, format!("cannot delete {name}"))
                .cause(why)
                .with("container", name)
                .hint(format!("stop it first: `qchroot stop {name}`"))
        };
        if !pids.is_empty() {
            return Err(busy(format!("it is started: its processes are {}", pids.join(", "))));
        }
        match mounts.first() {
            Some(mount) => Err(busy(format!("{} is mounted on {}", mount.fs, mount.at))),
            None => Ok(()),
        }
    }
}
