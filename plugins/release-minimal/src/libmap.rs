//! libmap.conf(5): libraries that FreeBSD's run-time loader takes for others. It knows what holds for all programs; what
//! is confined to some, in sections of their own, is left out.

use std::collections::{BTreeMap, BTreeSet};

use qchroot_api::camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{ErrorKind, Observe, Place, Result};

const FILE: &str = "/etc/libmap.conf";

/// Files that include each other deeper than this do so for ever.
const DEEPEST: usize = 8;

/// Names, or paths, of libraries with what stands in for them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mapping {
    pairs: BTreeMap<String, String>,
    /// The files that say so.
    pub(crate) files: BTreeSet<Utf8PathBuf>,
}

impl Mapping {
    /// The host's.
    pub(crate) fn read(host: &dyn Observe) -> Result<Self> {
        let mut mapping = Self::default();
        mapping.file(FILE.into(), 0, host)?;
        Ok(mapping)
    }

    /// What stands in for a library.
    pub(crate) fn of(&self, library: &str) -> Option<&str> {
        self.pairs.get(library).map(String::as_str)
    }

    fn file(&mut self, path: &Utf8Path, depth: usize, host: &dyn Observe) -> Result<()> {
        let text = match host.read(&Place::host(path)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            text => text?,
        };
        let mut for_all = true;
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.starts_with('[') {
                for_all = false;
                continue;
            }
            match line.split_whitespace().collect::<Vec<_>>()[..] {
                ["include", file] if depth < DEEPEST => self.file(file.into(), depth + 1, host)?,
                ["includedir", dir] if depth < DEEPEST => self.directory(dir.into(), depth + 1, host)?,
                [from, to] if for_all => {
                    self.pairs.entry(from.into()).or_insert_with(|| to.into());
                    self.files.insert(path.to_owned());
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn directory(&mut self, dir: &Utf8Path, depth: usize, host: &dyn Observe) -> Result<()> {
        let names = match host.list(&Place::host(dir)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            names => names?,
        };
        names
            .iter()
            .filter(|name| name.ends_with(".conf"))
            .try_for_each(|name| self.file(&dir.join(name), depth, host))
    }
}
