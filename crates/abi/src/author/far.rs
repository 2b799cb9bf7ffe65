//! The author's side of what is asked: `Observe`, `Work` and `TreeWriter` for a back end whose host is beyond the border.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use abi_stable::sabi_trait::TD_Opaque;
use abi_stable::std_types::{RErr, ROk, ROption, RResult, RSliceMut, RString};
use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{
    Answer, Cancelled, Command, Download, Error, Node, Observe, Output, Progress, Query, Result, Take,
    TreeWriter, Work,
};
use serde::de::DeserializeOwned;

use crate::module::{Content, Content_TO, HostRef};
use crate::text::{error_of, error_text, from_text, to_text};
use crate::{Answered, Ask};

/// Who is meant in errors about what the host said.
const HOST: &str = "qchroot";

/// The host beyond the border.
pub(crate) struct Far<'a> {
    host: HostRef<'a>,
    /// The user has given up, as far as is known.
    cancelled: Arc<AtomicBool>,
}

impl<'a> Far<'a> {
    pub(crate) fn new(host: HostRef<'a>) -> Self {
        Self { host, cancelled: Arc::default() }
    }

    fn ask<T: DeserializeOwned>(&self, ask: &Ask) -> Result<T> {
        from_text(HOST, &self.raw(ask, ROption::RNone)?.json)
    }

    fn raw(&self, ask: &Ask, content: ROption<crate::module::ContentRef<'_>>) -> Result<Answered> {
        match self.host.ask(to_text(ask)?.as_str().into(), content) {
            ROk(told) => {
                self.cancelled.store(told.cancelled, Ordering::Relaxed);
                Ok(Answered { json: told.json.into(), bytes: told.bytes.into() })
            }
            RErr(text) => Err(error_of(HOST, &text)),
        }
    }
}

impl Far<'_> {
    /// What the host has of a file from `offset` on: a part, none at the end.
    fn part(&self, path: &Utf8Path, offset: u64) -> Result<Vec<u8>> {
        Ok(self.raw(&Ask::Part { path: path.into(), offset }, ROption::RNone)?.bytes)
    }

    /// All that the host has of a file from `offset` on, in memory, `read` of which is there.
    fn rest(&self, path: &Utf8Path, offset: u64, mut read: Vec<u8>) -> Result<Box<dyn Read + Send>> {
        loop {
            let part = self.part(path, offset + read.len() as u64)?;
            if part.is_empty() {
                return Ok(Box::new(Cursor::new(read)));
            }
            read.extend(part);
        }
    }
}

impl Observe for Far<'_> {
    fn observe(&self, query: &Query) -> Result<Answer> {
        let told = self.raw(&Ask::Observe { query: query.clone() }, ROption::RNone)?;
        Ok(match from_text(HOST, &told.json)? {
            Answer::Bytes(_) => Answer::Bytes(told.bytes),
            Answer::Reply(reply) => Answer::Reply(qchroot_api::Reply { body: told.bytes, ..reply }),
            answer => answer,
        })
    }
}

/// The work beyond the border.
pub(crate) struct FarWork<'a, 'h> {
    far: &'a Far<'h>,
    tree: FarTree<'a, 'h>,
    staging: Utf8PathBuf,
    cache: Utf8PathBuf,
    log: Utf8PathBuf,
}

impl<'a, 'h> FarWork<'a, 'h> {
    pub(crate) fn new(far: &'a Far<'h>, staging: Utf8PathBuf, cache: Utf8PathBuf, log: Utf8PathBuf) -> Self {
        Self { far, tree: FarTree(far), staging, cache, log }
    }
}

impl Work for FarWork<'_, '_> {
    fn staging(&self) -> &Utf8Path {
        &self.staging
    }

    fn cache(&self) -> &Utf8Path {
        &self.cache
    }

    fn log(&self) -> &Utf8Path {
        &self.log
    }

