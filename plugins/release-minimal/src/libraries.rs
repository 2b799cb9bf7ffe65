//! Finds the libraries of one program in the order in which its loader would: ld.so(8), rtld(1). It does not know
//! what the program is for.

use std::collections::{HashSet, VecDeque};
use std::rc::Rc;

use qchroot_api::camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Error, ErrorKind, FileKind, Result};

use crate::elf::{Elf, Machine};
use crate::loader::{Candidate, Loader};
use crate::tree::{Tree, Walk};

/// A program or a library in the order of loading.
pub(crate) struct Loaded {
    /// As it was found.
    pub(crate) path: Utf8PathBuf,
    /// Without links.
    pub(crate) real: Utf8PathBuf,
    pub(crate) elf: Elf,
    /// Who needs it; none for the first.
    pub(crate) by: Option<Rc<Loaded>>,
}

impl Loaded {
    fn origins(&self) -> Vec<&Utf8Path> {
        [&self.path, &self.real].into_iter().filter_map(|path| path.parent()).collect()
    }

    /// This, who needs it, and so on up to the program.
    fn chain(&self) -> impl Iterator<Item = &Loaded> {
        std::iter::successors(Some(self), |loaded| loaded.by.as_deref())
    }
}

/// Takes along what `first` needs, and what that needs.
///
/// # Errors
/// Not found, when a library is missing; the error says who needs it and where it was looked for.
pub(crate) fn add(tree: &mut Tree<'_>, loader: &Loader, first: Rc<Loaded>) -> Result<()> {
    // The loader itself counts as loaded.
    let mut names: HashSet<String> =
        first.elf.interpreter.iter().filter_map(|path| file_name(path)).collect();
    let mut files = HashSet::from([first.real.clone()]);
    let mut queue = VecDeque::from([first]);
    while let Some(loaded) = queue.pop_front() {
        for name in &loaded.elf.needed {
            if loader.is_itself(name) || !names.insert(name.clone()) {
                continue;
            }
            let library = find(tree, loader, &loaded, name)?;
            names.extend(library.elf.soname.clone());
            if files.insert(library.real.clone()) {
                queue.push_back(Rc::new(library));
            }
        }
    }
    Ok(())
}

fn find(tree: &mut Tree<'_>, loader: &Loader, by: &Rc<Loaded>, wanted: &str) -> Result<Loaded> {
    let name = loader.mapped.of(wanted).unwrap_or(wanted);
    if name != wanted {
        loader.mapped.files.iter().try_for_each(|file| take_configuration(tree, file))?;
    }
    let candidates = candidates(loader, by, name);
    for Candidate { dir, by_configuration } in &candidates {
        let path = if name.contains('/') { Utf8PathBuf::from(name) } else { dir.join(name) };
        let Some((walk, elf)) = fitting(tree, &path, by.elf.machine)? else { continue };
        tree.take(&walk)?;
        if let Some(file) = loader.configuration.as_ref().filter(|_| *by_configuration) {
            take_configuration(tree, file)?;
        }
        return Ok(Loaded { path, real: walk.real, elf, by: Some(Rc::clone(by)) });
    }
    Err(missing(name, by, &candidates))
}

/// The loader has to know inside what it knows on the host.
fn take_configuration(tree: &mut Tree<'_>, file: &Utf8Path) -> Result<()> {
    match tree.walk(file)? {
        Some(walk) => tree.take(&walk).map(drop),
        None => Ok(()),
    }
}

/// Where a library is looked for, in order. A name with a slash is a path, and looked for nowhere.
fn candidates(loader: &Loader, by: &Loaded, name: &str) -> Vec<Candidate> {
    let own = |dir| Candidate { dir, by_configuration: false };
    if name.contains('/') {
        return if name.starts_with('/') { vec![own("/".into())] } else { vec![] };
    }
    let mut dirs = vec![];
    let mut add = |elements: &[String], of: &Loaded| {
        dirs.extend(elements.iter().flat_map(|element| loader.expand(element, &of.origins())).map(own));
    };
    if by.elf.runpath.is_none() {
        by.chain().filter(|up| up.elf.runpath.is_none()).for_each(|up| add(&up.elf.rpath, up));
    }
    for up in by.chain().take(if loader.inherits_runpath() { usize::MAX } else { 1 }) {
        add(up.elf.runpath.as_deref().unwrap_or_default(), up);
    }
    dirs.extend(loader.own(by.elf.no_defaults));
    dirs
}

/// The library at a path, if it is one for this machine.
fn fitting(tree: &Tree<'_>, path: &Utf8Path, machine: Machine) -> Result<Option<(Walk, Elf)>> {
    let Some(walk) = tree.walk(path)?.filter(|walk| walk.stat.kind == FileKind::File) else {
        return Ok(None);
    };
    let elf = Elf::read(tree.host, &walk.real, walk.stat.size).ok();
    Ok(elf.filter(|elf| elf.machine == machine).map(|elf| (walk, elf)))
}

fn missing(name: &str, by: &Loaded, candidates: &[Candidate]) -> Error {
    let mut dirs: Vec<&str> = candidates.iter().map(|candidate| candidate.dir.as_str()).collect();
    let mut seen = HashSet::new();
    dirs.retain(|dir| seen.insert(*dir));
    let bits = if by.elf.machine.wide { 64 } else { 32 };
    Error::new(ErrorKind::NotFound, format!("library {name:?} is missing: {} needs it", by.path))
        .cause(format!("no library of {bits} bits for its machine in {}", dirs.join(", ")))
        .hint("install on the host what the library belongs to")
        .with("library", name)
}

fn file_name(path: &str) -> Option<String> {
    Utf8Path::new(path).file_name().map(str::to_owned)
}
