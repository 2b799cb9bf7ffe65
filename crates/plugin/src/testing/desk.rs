//! The host that a test plants: files, answers, what is to be had from the network. It only answers.

use std::collections::{BTreeMap, BTreeSet};

use qchroot_api::camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{
    Answer, Error, ErrorKind, FileKind, Node, Observe, Output, Place, Platform, ProgramOutput, Query,
    Release, ReleaseSource, Reply, Result, Stat,
};

use super::Filled;
use super::work::DeskWork;

/// A host in memory.
#[derive(Debug, Clone, Default)]
pub struct Desk {
    files: BTreeMap<Utf8PathBuf, Vec<u8>>,
    links: BTreeMap<Utf8PathBuf, Utf8PathBuf>,
    answers: Vec<(Query, Answer)>,
    pub(super) replies: BTreeMap<String, Reply>,
    pub(super) archives: BTreeMap<String, Vec<(Node, Vec<u8>)>>,
    pub(super) outputs: Vec<(Vec<String>, Output)>,
    pub(super) cancelled: bool,
}

impl Desk {
    /// An empty host: Linux, `desk-1`, no file.
    #[must_use]
    pub fn new() -> Self {
        let desk = Self::default();
        desk.with_answer(Query::Platform, Answer::Platform(Platform::Linux))
            .with_answer(Query::HostRelease, Answer::Text("desk-1".into()))
    }

    /// With a regular file, mode 0644, of the superuser's.
    #[must_use]
    pub fn with_file(mut self, path: impl Into<Utf8PathBuf>, content: impl AsRef<[u8]>) -> Self {
        self.files.insert(path.into(), content.as_ref().to_vec());
        self
    }

    /// With a symbolic link.
    #[must_use]
    pub fn with_link(mut self, path: impl Into<Utf8PathBuf>, to: impl Into<Utf8PathBuf>) -> Self {
        self.links.insert(path.into(), to.into());
        self
    }

    /// With the answer to one question; the answer planted last counts.
    #[must_use]
    pub fn with_answer(mut self, query: Query, answer: Answer) -> Self {
        self.answers.insert(0, (query, answer));
        self
    }

    /// With what a program prints that is asked something, or that a plan of work runs; it ends with 0.
    #[must_use]
    pub fn with_output(mut self, argv: &[&str], stdout: &str) -> Self {
        let argv = argv.iter().map(|&word| word.to_owned()).collect();
        self.outputs.push((argv, Output { status: 0, stdout: stdout.into(), stderr: String::new() }));
        self
    }

    /// With content at an address.
    #[must_use]
    pub fn with_download(self, address: &str, content: impl AsRef<[u8]>) -> Self {
        self.with_reply(address, Reply { status: 200, headers: vec![], body: content.as_ref().to_vec() })
    }

    /// With what a server says at an address.
    #[must_use]
    pub fn with_reply(mut self, address: &str, reply: Reply) -> Self {
        self.replies.insert(address.into(), reply);
        self
    }

    /// With an archive at an address, by what is unpacked from it.
    #[must_use]
    pub fn with_archive(mut self, address: &str, entries: &[(Node, &str)]) -> Self {
        let entries = entries.iter().map(|(node, text)| (node.clone(), text.as_bytes().to_vec()));
        self.archives.insert(address.into(), entries.collect());
        self
    }

    /// With a user who has given up.
    #[must_use]
    pub fn cancelled(self) -> Self {
        Self { cancelled: true, ..self }
    }

    /// Lets a source fill a staging directory.
    ///
    /// # Errors
    /// What the source says.
    pub fn fill(&self, source: &dyn ReleaseSource, release: &Release) -> Result<Filled> {
        let mut work = DeskWork::new(self);
        source.fill(release, &mut work)?;
        Ok(work.filled())
    }

    /// The content of a file, through links.
    pub(super) fn content(&self, path: &Utf8Path) -> Result<&[u8]> {
        let host: &dyn Observe = self;
        let real = host.real_path(path)?;
        self.files.get(&real).map(Vec::as_slice).ok_or_else(|| not_found(path))
    }