    fn host(&self) -> &dyn Observe {
        self.far
    }

    fn take(&mut self, from: &Utf8Path, to: &Path, how: Take) -> Result<()> {
        self.far.ask(&Ask::Take { from: from.into(), to: to.into(), how })
    }

    fn take_tree(&mut self, from: &Utf8Path) -> Result<()> {
        self.far.ask(&Ask::TakeTree { from: from.into() })
    }

    fn fetch(&mut self, wanted: &Download) -> Result<Utf8PathBuf> {
        self.far.ask(&Ask::Fetch { wanted: wanted.clone() })
    }

    fn unpack(&mut self, wanted: &[Download]) -> Result<()> {
        self.far.ask(&Ask::Unpack { wanted: wanted.to_vec() })
    }

    fn note(&mut self, line: &str) -> Result<()> {
        self.far.ask(&Ask::Note { line: line.into() })
    }

    fn media(&mut self, image: &Utf8Path) -> Result<Utf8PathBuf> {
        self.far.ask(&Ask::Media { image: image.into() })
    }

    fn tree(&mut self) -> &mut dyn TreeWriter {
        &mut self.tree
    }

    fn progress(&mut self, progress: &Progress) {
        // What cannot be shown is no reason to stop; what is wrong with the host shows at the next question.
        let _: Result<()> = self.far.ask(&Ask::Progress { progress: progress.clone() });
    }

    fn run(&mut self, command: &Command) -> Result<Output> {
        self.far.ask(&Ask::Run { command: command.clone() })
    }

    fn cancelled(&self) -> bool {
        self.far.ask(&Ask::Cancelled).unwrap_or(true)
    }

    /// Threads are told what the last answer said.
    fn cancellation(&self) -> Cancelled {
        let cancelled = Arc::clone(&self.far.cancelled);
        Arc::new(move || cancelled.load(Ordering::Relaxed))
    }

    fn open(&mut self, path: &Utf8PathBuf) -> Result<Box<dyn Read + Send>> {
        self.open_at(path, 0)
    }

    fn open_at(&mut self, path: &Utf8Path, offset: u64) -> Result<Box<dyn Read + Send>> {
        let mut read = self.far.part(path, offset)?;
        let next = self.far.part(path, offset + read.len() as u64)?;
        if next.is_empty() {
            return Ok(Box::new(Cursor::new(read)));
        }
        // A long file is read without asking: it is the same machine, but for one of tests, which has files of its own.
        match File::open(path) {
            Ok(mut file) => match file.seek(SeekFrom::Start(offset)) {
                Ok(_) => Ok(Box::new(file)),
                Err(error) => Err(Error::from_io(&error, format!("cannot read {path}"))),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                read.extend(next);
                self.far.rest(path, offset, read)
            }
            Err(error) => Err(Error::from_io(&error, format!("cannot open {path}"))),
        }
    }
}

struct FarTree<'a, 'h>(&'a Far<'h>);

impl TreeWriter for FarTree<'_, '_> {
    fn write(&mut self, node: &Node, content: &mut dyn Read) -> Result<()> {
        let mut content = Lent(content);
        let lent = Content_TO::from_ptr(&mut content, TD_Opaque);
        self.0.raw(&Ask::Write { node: node.clone() }, ROption::RSome(lent)).map(drop)
    }

    fn finish(&mut self) -> Result<()> {
        self.0.ask(&Ask::Finish)
    }
}

/// A reader of the author's, which may panic.
struct Lent<'a>(&'a mut dyn Read);

impl Content for Lent<'_> {
    fn read(&mut self, mut into: RSliceMut<'_, u8>) -> RResult<usize, RString> {
        let read = super::exported::guard("reading", || {
            self.0.read(into.as_mut_slice()).map_err(|error| Error::from_io(&error, "cannot read"))
        });
        match read {
            Ok(length) => ROk(length),
            Err(error) => RErr(error_text(&error).into()),
        }
    }
}
