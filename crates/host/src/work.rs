//! What a release source is handed: the writer into its staging directory, programs, progress. It knows no
//! source.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Command, Error, ErrorKind, Output, Progress, Result, Take, TreeWriter, Work};
use qchroot_engine::Workplace;

use crate::errors::OrError;
use crate::writer::Writer;
use crate::{command, take};

/// The work in one staging directory.
pub(crate) struct Staging<'a> {
    place: Workplace,
    writer: Writer,
    show: &'a mut dyn FnMut(&Progress),
    cancelled: &'a AtomicBool,
}

impl<'a> Staging<'a> {
    /// Opens the staging directory, which exists.
    pub(crate) fn open(
        place: &Workplace,
        show: &'a mut dyn FnMut(&Progress),
        cancelled: &'a AtomicBool,
    ) -> Result<Self> {
        Ok(Self { place: place.clone(), writer: Writer::open(&place.staging)?, show, cancelled })
    }
}

impl Work for Staging<'_> {
    fn staging(&self) -> &Utf8Path {
        &self.place.staging
    }

    fn cache(&self) -> &Utf8Path {
        &self.place.cache
    }

    fn log(&self) -> &Utf8Path {
        &self.place.log
    }

    fn take(&mut self, from: &Utf8Path, to: &Path, how: Take) -> Result<()> {
        take::take(&mut self.writer, from, to, how)
    }

    fn media(&mut self, image: &Utf8Path) -> Result<Utf8PathBuf> {
        Err(Error::new(ErrorKind::Unavailable, format!("{image} cannot be mounted")))
    }

    fn tree(&mut self) -> &mut dyn TreeWriter {
        &mut self.writer
    }

    fn progress(&mut self, progress: &Progress) {
        (self.show)(progress);
    }

    fn run(&mut self, command: &Command) -> Result<Output> {
        command::run(command, &mut |line| {
            (self.show)(&Progress { what: line.to_owned(), ..Progress::default() });
            !self.cancelled.load(Ordering::Relaxed)
        })
    }

    fn cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    fn open(&mut self, path: &Utf8PathBuf) -> Result<Box<dyn Read + Send>> {
        let file = File::open(path).or_error(|| format!("cannot open {path}"))?;
        Ok(Box::new(file))
    }
}
