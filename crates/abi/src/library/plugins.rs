//! The plug-ins of one system: which files they are, which of them may be used, and opening one when it is needed, once.
//! It does not know what anybody wants with them, nor where a plug-in that is opened runs.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Backend, Error, ErrorKind, Kind, Result};

use super::ownership::require_superusers;
use crate::{Carrier, Header, Remote, is_plugin_name, read_header};

/// Opens the library of a plug-in, wherever it is to run.
pub trait Opener: Send + Sync {
    /// The way to the back end in `file`, whose `header` was read and found good.
    ///
    /// # Errors
    /// Plug-in, with the file and what is wrong with it.
    fn open(&self, file: &Utf8Path, header: &Header) -> Result<Box<dyn Carrier>>;
}

/// Opens libraries in this process.
#[derive(Debug, Clone, Copy, Default)]
pub struct OpenHere;

impl Opener for OpenHere {
    fn open(&self, file: &Utf8Path, _header: &Header) -> Result<Box<dyn Carrier>> {
        Ok(Box::new(crate::open(file)?))
    }
}

/// A plug-in that was asked for: opened by whoever asks first, while those who ask for the same one wait.
type Slot = Arc<OnceLock<Result<&'static Remote>>>;

/// The plug-ins in one directory. A plug-in named `acme.thing` is the file `acme.thing.so` there.
pub struct Plugins {
    dir: Utf8PathBuf,
    allowed: Option<Vec<String>>,
    opener: Box<dyn Opener>,
    opened: Mutex<BTreeMap<String, Slot>>,
}

/// What may be done with a file in the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It may be opened.
    Usable,
    /// It is not in the list of those that are allowed.
    NotAllowed(Error),
    /// It has a name under which it is never looked for.
    Misnamed(Error),
    /// It is never opened.
    Broken(Error),
}

/// A file in the directory that is, or would be, a plug-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The file's name without `.so`.
    pub name: String,
    /// The file.
    pub file: Utf8PathBuf,
    /// What it says of itself, where that can be read.
    pub header: Option<Header>,
    /// Whether it may be used.
    pub verdict: Verdict,
}

impl Found {
    /// Whether it may be used, as a back end of this kind.
    #[must_use]
    pub fn is(&self, kind: Kind) -> bool {
        self.verdict == Verdict::Usable && self.header.as_ref().is_some_and(|header| header.kind == kind)
    }
}

impl fmt::Debug for Plugins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugins").field("dir", &self.dir).finish_non_exhaustive()
    }
}

impl Plugins {
    /// Those in the directory `dir`, which need not exist, or of these only the `allowed` ones; `opener` opens them.
    #[must_use]
    pub fn new(dir: Utf8PathBuf, allowed: Option<Vec<String>>, opener: Box<dyn Opener>) -> Self {
        Self { dir, allowed, opener, opened: Mutex::default() }
    }

