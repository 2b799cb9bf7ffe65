//! What containers take of the host's space and may take: what is shown of it, when it runs out, and what sparse disks
//! were promised against what the host has. Storages and the host measure.

use qchroot_api::{Error, ErrorKind, Name, Place, Result, Usage, size_text};
use serde::Serialize;

use crate::Engine;
use crate::config::ContainerFile;

/// A container that has taken so much of what it may, in hundredths, is said to be nearly full.
const NEARLY_FULL: u64 = 90;

/// Space of one container, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SpaceReport {
    /// What it has written, as it sees it itself.
    pub used_bytes: u64,
    /// What it can still write; none where only the host's space limits it.
    pub free_bytes: Option<u64>,
    /// What it cannot exceed; none where there is no limit.
    pub limit_bytes: Option<u64>,
    /// Length of the file that holds it, where there is one.
    pub apparent_bytes: Option<u64>,
    /// What it takes of the host's space.
    pub allocated_bytes: u64,
    /// How full it is, in hundredths; none where there is no limit.
    pub percent: Option<u64>,
}

impl From<Usage> for SpaceReport {
    fn from(usage: Usage) -> Self {
        Self {
            used_bytes: usage.used,
            free_bytes: usage.free,
            limit_bytes: usage.limit,
            apparent_bytes: usage.apparent,
            allocated_bytes: usage.allocated,
            percent: usage.percent(),
        }
    }
}

impl SpaceReport {
    /// One line, when little is left.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        let percent = self.percent.filter(|&percent| percent >= NEARLY_FULL)?;
        Some(format!("disk is {percent} % full"))
    }

    /// What the host has promised and not given yet.
    #[must_use]
    pub fn promised_bytes(&self) -> u64 {
        self.apparent_bytes.map_or(0, |apparent| apparent.saturating_sub(self.allocated_bytes))
    }
}

/// Sparse disks that cannot all be filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overcommit {
    /// What they can still take of the host's space, in bytes.
    pub promised: u64,
    /// What the host has left.
    pub free: u64,
}

impl Overcommit {
    /// What to do about it.
    pub const HINT: &str = "give the host more space, make disks smaller with `qchroot resize`, or make new ones with \
                            `-o storage.preallocate=yes`, which takes their space at once";
}

impl std::fmt::Display for Overcommit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (promised, free) = (size_text(self.promised), size_text(self.free));
        write!(f, "disks of containers may take {promised} more, and the host has {free} left")
    }
}

impl Engine<'_> {
    /// What a container takes and may take. Where its storage does not say, its private tree is measured if that is
    /// wanted: it takes as long as the tree is large.
    pub(crate) fn space_of(
        &self,
        name: &Name,
        file: &ContainerFile,
        measure: bool,
    ) -> Result<Option<SpaceReport>> {
        let storage = self.registry.storage(&file.storage.backend)?;
        let container = self.container(name, self.layout.container(name), file);
        if let Some(usage) = storage.usage(&container, self.view())? {
            return Ok(Some(usage.into()));
        }
        if !measure {
            return Ok(None);
        }
        let used = self.host.disk_usage(&storage.private(&container)?)?;
        Ok(Some(Usage { used, allocated: used, ..Usage::default() }.into()))
    }

    /// Whether `promised` bytes are more than the host has where containers lie.
    pub fn overcommit(&self, promised: u64) -> Result<Option<Overcommit>> {
        if promised == 0 {
            return Ok(None);
        }
        let free = self.view().space(&Place::host(&self.layout.lib))?.free;
        Ok((promised > free).then_some(Overcommit { promised, free }))
    }

    /// What the disks of all containers can still take; those that cannot be looked at do not count.
    pub(crate) fn promised(&self) -> Result<u64> {
        let promised = |name: &Name| -> Result<u64> {
            let (file, _) = self.read_file(name)?;
            let space = self.space_of(name, &file, false)?;
            Ok(space.map_or(0, |space| space.promised_bytes()))
        };
        Ok(self.names()?.iter().map(|name| promised(name).unwrap_or(0)).sum())
    }

    /// Warns when a container has just been promised what the host may not have.
    pub(crate) fn warn_of_overcommit(&self, name: &Name) -> Result<()> {
        let (file, _) = self.read_file(name)?;
        let own = self.space_of(name, &file, false)?;
        if own.is_none_or(|space| space.promised_bytes() == 0) {
            return Ok(());
        }
        if let Some(overcommit) = self.overcommit(self.promised()?)? {
            self.watch.warn(&format!("{overcommit}: {}", Overcommit::HINT));
        }
        Ok(())
    }
}

/// A size on the command line.
///
/// # Errors
/// Usage, for what is no size.
pub(crate) fn size_of(text: &str) -> Result<u64> {
    qchroot_api::parse_size(text).ok_or_else(|| {
        Error::new(ErrorKind::Usage, format!("bad size {text:?}"))
            .with("size", text)
            .hint("a size is a number of bytes, or a number with K, M, G or T, for example 512M")
    })
}
