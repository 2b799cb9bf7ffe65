//! The work on a desk: what is written is collected, what is fetched was planted. It keeps the rules of the real one as
//! far as a source can break them: no `..`, no entry below a link, a digest that does not fit.

use std::io::{Cursor, Read};
use std::path::{Component, Path, PathBuf};

use qchroot_api::camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{
    Command, Download, Error, ErrorKind, Node, NodeKind, Observe, Output, Progress, Result, Take, TreeWriter,
    Work,
};

use super::desk::not_found;
use super::{Desk, Filled, io};
use crate::sha256_of;

const STAGING: &str = "/desk/staging";
const CACHE: &str = "/desk/cache";

pub(super) struct DeskWork<'a> {
    desk: &'a Desk,
    fetched: Vec<(Utf8PathBuf, Vec<u8>)>,
    filled: Filled,
}

impl<'a> DeskWork<'a> {
    pub(super) fn new(desk: &'a Desk) -> Self {
        Self { desk, fetched: vec![], filled: Filled::default() }
    }

    pub(super) fn filled(self) -> Filled {
        self.filled
    }

    fn add(&mut self, node: &Node, content: Vec<u8>) -> Result<()> {
        let path = inside(&node.path)?;
        for above in path.ancestors().skip(1) {
            match self.filled.entries.get(above).map(|(node, _)| &node.kind) {
                None | Some(NodeKind::Directory) => {}
                Some(_) => return Err(bad(format!("{} is below what is no directory", path.display()))),
            }
        }
        self.filled.entries.insert(path, (node.clone(), content));
        Ok(())
    }

    fn take_one(&mut self, from: &Utf8Path, to: PathBuf) -> Result<()> {
        if let Some(target) = self.desk.link_at(from) {
            return self.add(&Node::link(to, target.as_std_path()), vec![]);
        }
        match self.desk.content(from) {
            Ok(content) => self.add(&Node::file(to, content.len() as u64), content.to_vec()),
            Err(error) => match self.desk.below(from).next() {
                Some(_) => self.add(&Node::directory(to), vec![]),
                None => Err(error),
            },
        }
    }
}

/// A path without `/` and `.` at its front.
fn inside(path: &Path) -> Result<PathBuf> {
    if path.components().any(|part| part == Component::ParentDir) {
        return Err(bad(format!("{} leads out of the tree", path.display())));
    }
    let inside: PathBuf = path.components().filter(|part| matches!(part, Component::Normal(_))).collect();
    Ok(if inside.as_os_str().is_empty() { ".".into() } else { inside })
}

fn bad(message: String) -> Error {
    Error::new(ErrorKind::BadData, message)
}

impl TreeWriter for DeskWork<'_> {
    fn write(&mut self, node: &Node, content: &mut dyn Read) -> Result<()> {
        let mut bytes = vec![];
        if let NodeKind::File { size } = node.kind {
            content.take(size).read_to_end(&mut bytes).map_err(|error| io(&error, node.path.display()))?;
            if bytes.len() as u64 != size {
                return Err(bad(format!("{} has {} bytes, not {size}", node.path.display(), bytes.len())));
            }
        }
        self.add(node, bytes)
    }

    fn finish(&mut self) -> Result<()> {
        self.filled.finished = true;
        Ok(())
    }
}

impl Work for DeskWork<'_> {
    fn staging(&self) -> &Utf8Path {
        STAGING.into()
    }

    fn cache(&self) -> &Utf8Path {
        CACHE.into()
    }

    fn log(&self) -> &Utf8Path {
        "/desk/log".into()
    }

    fn host(&self) -> &dyn Observe {
        self.desk
    }

    fn take(&mut self, from: &Utf8Path, to: &Path, _how: Take) -> Result<()> {
        self.take_one(from, to.to_owned())
    }

    fn take_tree(&mut self, from: &Utf8Path) -> Result<()> {
        self.add(&Node::directory("."), vec![])?;
        for path in self.desk.below(from) {
            let to = path.strip_prefix(from).unwrap_or(path).as_std_path().to_owned();
            self.take_one(path, to)?;
        }
        Ok(())
    }

    fn fetch(&mut self, wanted: &Download) -> Result<Utf8PathBuf> {
        let found = wanted.addresses.iter().find_map(|address| self.desk.replies.get(address));
        let reply = found.filter(|reply| reply.status == 200).ok_or_else(|| not_found(&wanted.name))?;
        let digest = sha256_of(&reply.body);
        if wanted.sha256.as_ref().is_some_and(|expected| *expected != digest) {
            return Err(bad(format!("{} has SHA-256 {digest}, not what was wanted", wanted.name)));
        }
        if wanted.size.is_some_and(|size| size != reply.body.len() as u64) {
            return Err(bad(format!("{} is {} bytes long", wanted.name, reply.body.len())));
        }
        let path = Utf8Path::new(CACHE).join(digest);
        self.fetched.push((path.clone(), reply.body.clone()));
        Ok(path)
    }

    fn unpack(&mut self, wanted: &[Download]) -> Result<()> {
        for one in wanted {
            let found = one.addresses.iter().find_map(|address| self.desk.archives.get(address));
            for (node, content) in found.ok_or_else(|| not_found(&one.name))? {
                self.add(node, content.clone())?;
            }
        }
        Ok(())
    }

    fn note(&mut self, line: &str) -> Result<()> {
        self.filled.notes.push(line.to_owned());
        Ok(())
    }

    fn media(&mut self, image: &Utf8Path) -> Result<Utf8PathBuf> {
        Err(Error::new(ErrorKind::Unavailable, format!("{image} cannot be mounted on a desk")))
    }

    fn tree(&mut self) -> &mut dyn TreeWriter {
        self
    }

    fn progress(&mut self, progress: &Progress) {
        self.filled.progress.push(progress.clone());
    }

    fn run(&mut self, command: &Command) -> Result<Output> {
        self.desk.output(&command.argv)
    }

    fn cancelled(&self) -> bool {
        self.desk.cancelled
    }

    fn open(&mut self, path: &Utf8PathBuf) -> Result<Box<dyn Read + Send>> {
        let staged =
            path.strip_prefix(STAGING).ok().and_then(|path| self.filled.entries.get(path.as_std_path()));
        let fetched = self.fetched.iter().find(|(at, _)| at == path);
        let content = match (staged, fetched) {
            (Some((_, content)), _) | (None, Some((_, content))) => content.clone(),
            (None, None) => self.desk.content(path)?.to_vec(),
        };
        Ok(Box::new(Cursor::new(content)))
    }
}
