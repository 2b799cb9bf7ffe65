//! `rename`: a stopped container gets another name. Nothing inside it changes.

use camino::Utf8PathBuf;
use qchroot_api::{Error, ErrorKind, Name, Plan, Result, Step};

use crate::journal::Op;
use crate::{Engine, Loaded};

impl Engine<'_> {
    /// Gives the container `name` the name `new`: its directory, its administration file, its logs, and what an upgrade
    /// left for a rollback.
    ///
    /// # Errors
    /// Exists, when the new name is taken; busy, when the container is started.
    pub fn rename(&self, name: &Name, new: &Name) -> Result<()> {
        let _locks = self.lock_both(name, new)?;
        let _bases = self.share_releases()?;
        self.refuse_half_done(name)?;
        self.refuse_half_done(new)?;
        let loaded = self.load(name)?;
        self.refuse_taken(new)?;
        self.refuse_started(&loaded)?;
        let plan = self.rename_plan(&loaded, new)?;
        self.run_durable(name, Op::Rename, plan)?;
        self.warn_dependents(name)
    }

    fn rename_plan(&self, loaded: &Loaded<'_>, new: &Name) -> Result<Plan> {
        let (name, layout) = (&loaded.name, &self.layout);
        let renamed = self.container(new, layout.container(new), &loaded.file);
        let mut plan = loaded.storage.rename(&loaded.container, &renamed, self.view())?;
        plan.push(Step::Rename { from: layout.container(name), to: layout.container(new) });
        let beside = [
            (layout.previous(name), layout.previous(new)),
            (layout.container_log(name), layout.container_log(new)),
        ];
        for (from, to) in beside {
            if self.is_directory(&from)? {
                self.refuse_in_the_way(new, &to)?;
                plan.push(Step::Rename { from, to });
            }
        }
        plan.push(Step::Rename { from: layout.file(name), to: layout.file(new) });
        let run = layout.container_run(name);
        if self.is_directory(&run)? {
            plan.push(Step::RemoveTree { at: run });
        }
        Ok(plan)
    }

    /// What another container of that name left behind is nobody's, but it may be of use to somebody.
    fn refuse_in_the_way(&self, new: &Name, at: &Utf8PathBuf) -> Result<()> {
        if !self.is_directory(at)? {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Exists, format!("the name {new} cannot be given: {at} exists"))
            .with("container", new)
            .with("path", at)
            .hint("it is left over from another container: move it away, or choose another name"))
    }
}
