//! Programs with everything they need to be run: their loader, their libraries, the interpreters of scripts. It
//! only reads, and does not know what becomes of what it finds.

use std::collections::BTreeSet;
use std::rc::Rc;

use qchroot_api::camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Brand, Error, ErrorKind, FileKind, Observe, Place, Result};

use crate::elf::Elf;
use crate::libraries::{self, Loaded};
use crate::loader::Loader;
use crate::script;
use crate::tree::{Tree, Walk};

/// Interpreters that are scripts themselves, as deep as Linux goes: execve(2).
const DEEPEST: usize = 4;

/// What no userland takes from a host: its root, and what the kernel shows there.
const REFUSED: &[&str] = &["/", "/dev", "/proc", "/sys"];

/// What is needed, as far as it has been followed.
pub(crate) struct Closure<'a> {
    pub(crate) tree: Tree<'a>,
    /// Directories that are wanted whole and are not looked into.
    pub(crate) shown: BTreeSet<Utf8PathBuf>,
    /// Whether directories are shown rather than taken along with what is in them.
    show: bool,
    done: BTreeSet<Utf8PathBuf>,
}

impl<'a> Closure<'a> {
    pub(crate) fn new(host: &'a dyn Observe, show: bool) -> Self {
        Self { tree: Tree::new(host), shown: BTreeSet::new(), show, done: BTreeSet::new() }
    }

