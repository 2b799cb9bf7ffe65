//! A program ready to be executed: its words, its environment and the places it may be. It does not know whose
//! root it is executed in.

use std::collections::BTreeMap;
use std::ffi::CString;

use nix::errno::Errno;
use qchroot_api::{Error, ErrorKind, Result};

/// What `execvp` would search without `PATH`; see `_PATH_DEFPATH` in paths.h.
const DEFAULT_PATH: &str = "/usr/bin:/bin";

/// Exit status of chroot(8) for a program that is there and cannot be executed.
const CANNOT_EXECUTE: i32 = 126;

/// Exit status of chroot(8) for a program that is not there.
const NOT_FOUND: i32 = 127;

/// See the module.
pub(super) struct Program {
    name: String,
    candidates: Vec<CString>,
    argv: Vec<CString>,
    env: Vec<CString>,
}

impl Program {
    /// Prepares `argv` with the whole environment `env`.
    ///
    /// # Errors
    /// Usage, when there is no program, or for words that no program can be given.
    pub(super) fn new(argv: &[String], argv0: Option<&str>, env: &BTreeMap<String, String>) -> Result<Self> {
        let name = argv.first().filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| Error::new(ErrorKind::Usage, "no program is named"))?.clone();
        let path = env.get("PATH").map_or(DEFAULT_PATH, String::as_str);
        let first = argv0.unwrap_or(&name);
        Ok(Self {
            candidates: candidates(&name, path).iter().map(|text| word(text)).collect::<Result<_>>()?,
            argv: std::iter::once(first)
                .chain(argv[1..].iter().map(String::as_str))
                .map(word)
                .collect::<Result<_>>()?,
            env: env.iter().map(|(key, value)| word(&format!("{key}={value}"))).collect::<Result<_>>()?,
            name,
        })
    }

    /// Becomes the program; returns only when that failed. The error's fact `exit` is chroot(8)'s status.
    pub(super) fn exec(&self) -> Error {
        let mut refusal = None;
        for path in &self.candidates {
            match nix::unistd::execve(path, &self.argv, &self.env) {
                Ok(never) => match never {},
                Err(Errno::ENOENT | Errno::ENOTDIR) if !exists(path) => {}
                Err(Errno::ENOENT) => return self.without_loader(),
                Err(Errno::EACCES) => refusal = Some(Errno::EACCES),
                Err(errno) => return self.refused(errno),
            }
        }
        refusal.map_or_else(|| self.missing(), |errno| self.refused(errno))
    }

    fn missing(&self) -> Error {
        Error::new(ErrorKind::NotFound, format!("no program {} inside", self.name)).with("exit", NOT_FOUND)
    }

    fn refused(&self, errno: Errno) -> Error {
        Error::from_io(&errno.into(), format!("cannot execute {}", self.name))
            .of_kind(ErrorKind::NotFound)
            .with("exit", CANNOT_EXECUTE)
    }

    fn without_loader(&self) -> Error {
        Error::new(ErrorKind::NotFound, format!("cannot execute {}", self.name))
            .cause("the interpreter or loader that it names is not there")
            .hint("install what it needs inside the container")
            .with("exit", CANNOT_EXECUTE)
    }
}

fn candidates(name: &str, path: &str) -> Vec<String> {
    if name.contains('/') {
        return vec![name.to_owned()];
    }
    path.split(':')
        .map(|dir| if dir.is_empty() { name.to_owned() } else { format!("{dir}/{name}") })
        .collect()
}

fn word(text: &str) -> Result<CString> {
    CString::new(text).map_err(|_| Error::new(ErrorKind::Usage, format!("{text:?} holds a zero byte")))
}

fn exists(path: &CString) -> bool {
    rustix::fs::access(path.as_c_str(), rustix::fs::Access::EXISTS).is_ok()
}
