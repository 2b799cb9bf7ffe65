//! What a release source is handed: the writer into its staging directory, programs, progress. It knows no
//! source.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{
    Cancelled, Command, Download, Error, ErrorKind, Observe, Output, Progress, Result, Take, TreeWriter, Work,
};
use qchroot_engine::Workplace;
use rustix::fd::OwnedFd;

use crate::errors::OrError;
use crate::process::log::{self, Log};
use crate::running::{Listener, Stream};
use crate::writer::Writer;
use crate::{command, copy, os, own, take};

/// The work in one staging directory.
pub(crate) struct Staging<'a> {
    machine: &'a dyn Observe,
    place: Workplace,
    writer: Writer,
    /// Opened when the first program is run.
    log: Option<Log>,
    show: &'a mut dyn FnMut(&Progress),
    cancelled: &'a Arc<AtomicBool>,
    /// Images that are open as directories; they end with the work.
    media: Vec<OwnedFd>,
}

impl<'a> Staging<'a> {
    /// Opens the staging directory, which exists.
    pub(crate) fn open(
        machine: &'a dyn Observe,
        place: &Workplace,
        show: &'a mut dyn FnMut(&Progress),
        cancelled: &'a Arc<AtomicBool>,
    ) -> Result<Self> {
        let writer = Writer::open(&place.staging)?;
        Ok(Self { machine, place: place.clone(), writer, log: None, show, cancelled, media: vec![] })
    }

    fn open_log(&mut self) -> Result<&mut Log> {
        if self.log.is_none() {
            if let Some(dir) = self.place.log.parent() {
                own::make_dir(dir)?;
            }
            self.log = Some(Log::open(&self.place.log)?);
        }
        self.log.as_mut().ok_or_else(|| Error::new(ErrorKind::Internal, "no log"))
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

    fn host(&self) -> &dyn Observe {
        self.machine
    }

    fn take(&mut self, from: &Utf8Path, to: &Path, how: Take) -> Result<()> {
        take::take(&mut self.writer, from, to, how)
    }

    fn take_tree(&mut self, from: &Utf8Path) -> Result<()> {
        copy::copy_onto(from, self.place.staging.as_path(), &|| !self.cancelled.load(Ordering::Relaxed))
    }

    fn fetch(&mut self, wanted: &Download) -> Result<Utf8PathBuf> {
        qchroot_unpack::fetch_download(wanted, self)
    }

    fn unpack(&mut self, wanted: &[Download]) -> Result<()> {
        qchroot_unpack::unpack_downloads(wanted, self)
    }

    fn note(&mut self, line: &str) -> Result<()> {
        self.open_log()?.remark(&log::shown(line.as_bytes()));
        Ok(())
    }

    fn media(&mut self, image: &Utf8Path) -> Result<Utf8PathBuf> {
        let (mount, path) = os::media::open(image)?;
        self.media.push(mount);
        Ok(path)
    }

    fn tree(&mut self) -> &mut dyn TreeWriter {
        &mut self.writer
    }

    fn progress(&mut self, progress: &Progress) {
        (self.show)(progress);
    }

    fn run(&mut self, command: &Command) -> Result<Output> {
        let words = log::shown(command.argv.join(" ").as_bytes());
        self.open_log()?.remark(&format!("{words}: begins"));
        let output = command::run(command, self);
        let end = match &output {
            Ok(output) => format!("status {}", output.status),
            Err(error) => error.to_string(),
        };
        self.open_log()?.remark(&format!("{words}: {end}"));
        output
    }

    fn cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    fn cancellation(&self) -> Cancelled {
        let cancelled = Arc::clone(self.cancelled);
        Arc::new(move || cancelled.load(Ordering::Relaxed))
    }

    fn open(&mut self, path: &Utf8PathBuf) -> Result<Box<dyn Read + Send>> {
        let file = File::open(path).or_error(|| format!("cannot open {path}"))?;
        Ok(Box::new(file))
    }

    fn open_at(&mut self, path: &Utf8Path, offset: u64) -> Result<Box<dyn Read + Send>> {
        let message = || format!("cannot open {path}");
        let mut file = File::open(path).or_error(message)?;
        file.seek(SeekFrom::Start(offset)).or_error(message)?;
        Ok(Box::new(file))
    }
}

impl Listener for Staging<'_> {
    fn line(&mut self, stream: Stream, line: &[u8]) {
        if let Some(log) = &mut self.log {
            log.take(line);
            log.finish_line();
        }
        if stream == Stream::Error {
            (self.show)(&Progress { what: log::shown(line), ..Progress::default() });
        }
    }

    fn gave_up(&self) -> bool {
        self.cancelled()
    }
}
