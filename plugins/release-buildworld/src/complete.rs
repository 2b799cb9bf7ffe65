//! Whether what was installed can work: every program and library finds all the libraries it needs. What was built
//! with an option and installed without it shows here. It reads the staging directory and runs nothing.

use std::collections::{BTreeMap, BTreeSet};

use qchroot_api::camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Error, ErrorKind, FileKind, Observe, Place, Result};

use crate::elf::Elf;

/// Where programs and libraries are; hier(7).
const DIRECTORIES: &[&str] =
    &["bin", "sbin", "lib", "libexec", "usr/bin", "usr/sbin", "usr/lib", "usr/lib32", "usr/libexec"];

/// Looked into for the names of libraries, not for what these need: it says nothing that the others do not.
const DEBUG: &str = "usr/lib/debug";

/// What the programs of a userland need and have.
#[derive(Debug, Default)]
struct Needs {
    /// A library's name, and one that needs it.
    needed: BTreeMap<String, Utf8PathBuf>,
    names: BTreeSet<String>,
}

/// Refuses a userland in which a library is missing, or which has no shell.
pub(crate) fn check(host: &dyn Observe, root: &Utf8Path) -> Result<()> {
    if host.stat(&Place::within(root, "bin/sh"))?.is_none() {
        return Err(Error::new(ErrorKind::BadData, "make installworld left no bin/sh"));
    }
    let mut needs = Needs::default();
    for dir in DIRECTORIES {
        needs.look_into(host, root, Utf8Path::new(dir))?;
    }
    let mut missing = needs.needed.iter().filter(|(library, _)| !needs.names.contains(*library));
    let Some((library, by)) = missing.next() else { return Ok(()) };
    let more = match missing.count() {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let message = format!("/{by} needs {library}, which is not in the userland{more}");
    Err(Error::new(ErrorKind::BadData, message)
        .cause("the world was built with an option that it was installed without")
        .hint("leave that knob out, or build the world with the same knobs"))
}

impl Needs {
    fn look_into(&mut self, host: &dyn Observe, root: &Utf8Path, dir: &Utf8Path) -> Result<()> {
        let place = |path: &Utf8Path| Place::within(root, path);
        // A directory that is a link, such as Linux' bin, is seen where it leads.
        if host.stat(&place(dir))?.is_none_or(|stat| stat.kind != FileKind::Directory) {
            return Ok(());
        }
        for name in host.list(&place(dir))? {
            let path = dir.join(&name);
            match host.stat(&place(&path))?.map(|stat| stat.kind) {
                Some(FileKind::Directory) if path != DEBUG => self.look_into(host, root, &path)?,
                Some(FileKind::File) => self.file(host, place(&path), path)?,
                _ => {}
            }
            self.names.insert(name);
        }
        Ok(())
    }

    fn file(&mut self, host: &dyn Observe, place: Place, path: Utf8PathBuf) -> Result<()> {
        // Objects and kernel modules have no program headers; a file that only looks like ELF is nobody's program.
        let Ok(Some(elf)) = Elf::read(host, place) else { return Ok(()) };
        for library in elf.needed {
            self.needed.entry(library).or_insert_with(|| path.clone());
        }
        Ok(())
    }
}
