//! What the machine says of trees that are to be taken: whether they are in use, and whether a rename reaches them.

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_adopt::{Found, System};
use qchroot_api::{Error, ErrorKind, Mounted, Place, Platform, Result};

use super::nearest;
use crate::Engine;

/// The machine at one moment.
pub(super) struct Machine {
    mounts: Vec<Mounted>,
    /// Roots of jails, where there are jails.
    jails: Vec<Utf8PathBuf>,
    /// The first container of the system that runs, and why that is thought.
    pub(super) running: Option<(String, String)>,
}

impl Machine {
    pub(super) fn look(engine: &Engine<'_>, system: &System) -> Result<Self> {
        let mounts = engine.view().mounts()?;
        let mut machine = Self { mounts, jails: jails(engine)?, running: None };
        for found in &system.containers {
            if machine.running.is_none()
                && !engine.is_adopted(found)?
                && let Some(why) = machine.use_of(engine, found)?
            {
                machine.running = Some((found.name.clone(), why));
            }
        }
        Ok(machine)
    }

    /// Why a container counts as running.
    fn use_of(&self, engine: &Engine<'_>, found: &Found) -> Result<Option<String>> {
        let below = |at: &Utf8Path| at != found.root && at.starts_with(&found.root);
        if let Some(mount) = self.mounts.iter().find(|mount| below(&mount.at)) {
            return Ok(Some(format!("{} is mounted on {}", mount.fs, mount.at)));
        }
        if let Some(process) = engine.view().processes(&found.root)?.first() {
            return Ok(Some(format!("process {} ({}) is inside", process.pid, process.command)));
        }
        Ok(self.jails.contains(&found.root).then(|| "there is a jail with its root".to_owned()))
    }

    /// # Errors
    /// Busy, when the container runs.
    pub(super) fn refuse_running(&self, engine: &Engine<'_>, system: &System, found: &Found) -> Result<()> {
        let Some(why) = self.use_of(engine, found)? else { return Ok(()) };
        let stop = system.tool.stop(&found.name);
        Err(Error::new(ErrorKind::Busy, format!("{} is running: {why}", found.name))
            .with("container", &found.name)
            .hint(format!("stop it with the old tool first: `{stop}`")))
    }

    /// # Errors
    /// Unavailable for what cannot be renamed into this system: a mount, another file system, a tree that this system
    /// lies in.
    pub(super) fn refuse_unmovable(&self, engine: &Engine<'_>, what: &str, at: &Utf8Path) -> Result<()> {
        if let Some(mount) = self.mounts.iter().rev().find(|mount| mount.at == at) {
            let message =
                format!("{what} is a file system of its own: {} ({}) on {at}", mount.source, mount.fs);
            return Err(Error::new(ErrorKind::Unavailable, message)
                .with("path", at)
                .hint(format!("run it where it lies: `qchroot create NAME --source-tree {at}`")));
        }
        let lib = engine.view().real_path(&engine.layout.lib)?;
        if lib.starts_with(at) {
            return Err(Error::new(ErrorKind::Config, format!("{at} of {what} holds {lib}")).with("path", at));
        }
        let there = nearest(engine, &lib)?;
        let device =
            |at: &Utf8Path| engine.view().stat(&Place::host(at)).map(|stat| stat.map(|stat| stat.id.0));
        if device(at)? == device(&there)? {
            return Ok(());
        }
        let message = format!("{what} is on another file system than {lib}, and nothing is copied: {at}");
        Err(Error::new(ErrorKind::Unavailable, message)
            .cause("rename(2) does not cross file systems")
            .with("path", at)
            .hint("take it into a system on its own file system: --root DIR, with DIR beside it"))
    }

    /// # Errors
    /// Not found, or configuration for what is no directory.
    pub(super) fn require_directory(engine: &Engine<'_>, what: &str, at: &Utf8Path) -> Result<()> {
        match engine.view().stat(&Place::host(at))? {
            Some(_) if engine.is_directory(at)? => Ok(()),
            Some(_) => {
                Err(Error::new(ErrorKind::Config, format!("{at} of {what} is no directory")).with("path", at))
            }
            None => {
                Err(Error::new(ErrorKind::NotFound, format!("{at} of {what} is not there")).with("path", at))
            }
        }
    }
}

/// Roots of running jails; jls(8) tells them one a line.
fn jails(engine: &Engine<'_>) -> Result<Vec<Utf8PathBuf>> {
    if engine.view().platform()? != Platform::Freebsd {
        return Ok(vec![]);
    }
    let said = engine.view().ask(&["jls", "path"])?;
    Ok(said.stdout.lines().map(|line| Utf8PathBuf::from(line.trim())).collect())
}