    pub(super) fn link_at(&self, path: &Utf8Path) -> Option<&Utf8PathBuf> {
        self.links.get(path)
    }

    /// Files and links below a directory.
    pub(super) fn below<'a>(&'a self, dir: &'a Utf8Path) -> impl Iterator<Item = &'a Utf8PathBuf> {
        let all = self.files.keys().chain(self.links.keys());
        all.filter(move |path| path.starts_with(dir) && *path != dir)
    }

    fn stat(&self, path: &Utf8Path) -> Option<Stat> {
        let (kind, mode, size) = match (self.files.get(path), self.links.get(path)) {
            (Some(content), _) => (FileKind::File, 0o644, content.len() as u64),
            (None, Some(to)) => (FileKind::Link, 0o777, to.as_str().len() as u64),
            (None, None) if path == "/" => (FileKind::Directory, 0o755, 0),
            (None, None) => {
                self.below(path).next()?;
                (FileKind::Directory, 0o755, 0)
            }
        };
        Some(Stat { kind, mode, uid: 0, gid: 0, size, mtime: (0, 0), links: 1, id: (1, 1), device: None })
    }

    fn list(&self, path: &Utf8Path) -> Result<Vec<String>> {
        let names: BTreeSet<String> = self
            .below(path)
            .filter_map(|below| below.strip_prefix(path).ok()?.iter().next().map(str::to_owned))
            .collect();
        if names.is_empty() { Err(not_found(path)) } else { Ok(names.into_iter().collect()) }
    }

    fn looked(&self, query: &Query) -> Result<Answer> {
        Ok(match query {
            Query::Stat { at } => Answer::Stat(self.stat(&on_host(at))),
            Query::Link { at } => Answer::Path(self.links.get(&on_host(at)).cloned()),
            Query::List { at } => Answer::Names(self.list(&on_host(at))?),
            Query::Read { at } => {
                Answer::Text(String::from_utf8_lossy(self.content(&on_host(at))?).into_owned())
            }
            Query::Bytes { at, offset, length } => {
                let content = self.content(&on_host(at))?.iter();
                let (skip, most) = (usize::try_from(*offset), usize::try_from(*length));
                let part = content.skip(skip.unwrap_or(usize::MAX)).take(most.unwrap_or(usize::MAX));
                Answer::Bytes(part.copied().collect())
            }
            Query::Get { address, .. } => {
                let reply = self.replies.get(address).cloned();
                Answer::Reply(reply.unwrap_or(Reply { status: 404, ..Reply::default() }))
            }
            Query::Program { name } => {
                let found =
                    ["/usr/bin", "/usr/sbin", "/bin", "/sbin"].map(|dir| Utf8Path::new(dir).join(name));
                Answer::Path(found.into_iter().find(|path| self.stat(path).is_some()))
            }
            Query::Ask { argv } => {
                let Output { status, stdout, stderr } = self.output(argv)?;
                Answer::Output(ProgramOutput { status, stdout, stderr })
            }
            other => {
                let message = format!("this desk has no answer to {other:?}");
                return Err(Error::new(ErrorKind::Internal, message).hint("plant one: Desk::with_answer"));
            }
        })
    }

    pub(super) fn output(&self, argv: &[String]) -> Result<Output> {
        let found = self.outputs.iter().rev().find(|(planted, _)| planted == argv);
        found.map(|(_, output)| output.clone()).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("there is no program {argv:?} on this desk"))
                .hint("plant what it prints: Desk::with_output")
        })
    }
}

impl Observe for Desk {
    fn observe(&self, query: &Query) -> Result<Answer> {
        let planted = self.answers.iter().find(|(planted, _)| planted == query);
        planted.map_or_else(|| self.looked(query), |(_, answer)| Ok(answer.clone()))
    }
}

fn on_host(at: &Place) -> Utf8PathBuf {
    at.lexical()
}

pub(super) fn not_found(what: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::NotFound, format!("{what} does not exist on this desk"))
}