    /// The plug-in of this kind and name, opened the first time that it is asked for. What was wrong with it then is
    /// told again without another try.
    ///
    /// # Errors
    /// Configuration, when there is none, or one of another kind; permission, when it may not be used; plug-in for one
    /// that cannot be used, with its file.
    pub fn find(&self, kind: Kind, name: &str) -> Result<&'static Remote> {
        let slot = {
            let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
            Slot::clone(opened.entry(name.to_owned()).or_default())
        };
        let remote = slot.get_or_init(|| self.open(kind, name)).clone()?;
        let info = remote.info();
        if info.kind == kind {
            return Ok(remote);
        }
        Err(Error::new(ErrorKind::Config, format!("{name} is a {}, and no {kind}", info.kind))
            .with("backend", name)
            .hint("`qchroot plugin list` shows of which kind each one is"))
    }

    fn open(&self, kind: Kind, name: &str) -> Result<&'static Remote> {
        let file = self.file(name);
        if let Err(error) = fs::symlink_metadata(&file) {
            return Err(missing(kind, name, &file, &error));
        }
        self.refuse_unlisted(name)?;
        let header = examine(name, &file)?;
        let unknown = |error: Error| error.while_doing(format!("{file} is of no use")).with("file", &file);
        let remote = Remote::new(self.opener.open(&file, &header)?).map_err(unknown)?;
        let info = remote.info();
        if info.name != header.name || info.kind != header.kind {
            let message = format!("{file} says that it is the {} {}, and is not", header.kind, header.name);
            return Err(Error::new(ErrorKind::Plugin, message)
                .cause(format!("it answers as the {} {}", info.kind, info.name))
                .with("file", &file));
        }
        // Never closed: whoever was handed it may keep it until the end.
        Ok(Box::leak(Box::new(remote)))
    }

    /// All files in the directory that are, or would be, plug-ins, by name. None of them is opened as a library.
    ///
    /// # Errors
    /// The operating system's, where the directory cannot be listed.
    pub fn survey(&self) -> Result<Vec<Found>> {
        Ok(self.names()?.into_iter().map(|name| self.found(name)).collect())
    }

    /// The same for the file of one name only, if there is one.
    ///
    /// # Errors
    /// As [`Plugins::survey`].
    pub fn look(&self, name: &str) -> Result<Option<Found>> {
        Ok(self.names()?.into_iter().find(|one| one == name).map(|name| self.found(name)))
    }

    /// The names of the files in the directory, without `.so`.
    fn names(&self) -> Result<Vec<String>> {
        let unlisted = |error: &io::Error| Error::from_io(error, format!("cannot list {}", self.dir));
        let entries = match self.dir.read_dir_utf8() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
            entries => entries.map_err(|error| unlisted(&error))?,
        };
        let mut names = vec![];
        for entry in entries {
            let entry = entry.map_err(|error| unlisted(&error))?;
            names.extend(entry.file_name().strip_suffix(".so").map(str::to_owned));
        }
        names.sort();
        Ok(names)
    }

    fn found(&self, name: String) -> Found {
        let file = self.file(&name);
        let (header, verdict) = match read_ours(&file) {
            Err(error) => (None, Verdict::Broken(error)),
            Ok(header) => {
                let verdict = match refuse_misnamed(&name, &file, &header) {
                    Err(error) => Verdict::Misnamed(error),
                    Ok(()) => {
                        self.refuse_unlisted(&name).map_or_else(Verdict::NotAllowed, |()| Verdict::Usable)
                    }
                };
                (Some(header), verdict)
            }
        };
        Found { name, file, header, verdict }
    }

    fn file(&self, name: &str) -> Utf8PathBuf {
        self.dir.join(format!("{name}.so"))
    }

    fn refuse_unlisted(&self, name: &str) -> Result<()> {
        if self.allowed.as_ref().is_none_or(|allowed| allowed.iter().any(|one| one == name)) {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Permission, format!("the plug-in {name} is not allowed"))
            .with("backend", name)
            .hint(format!("add {name:?} to the list `allow` below [plugins] in qchroot.toml")))
    }
}

/// The header of a file that is used as the plug-in `name`.
fn examine(name: &str, file: &Utf8Path) -> Result<Header> {
    let header = read_ours(file)?;
    refuse_misnamed(name, file, &header)?;
    Ok(header)
}

fn read_ours(file: &Utf8Path) -> Result<Header> {
    require_superusers(file)?;
    read_header(file)
}

fn refuse_misnamed(name: &str, file: &Utf8Path, header: &Header) -> Result<()> {
    let error = |message: String| Error::new(ErrorKind::Plugin, message).with("file", file);
    if !is_plugin_name(&header.name) {
        return Err(error(format!("{file} calls itself {:?}, which no plug-in can be called", header.name))
            .hint("names of plug-ins are small letters and have a dot, such as acme.thing"));
    }
    if header.name != name {
        let message = format!("{file} holds the {} {}", header.kind, header.name);
        return Err(error(message).hint(format!("call the file {}.so", header.name)));
    }
    Ok(())
}

fn missing(kind: Kind, name: &str, file: &Utf8Path, error: &io::Error) -> Error {
    if error.kind() != io::ErrorKind::NotFound {
        return Error::from_io(error, format!("cannot look at {file}"));
    }
    Error::new(ErrorKind::Config, format!("there is no {kind} named {name:?}"))
        .with("backend", name)
        .hint(format!("a plug-in of this name would be {file}"))
}
