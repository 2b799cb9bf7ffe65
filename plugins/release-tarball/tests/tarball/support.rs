//! Ways to ask the source, real programs that make archives, and archives made by hand.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use qchroot_api::{Error, ErrorKind, Options, Release, ReleaseSource, ReleaseWish, Result};
use qchroot_engine::{Host, Workplace};
use qchroot_host::Machine;
use qchroot_release_tarball::Tarball;
use tar::{Builder, EntryType, Header};
use tempfile::TempDir;

pub(crate) fn options(path: &Path) -> Options {
    Options::from_iter([("path".to_owned(), path.to_str().unwrap().into())])
}

pub(crate) fn resolve(options: Options, any: bool) -> Result<Release> {
    Tarball.resolve(&ReleaseWish { release: None, any, options }, &Machine::new())
}

pub(crate) fn fill(release: &Release, staging: &Path) -> Result<()> {
    let machine = Machine::new();
    assert!(machine.is_superuser(), "this test must be run as root");
    let mut show = |_: &qchroot_api::Progress| {};
    let mut work = machine.work(&Workplace::beside(staging.try_into().unwrap()), &mut show)?;
    Tarball.fill(release, work.as_mut())
}

#[track_caller]
pub(crate) fn says(error: &Error, kind: ErrorKind, words: &[&str]) {
    let text = format!("{error} {}", error.hint_text().unwrap_or(""));
    assert!(error.kind() == kind && words.iter().all(|word| text.contains(word)), "{kind:?} {text}");
}

/// Runs a program in `dir`; what it printed.
#[expect(clippy::disallowed_methods, reason = "the test does as a user does")]
pub(crate) fn run(dir: &Path, line: &str) -> String {
    let mut words = line.split(' ');
    let output = Command::new(words.next().unwrap()).args(words).current_dir(dir).output();
    let output = output.unwrap_or_else(|error| panic!("{line}: {error}: is the package installed?"));
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A directory with a staging directory in it, to be looked at whole.
pub(crate) struct Lab {
    dir: TempDir,
}

impl Lab {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("staging")).unwrap();
        Self { dir }
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// A path below the staging directory.
    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.dir.path().join("staging").join(path)
    }

    /// Unpacks the archive, whatever it is.
    pub(crate) fn unpack(&self, archive: &Path) -> Result<()> {
        fill(&resolve(options(archive), true).unwrap(), &self.at(""))
    }

    /// Unpacks an archive with these entries.
    pub(crate) fn write(&self, entries: &[Entry]) -> Result<()> {
        let path = self.dir.path().join("made.tar");
        let mut tar = Builder::new(File::create(&path).unwrap());
        entries.iter().for_each(|entry| entry.append(&mut tar));
        tar.into_inner().unwrap();
        self.unpack(&path)
    }
}

/// One entry, its name written as it is.
pub(crate) struct Entry {
    name: Vec<u8>,
    kind: EntryType,
    link: String,
    mode: u32,
    content: Vec<u8>,
    pax: Vec<(&'static str, Vec<u8>)>,
}

impl Entry {
    fn new(name: impl Into<Vec<u8>>, kind: EntryType, link: &str, content: &[u8]) -> Self {
        let (name, link, content) = (name.into(), link.to_owned(), content.to_vec());
        Self { name, kind, link, mode: 0o755, content, pax: vec![] }
    }

    pub(crate) fn file(name: impl Into<Vec<u8>>, content: &str) -> Self {
        Self::new(name, EntryType::Regular, "", content.as_bytes())
    }

    pub(crate) fn dir(name: impl Into<Vec<u8>>) -> Self {
        Self::new(name, EntryType::Directory, "", b"")
    }

    pub(crate) fn symlink(name: impl Into<Vec<u8>>, to: &str) -> Self {
        Self::new(name, EntryType::Symlink, to, b"")
    }

    pub(crate) fn hard(name: impl Into<Vec<u8>>, to: &str) -> Self {
        Self::new(name, EntryType::Link, to, b"")
    }

    pub(crate) fn special(name: impl Into<Vec<u8>>, kind: EntryType) -> Self {
        Self::new(name, kind, "", b"")
    }

    pub(crate) fn mode(self, mode: u32) -> Self {
        Self { mode, ..self }
    }

    /// With a pax record.
    pub(crate) fn with(mut self, key: &'static str, value: impl Into<Vec<u8>>) -> Self {
        self.pax.push((key, value.into()));
        self
    }

    fn append(&self, tar: &mut Builder<File>) {
        let mut header = Header::new_gnu();
        let mut pax = self.pax.clone();
        let field = &mut header.as_old_mut().name;
        if self.name.len() > field.len() {
            pax.push(("path", self.name.clone()));
        } else {
            field[..self.name.len()].copy_from_slice(&self.name);
        }
        if self.link.len() > 100 {
            pax.push(("linkpath", self.link.clone().into_bytes()));
        } else if !self.link.is_empty() {
            header.set_link_name_literal(&self.link).unwrap();
        }
        header.set_entry_type(self.kind);
        header.set_mode(self.mode);
        header.set_uid(0);
        header.set_gid(5);
        header.set_mtime(1_700_000_000);
        header.set_size(self.content.len() as u64);
        header.set_device_major(1).unwrap();
        header.set_device_minor(3).unwrap();
        header.set_cksum();
        let records = pax.iter().map(|(key, value)| (*key, value.as_slice()));
        tar.append_pax_extensions(records).unwrap();
        tar.append(&header, self.content.as_slice()).unwrap();
    }
}
