//! `clone`: a container comes into being with everything that a stopped one has inside, and with its administration
//! file.

use qchroot_api::{Name, Place, Plan, Result, Step};

use crate::journal::Op;
use crate::{Engine, Held, Loaded};

impl Engine<'_> {
    /// Makes the container `new` as a copy of `name`. Logs, snapshots and what an upgrade left for a rollback are not
    /// copied.
    ///
    /// # Errors
    /// Unavailable, when its storage cannot be cloned; busy, when it is started.
    pub fn clone_container(&self, name: &Name, new: &Name) -> Result<()> {
        let _locks = self.lock_both(name, new)?;
        let _bases = self.share_releases()?;
        self.refuse_half_done(name)?;
        self.refuse_half_done(new)?;
        let loaded = self.load(name)?;
        self.refuse_taken(new)?;
        let plan = self.clone_plan(&loaded, new)?;
        self.refuse_started(&loaded)?;
        self.make_log_dir(name)?;
        self.run_durable(new, Op::Clone, plan)
    }

    fn clone_plan(&self, loaded: &Loaded<'_>, new: &Name) -> Result<Plan> {
        let staging = self.layout.staging(new);
        let copy = self.container(new, staging.clone(), &loaded.file);
        let base = &loaded.installed.base;
        let (_, text) = self.read_file(&loaded.name)?;
        let mut plan = vec![Step::Stage { at: staging.clone() }];
        plan.extend(loaded.storage.clone_of(base, &loaded.container, &copy, self.view())?);
        plan.push(Step::Rename { from: staging, to: self.layout.container(new) });
        plan.push(Step::WriteFile { at: Place::host(self.layout.file(new)), text, mode: 0o644, was: None });
        Ok(plan)
    }

    /// The locks of two containers, always taken in the same order.
    pub(crate) fn lock_both(&self, one: &Name, other: &Name) -> Result<Vec<Option<Held>>> {
        let mut names = vec![one, other];
        names.sort();
        names.dedup();
        names.into_iter().map(|name| self.lock_container(name)).collect()
    }
}