    /// Adds a program by its name or its absolute path.
    ///
    /// # Errors
    /// Not found, when it or something it needs is not there; bad data, when it is no program.
    pub(crate) fn program(&mut self, wanted: &str) -> Result<()> {
        let path = self.find(wanted)?.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("there is no program {wanted:?} on this host"))
                .with("key", "programs")
                .hint("install it on the host first, or give its absolute path")
        })?;
        self.executable(&path, None, 0)
    }

    fn find(&self, wanted: &str) -> Result<Option<Utf8PathBuf>> {
        if wanted.starts_with('/') {
            return Ok(Some(wanted.into()));
        }
        if wanted.is_empty() || wanted.contains('/') {
            let message = format!("program {wanted:?} is neither a name nor an absolute path");
            return Err(Error::new(ErrorKind::Config, message).with("key", "programs"));
        }
        self.tree.host.program(wanted)
    }

    /// `for_script` wants it as its interpreter.
    fn executable(&mut self, path: &Utf8Path, for_script: Option<&Utf8Path>, depth: usize) -> Result<()> {
        let why = for_script.map(|script| format!(", which the script {script} is for")).unwrap_or_default();
        let missing = || Error::new(ErrorKind::NotFound, format!("program {path:?}{why} does not exist"));
        let walk = self.tree.walk(path)?.ok_or_else(missing)?;
        if walk.stat.kind != FileKind::File || walk.stat.mode & 0o111 == 0 {
            return Err(no_program(path, &why));
        }
        self.tree.take(&walk)?;
        if !self.done.insert(walk.real.clone()) {
            return Ok(());
        }
        let head = self.tree.head(&walk.real, script::LONGEST)?;
        if Elf::is(&head) {
            let elf = Elf::read(self.tree.host, &walk.real, walk.stat.size).map_err(|error| {
                Error::new(ErrorKind::BadData, format!("{path:?}{why} is a damaged program")).cause(error)
            })?;
            return self.elf(path, &walk, elf);
        }
        match script::interpreter(&head) {
            Some(Ok(line)) if depth < DEEPEST => self.script(path, &line, depth),
            Some(Ok(_)) => {
                Err(Error::new(ErrorKind::BadData, format!("{path:?}: scripts for scripts without end")))
            }
            Some(Err(why)) => {
                Err(Error::new(ErrorKind::BadData, format!("bad first line of {path:?}")).cause(why))
            }
            None => Err(no_program(path, &why)),
        }
    }

    fn script(&mut self, script: &Utf8Path, line: &script::Line, depth: usize) -> Result<()> {
        self.executable(&line.interpreter, Some(script), depth + 1)?;
        let Some(name) = &line.through_env else { return Ok(()) };
        let found = self.find(name)?.ok_or_else(|| {
            let message = format!("script {script} is for {name:?}, which is not on this host");
            Error::new(ErrorKind::NotFound, message).hint(format!("install {name} on the host first"))
        })?;
        self.executable(&found, Some(script), depth + 1)
    }

    /// Adds the links at the root that lead to what is there already: of a merged `/usr`, `/bin` and its like.
    pub(crate) fn links_of_root(&mut self, brand: Brand) -> Result<()> {
        for name in brand.shared_paths().iter().filter(|path| !path.contains('/')) {
            let path = Utf8Path::new("/").join(name);
            if self.tree.host.link(&Place::host(&path))?.is_none() {
                continue;
            }
            if let Some(walk) =
                self.tree.walk(&path)?.filter(|walk| self.tree.entries.contains_key(&walk.real))
            {
                self.tree.take(&walk)?;
            }
        }
        Ok(())
    }

    /// Adds a file, or a directory with all that is in it, by its absolute path.
    pub(crate) fn file(&mut self, wanted: &str) -> Result<()> {
        let refused = |kind, message| Err(Error::new(kind, message).with("key", "files"));
        if !wanted.starts_with('/') {
            return refused(ErrorKind::Config, format!("file {wanted:?} is not an absolute path"));
        }
        let Some(walk) = self.tree.walk(Utf8Path::new(wanted))? else {
            return refused(ErrorKind::NotFound, format!("file {wanted:?} does not exist on this host"));
        };
        if REFUSED.contains(&walk.real.as_str()) {
            return refused(ErrorKind::Config, format!("{wanted} cannot be taken along"));
        }
        self.add(Utf8Path::new(wanted), &walk)
    }

    fn add(&mut self, path: &Utf8Path, walk: &Walk) -> Result<()> {
        self.tree.take(walk)?;
        if walk.stat.kind == FileKind::Directory && self.show {
            self.shown.insert(walk.real.clone());
            return Ok(());
        }
        if !self.done.insert(walk.real.clone()) {
            return Ok(());
        }
        if walk.stat.kind == FileKind::Directory {
            return self.below(&walk.real);
        }
        if Elf::is(&self.tree.head(&walk.real, 4)?) {
            // One that cannot be read is data, whatever it is for.
            if let Ok(elf) = Elf::read(self.tree.host, &walk.real, walk.stat.size) {
                return self.elf(path, walk, elf);
            }
        }
        Ok(())
    }

    fn below(&mut self, dir: &Utf8Path) -> Result<()> {
        for name in self.tree.host.list(&Place::host(dir))? {
            let path = dir.join(name);
            match self.tree.walk(&path)? {
                None => self.tree.take_dangling(&path)?,
                // A link upwards brings nothing that was not asked for.
                Some(up) if dir.starts_with(&up.real) => drop(self.tree.take(&up)?),
                Some(walk) => self.add(&path, &walk)?,
            }
        }
        Ok(())
    }

    /// Adds the loader and the libraries of an ELF file that is there already.
    fn elf(&mut self, path: &Utf8Path, walk: &Walk, elf: Elf) -> Result<()> {
        let loader = Loader::of(elf.interpreter.as_deref(), elf.machine, self.tree.host)?;
        if let Some(interpreter) = &elf.interpreter {
            let interpreter = loader.instead_of_named.as_deref().unwrap_or(Utf8Path::new(interpreter));
            let found = self.tree.walk(interpreter)?;
            let found = found.filter(|found| found.stat.kind == FileKind::File).ok_or_else(|| {
                Error::new(
                    ErrorKind::NotFound,
                    format!("the loader {interpreter:?} is missing: {path} needs it"),
                )
                .hint("the program was made for another system, or for libraries that are not installed")
            })?;
            self.tree.take(&found)?;
        }
        let first = Loaded { path: walk.real.clone(), real: walk.real.clone(), elf, by: None };
        libraries::add(&mut self.tree, &loader, Rc::new(first))
    }
}

fn no_program(path: &Utf8Path, why: &str) -> Error {
    let message = format!("{path:?}{why} is no program: neither ELF nor a script that names its interpreter");
    Error::new(ErrorKind::BadData, message).hint("what is not to be run goes under files")
}
