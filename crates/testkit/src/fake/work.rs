//! What a release source is handed on the fake machine: a writer into its staging directory in memory, and
//! the programs that a test registered.

use std::io::{Cursor, Read};
use std::path::{Component, Path};

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{
    Command, Download, Error, ErrorKind, Node, NodeKind, Observe, Output, Place, Progress, Result, Take,
    TreeWriter, Work,
};
use qchroot_engine::Workplace;

use super::node::{Body, Inode};
use super::resolve::Found;
use super::state::State;
use super::{FakeHost, call, change, refuse};

pub(crate) struct FakeWork<'a> {
    tree: Writer,
    place: Workplace,
    show: &'a mut dyn FnMut(&Progress),
}

impl<'a> FakeWork<'a> {
    pub(crate) fn new(
        host: &FakeHost,
        place: &Workplace,
        show: &'a mut dyn FnMut(&Progress),
    ) -> Result<Self> {
        let staging = &place.staging;
        let state = call(host)?;
        match state.tree.look(&Place::host(staging))? {
            Some((found, inode)) if inode.is_directory() && state.tree.list(&found).is_empty() => {}
            _ => return Err(Error::new(ErrorKind::Internal, format!("{staging} is not an empty directory"))),
        }
        drop(state);
        let tree = Writer { host: host.clone(), staging: staging.clone() };
        Ok(Self { tree, place: place.clone(), show })
    }
}

impl Work for FakeWork<'_> {
    fn staging(&self) -> &Utf8Path {
        &self.tree.staging
    }

    fn cache(&self) -> &Utf8Path {
        &self.place.cache
    }

    fn log(&self) -> &Utf8Path {
        &self.place.log
    }

    fn host(&self) -> &dyn Observe {
        &self.tree.host
    }

    fn take(&mut self, from: &Utf8Path, to: &Path, _how: Take) -> Result<()> {
        // Whichever way a file is taken, the two are the same until one of them changes.
        let state = call(&self.tree.host)?;
        let found = state.tree.host(from, false)?;
        let inode = state.tree.get(&found).cloned();
        drop(state);
        let failed = |kind, why| Err(refuse(kind, format!("cannot take {from}"), why));
        match inode {
            None => failed(ErrorKind::NotFound, "no such file or directory"),
            Some(Inode { body: Body::Device { .. } | Body::Fifo | Body::Whiteout, .. }) => {
                failed(ErrorKind::BadData, "neither a file nor a link nor a directory")
            }
            Some(inode) => change(&self.tree.host, |state| {
                let at = beneath(state, &self.tree.staging, &below(to)?)?;
                put(state, &at, inode)
            }),
        }
    }

    fn take_tree(&mut self, from: &Utf8Path) -> Result<()> {
        let all = {
            let state = call(&self.tree.host)?;
            let found = state.tree.host(from, true)?;
            state.tree.subtree(&found)
        };
        all.into_iter().try_for_each(|(path, inode)| {
            change(&self.tree.host, |state| {
                let at = beneath(state, &self.tree.staging, &path)?;
                put(state, &at, inode)
            })
        })
    }

    fn fetch(&mut self, wanted: &Download) -> Result<Utf8PathBuf> {
        qchroot_unpack::fetch_download(wanted, self)
    }

    fn unpack(&mut self, wanted: &[Download]) -> Result<()> {
        qchroot_unpack::unpack_downloads(wanted, self)
    }

    fn note(&mut self, line: &str) -> Result<()> {
        let _ = line; // nobody reads the log of the fake machine
        Ok(())
    }

    fn media(&mut self, image: &Utf8Path) -> Result<Utf8PathBuf> {
        Err(refuse(ErrorKind::Unavailable, format!("{image} cannot be mounted"), "no loop devices"))
    }

    fn tree(&mut self) -> &mut dyn TreeWriter {
        &mut self.tree
    }

    fn progress(&mut self, progress: &Progress) {
        (self.show)(progress);
    }

    fn run(&mut self, command: &Command) -> Result<Output> {
        let name = command.argv.first().map_or("", String::as_str);
        match change(&self.tree.host, |state| Ok(state.programs.get(name).cloned()))? {
            Some(program) => Ok(program(&command.argv)),
            None => call(&self.tree.host)?.run(&command.argv),
        }
    }

    fn cancelled(&self) -> bool {
        self.tree.host.is_crashed()
    }

    fn open(&mut self, path: &Utf8PathBuf) -> Result<Box<dyn Read + Send>> {
        let state = call(&self.tree.host)?;
        let found = state.tree.host(path, true)?;
        match state.tree.get(&found).map(|inode| &inode.body) {
            Some(Body::File(content)) => Ok(Box::new(Cursor::new(content.clone()))),
            _ => Err(refuse(ErrorKind::NotFound, format!("cannot open {path}"), "no such file")),
        }
    }
}

