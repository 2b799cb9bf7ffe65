//! The plug-ins of one system: which files they are, and opening one when it is needed, once. It does not know what
//! anybody wants with them, nor where a plug-in that is opened runs.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Backend, Error, ErrorKind, Kind, Result};

use crate::{Carrier, Header, Remote, read_header};

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

/// The plug-ins in one directory. A plug-in named `acme.thing` is the file `acme.thing.so` there.
pub struct Plugins {
    dir: Utf8PathBuf,
    allowed: Option<Vec<String>>,
    opener: Box<dyn Opener>,
    opened: Mutex<BTreeMap<String, &'static Remote>>,
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

    /// The plug-in of this kind and name, opened the first time that it is asked for.
    ///
    /// # Errors
    /// Configuration, when there is none; plug-in for one that cannot be used, with its file.
    pub fn find(&self, kind: Kind, name: &str) -> Result<&'static Remote> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(remote) = opened.get(name) {
            return Ok(remote);
        }
        let file = self.dir.join(format!("{name}.so"));
        if !file.exists() {
            return Err(Error::new(ErrorKind::Config, format!("there is no {kind} named {name:?}"))
                .with("backend", name)
                .hint(format!("a plug-in of this name would be {file}")));
        }
        self.refuse_unlisted(name)?;
        let header = read_header(&file)?;
        if header.name != name || header.kind != kind {
            let message = format!("{file} holds the {} {}", header.kind, header.name);
            return Err(Error::new(ErrorKind::Plugin, message).with("file", &file));
        }
        let remote = Remote::new(self.opener.open(&file, &header)?)?;
        let info = remote.info();
        if info.name != header.name || info.kind != header.kind {
            let message = format!("{file} says that it is the {} {}, and is not", info.kind, info.name);
            return Err(Error::new(ErrorKind::Plugin, message).with("file", &file));
        }
        // Never closed: whoever was handed it may keep it until the end.
        let remote: &'static Remote = Box::leak(Box::new(remote));
        opened.insert(name.to_owned(), remote);
        Ok(remote)
    }

    fn refuse_unlisted(&self, name: &str) -> Result<()> {
        match &self.allowed {
            Some(allowed) if !allowed.iter().any(|one| one == name) => {
                Err(Error::new(ErrorKind::Permission, format!("the plug-in {name} is not allowed"))
                    .with("backend", name)
                    .hint(format!("add {name:?} to the list `allow` below [plugins] in qchroot.toml")))
            }
            _ => Ok(()),
        }
    }
}
