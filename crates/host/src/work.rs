//! What a release source is handed: the writer into its staging directory, programs, progress. It knows no
//! source.

use std::fs::File;
use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Command, Output, Progress, Result, TreeWriter, Work};

use crate::command;
use crate::errors::OrError;
use crate::writer::Writer;

/// The work in one staging directory.
pub(crate) struct Staging<'a> {
    staging: Utf8PathBuf,
    writer: Writer,
    show: &'a mut dyn FnMut(&Progress),
    cancelled: &'a AtomicBool,
}

impl<'a> Staging<'a> {
    /// Opens the staging directory, which exists.
    pub(crate) fn open(
        staging: &Utf8Path,
        show: &'a mut dyn FnMut(&Progress),
        cancelled: &'a AtomicBool,
    ) -> Result<Self> {
        Ok(Self { staging: staging.to_owned(), writer: Writer::open(staging)?, show, cancelled })
    }
}

impl Work for Staging<'_> {
    fn staging(&self) -> &Utf8Path {
        &self.staging
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