struct Writer {
    host: FakeHost,
    staging: Utf8PathBuf,
}

impl TreeWriter for Writer {
    fn write(&mut self, node: &Node, content: &mut dyn Read) -> Result<()> {
        let path = below(&node.path)?;
        let data = match node.kind {
            NodeKind::File { size } => read_exactly(content, size, &path)?,
            _ => vec![],
        };
        change(&self.host, |state| {
            let at = beneath(state, &self.staging, &path)?;
            let body = body(state, &self.staging, node, data)?;
            let inode =
                Inode { body, mode: node.mode, uid: node.uid, gid: node.gid, mtime: node.mtime, project: 0 };
            put(state, &at, inode)
        })
    }

    fn finish(&mut self) -> Result<()> {
        call(&self.host).map(drop)
    }
}

/// The path below the staging directory, as text; bytes that are not UTF-8 are replaced.
fn below(path: &Path) -> Result<Utf8PathBuf> {
    let mut out = Utf8PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(part) => out.push(part.to_string_lossy().as_ref()),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
            Component::ParentDir => {
                return Err(bad(path.display(), "its path has .. in it"));
            }
        }
    }
    Ok(out)
}

fn read_exactly(content: &mut dyn Read, size: u64, path: &Utf8Path) -> Result<Vec<u8>> {
    let mut data = vec![];
    let read = content.take(size).read_to_end(&mut data);
    let read = read.map_err(|error| Error::from_io(&error, format!("cannot read {path}")))?;
    if read as u64 == size { Ok(data) } else { Err(bad(path, "it ends too early")) }
}

/// The place of an entry, its missing parents made; no link on the way is followed.
fn beneath(state: &mut State, staging: &Utf8Path, path: &Utf8Path) -> Result<Found> {
    let ancestors: Vec<&Utf8Path> = path.ancestors().skip(1).collect();
    for dir in ancestors.into_iter().rev() {
        let found = state.tree.host(&staging.join(dir), false)?;
        match state.tree.get(&found) {
            Some(inode) if inode.is_directory() => {}
            Some(inode) => return Err(bad(path, &format!("{dir} on the way is {}", inode.words()))),
            None => state.tree.put(&found, Inode::directory(0o755))?,
        }
    }
    state.tree.host(&staging.join(path), false)
}

fn body(state: &State, staging: &Utf8Path, node: &Node, data: Vec<u8>) -> Result<Body> {
    Ok(match &node.kind {
        NodeKind::Directory => Body::Directory { opaque: is_opaque(node) },
        NodeKind::File { .. } => Body::File(data),
        NodeKind::Symlink { to } => Body::Link(to.to_string_lossy().as_ref().into()),
        NodeKind::Device { block: false, major: 0, minor: 0 } => Body::Whiteout,
        NodeKind::Device { block, major, minor } => {
            Body::Device { block: *block, major: *major, minor: *minor }
        }
        NodeKind::Fifo => Body::Fifo,
        NodeKind::HardLink { to } => {
            let found = state.tree.host(&staging.join(below(to)?), false)?;
            let there = state.tree.get(&found).filter(|inode| matches!(inode.body, Body::File(_)));
            there
                .ok_or_else(|| bad(node.path.display(), "it is another name of what is not there"))?
                .body
                .clone()
        }
    })
}

fn is_opaque(node: &Node) -> bool {
    node.xattrs.iter().any(|(name, value)| name == b"trusted.overlay.opaque" && value == b"y")
}

/// A later entry replaces an earlier one; a directory stays and takes the new attributes.
fn put(state: &mut State, at: &Found, inode: Inode) -> Result<()> {
    match state.tree.get(at) {
        Some(old) if old.is_directory() && !inode.is_directory() => {
            Err(bad(&at.seen, "a directory is there"))
        }
        _ => state.tree.put(at, inode),
    }
}

fn bad(path: impl std::fmt::Display, why: &str) -> Error {
    refuse(ErrorKind::BadData, format!("bad entry {path}"), why)
}
