//! When a container's stale run files go: before each start those that name a process or are a socket, because it has
//! none, and before the first one after a boot all. Which files these are is told elsewhere.

use qchroot_api::{Capability, Name, RUN_DIRS, Result, Step};

use crate::{Engine, Loaded};

impl Engine<'_> {
    /// The step that removes them, unless the container keeps them. A tree that is not qchroot's own is left alone: it may
    /// be the host's.
    pub(crate) fn purge_step(&self, loaded: &Loaded<'_>) -> Result<Option<Step>> {
        if loaded.file.keep_run_files || loaded.storage.info().capabilities.contains(&Capability::OwnRoot) {
            return Ok(None);
        }
        let seen = self.host.read_own(&self.layout.last_boot(&loaded.name))?;
        Ok(Some(Step::Purge {
            container: loaded.name.clone(),
            root: loaded.container.root(),
            dirs: RUN_DIRS.iter().map(Into::into).collect(),
            booted: seen != Some(self.host.boot_id()?.into_bytes()),
        }))
    }

    /// Notes that the container has started in this boot.
    pub(crate) fn note_boot(&self, name: &Name) -> Result<()> {
        let (at, boot) = (self.layout.last_boot(name), self.host.boot_id()?.into_bytes());
        if self.dry_run || self.host.read_own(&at)?.as_ref() == Some(&boot) {
            return Ok(());
        }
        self.host.remove_own(&at, false)?;
        self.host.append_own(&at, &boot, false)
    }
}
