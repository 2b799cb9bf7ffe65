//! Looking into containers whose files can be seen only while their storage is attached: they are attached for as long
//! as it takes. It knows no storage by name, and nothing runs inside.

use qchroot_api::{Capability, Error, ErrorKind, Result};

use crate::journal::Op;
use crate::{Engine, Loaded, STOP_PATIENCE};

impl Loaded<'_> {
    /// Whether its files can be seen only while it is attached.
    pub(crate) fn is_closed(&self) -> bool {
        self.storage.info().capabilities.contains(&Capability::Closed)
    }
}

impl Engine<'_> {
    /// Whether the container's files can be seen at this moment.
    pub(crate) fn is_open(&self, loaded: &Loaded<'_>) -> Result<bool> {
        if !loaded.is_closed() {
            return Ok(true);
        }
        let root = loaded.container.root();
        let mounted = self.view().mounts()?.iter().any(|mount| mount.at == root);
        Ok(mounted || self.has_sandbox(&loaded.name)?)
    }

    /// Does `act` while the container's files can be seen. A run that dies meanwhile leaves a session, which `stop` and
    /// `doctor` take down. The caller holds the container's lock.
    ///
    /// # Errors
    /// Unavailable in a dry run of what would have to be attached.
    pub(crate) fn while_attached<T>(
        &self,
        loaded: &Loaded<'_>,
        act: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        if self.is_open(loaded)? {
            return act();
        }
        let name = &loaded.name;
        if self.dry_run {
            let message = format!("the files of {name} can be seen only while it is attached");
            return Err(Error::new(ErrorKind::Unavailable, message)
                .cause("a dry run attaches nothing")
                .with("container", name)
                .hint("leave out --dry-run: what is done then can be taken back"));
        }
        let plan = loaded.storage.attach(&loaded.installed.base, &loaded.container, self.view())?;
        self.run_start(loaded, Op::Session, plan)?;
        let done = act();
        let down = self.take_down(name, STOP_PATIENCE);
        done.and_then(|done| down.map(|()| done))
    }
}
