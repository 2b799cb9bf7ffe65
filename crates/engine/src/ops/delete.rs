//! `delete`: the tree, the administration file and the logs of a container that is stopped. The tree is only put
//! into the trash.

use qchroot_api::{Error, ErrorKind, Name, Place, Plan, Result, Step};

use crate::config::ContainerFile;
use crate::journal::{Journal, Op};
use crate::transaction::Job;
use crate::{Engine, STOP_PATIENCE};

impl Engine<'_> {
    /// Deletes the container `name`. What it had takes space until [`Engine::empty_trash`] has removed it.
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
            self.host.make_own_dir(&self.layout.all_trash())?;
            self.forget_start(name)?;
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
        let mut plan = vec![Step::RemoveFile { at: Place::host(self.layout.file(name)), mode: 0o644, was }];
        let trees = [("tree", self.layout.container(name)), ("previous", self.layout.previous(name))];
        plan.extend(self.discard_steps(name, &trees)?);
        // Small, and perhaps on other file systems.
        for at in [self.layout.container_log(name), self.layout.container_run(name)] {
            if self.is_directory(&at)? {
                plan.push(Step::RemoveTree { at });
            }
        }
        plan.extend(self.outside(name, file.as_ref())?);
        Ok(plan)
    }

    /// What its storage keeps outside of the container's directory; nothing where the file cannot tell which it is.
    fn outside(&self, name: &Name, file: Option<&ContainerFile>) -> Result<Plan> {
        let Some(file) = file else { return Ok(vec![]) };
        let storage = match self.registry.storage(&file.storage.backend) {
            Ok(storage) => storage,
            // It must be possible to be rid of a container whose plug-in is gone.
            Err(error) => {
                self.watch.warn(&format!("what its storage keeps elsewhere of {name} stays: {error}"));
                return Ok(vec![]);
            }
        };
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
        if let Some(mount) = mounts.first() {
            return Err(busy(format!("{} is mounted on {}", mount.fs, mount.at)));
        }
        // A damaged one must not keep a container from being deleted.
        match Journal::load(self.host, &self.layout.start_journal(name)) {
            Ok(Some(journal)) => self.left_over(&journal)?.map_or(Ok(()), |left| Err(busy(left.into()))),
            _ => Ok(()),
        }
    }
}
