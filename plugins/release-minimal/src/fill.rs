//! Takes what was pinned, each file checked, and writes the skeleton around it. It does not know how the pins
//! were found.

use std::collections::BTreeMap;
use std::io::{self, Read};

use qchroot_api::camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Error, ErrorKind, Node, NodeKind, Progress, Release, Result, Take, Work};
use sha2::{Digest, Sha256};

use crate::Mode;
use crate::pins::{self, Pin};
use crate::skeleton;

/// Fills the staging directory with the whole release.
pub(crate) fn all(release: &Release, mode: Mode, work: &mut dyn Work) -> Result<()> {
    let pins = pins::read(&release.pins)?;
    let mut filling = Filling { release, mode, work, progress: progress(&pins) };
    filling.directory(Utf8Path::new("."), 0o755)?;
    for (path, pin) in &pins {
        filling.take(path, pin)?;
    }
    filling.skeleton(&pins)?;
    filling.work.tree().finish()
}

fn progress(pins: &BTreeMap<&Utf8Path, Pin<'_>>) -> Progress {
    let bytes = pins.values().map(|pin| if let Pin::File(size, _) = pin { *size } else { 0 });
    Progress {
        what: "taking the host's files".into(),
        total_bytes: Some(bytes.sum()),
        total_entries: Some(pins.len() as u64),
        ..Progress::default()
    }
}

struct Filling<'a> {
    release: &'a Release,
    mode: Mode,
    work: &'a mut dyn Work,
    progress: Progress,
}

impl Filling<'_> {
    fn take(&mut self, path: &Utf8Path, pin: &Pin<'_>) -> Result<()> {
        if self.work.cancelled() {
            return Err(Error::new(ErrorKind::System, "interrupted"));
        }
        let inside = path.strip_prefix("/").unwrap_or(path);
        match pin {
            Pin::Directory => self.work.take(path, inside.as_std_path(), Take::Copy)?,
            Pin::Link(to) => self.write(inside, NodeKind::Symlink { to: to.into() }, 0o777, &[])?,
            Pin::File(size, digest) => {
                self.work.take(path, inside.as_std_path(), self.how(inside))?;
                self.check(path, &self.work.staging().join(inside), digest)?;
                self.progress.bytes += size;
            }
        }
        self.progress.entries += 1;
        self.work.progress(&self.progress);
        Ok(())
    }

    /// A container may write to what is not shared, and must not write to a file of the host's.
    fn how(&self, inside: &Utf8Path) -> Take {
        let is_shared = || self.release.brand.shared_paths().iter().any(|dir| inside.starts_with(dir));
        match self.mode {
            Mode::Link if is_shared() => Take::Link,
            Mode::Reflink => Take::Reflink,
            Mode::Copy | Mode::Link | Mode::Mount => Take::Copy,
        }
    }

    /// The host may have been changed since it was looked at.
    fn check(&mut self, path: &Utf8Path, taken: &Utf8PathBuf, digest: &str) -> Result<()> {
        let mut hash = Sha256::new();
        let mut file = self.work.open(taken)?;
        let mut buffer = vec![0; 1 << 17];
        loop {
            let read = file.read(&mut buffer);
            match read.map_err(|error| Error::from_io(&error, format!("cannot read {taken}")))? {
                0 => break,
                length => hash.update(&buffer[..length]),
            }
        }
        if pins::hex(&hash.finalize()) == digest {
            return Ok(());
        }
        Err(Error::new(ErrorKind::BadData, format!("{path} was changed while it was taken"))
            .hint("try again when whoever changes the host is done"))
    }

    fn skeleton(&mut self, pins: &BTreeMap<&Utf8Path, Pin<'_>>) -> Result<()> {
        let host_dirs = &self.release.host_dirs;
        let is_free = |path: &str| {
            let taken = pins.contains_key(&*Utf8PathBuf::from(format!("/{path}")));
            let path = Utf8Path::new(path);
            let through_link = path.ancestors().any(|above| {
                matches!(pins.get(&*Utf8Path::new("/").join(above)), Some(Pin::Link(_)))
            });
            !taken && !through_link && !host_dirs.iter().any(|dir| path.starts_with(dir))
        };
        for (path, mode) in skeleton::DIRECTORIES.iter().filter(|(path, _)| is_free(path)) {
            self.directory(Utf8Path::new(path), *mode)?;
        }
        let shell = self.release.pins.get(pins::SHELL).map_or("/bin/sh", String::as_str);
        for (path, text) in skeleton::files(self.release.brand, shell) {
            if is_free(path) {
                let kind = NodeKind::File { size: text.len() as u64 };
                self.write(Utf8Path::new(path), kind, 0o644, text.as_bytes())?;
            }
        }
        Ok(())
    }

    fn directory(&mut self, path: &Utf8Path, mode: u32) -> Result<()> {
        self.write(path, NodeKind::Directory, mode, &[])
    }

    /// Something of the superuser's.
    fn write(&mut self, path: &Utf8Path, kind: NodeKind, mode: u32, content: &[u8]) -> Result<()> {
        let path = path.as_std_path().to_owned();
        let node = Node { path, kind, mode, uid: 0, gid: 0, mtime: (0, 0), xattrs: vec![], flags: None };
        let mut content: &mut dyn Read = if content.is_empty() { &mut io::empty() } else { &mut &*content };
        self.work.tree().write(&node, &mut content)
    }
}
