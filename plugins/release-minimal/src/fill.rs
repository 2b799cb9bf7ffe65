//! Takes what was selected and writes the skeleton around it. It does not know how the selection was made.

use std::io::{self, Read};

use qchroot_api::camino::Utf8Path;
use qchroot_api::{Brand, Command, Error, ErrorKind, Node, NodeKind, Progress, Result, Take, Work};

use crate::digest::Digest;
use crate::selection::{Mode, Selection};
use crate::skeleton;
use crate::tree::Entry;

/// Fills the staging directory. The digest over what was taken.
pub(crate) fn all(selection: &Selection, brand: Brand, work: &mut dyn Work) -> Result<String> {
    let mut filling = Filling { selection, brand, work, progress: progress(selection) };
    let mut digest = Digest::new(selection);
    filling.directory(Utf8Path::new("."), 0o755)?;
    for (path, entry) in &selection.entries {
        filling.take(path, entry, &mut digest)?;
    }
    filling.skeleton()?;
    filling.work.tree().finish()?;
    Ok(digest.finish())
}

fn progress(selection: &Selection) -> Progress {
    Progress {
        what: "taking the host's files".into(),
        total_bytes: Some(selection.entries.values().map(Entry::size).sum()),
        total_entries: Some(selection.entries.len() as u64),
        ..Progress::default()
    }
}

struct Filling<'a> {
    selection: &'a Selection,
    brand: Brand,
    work: &'a mut dyn Work,
    progress: Progress,
}

impl Filling<'_> {
    fn take(&mut self, path: &Utf8Path, entry: &Entry, digest: &mut Digest) -> Result<()> {
        if self.work.cancelled() {
            return Err(Error::new(ErrorKind::System, "interrupted"));
        }
        let inside = path.strip_prefix("/").unwrap_or(path);
        let mut content: Box<dyn Read> = Box::new(io::empty());
        match entry {
            Entry::Directory(_) => self.work.take(path, inside.as_std_path(), Take::Copy)?,
            Entry::Link(to) => self.write(inside, NodeKind::Symlink { to: to.into() }, 0o777, &[])?,
            Entry::File(_) => {
                self.work.take(path, inside.as_std_path(), self.how(inside))?;
                content = self.work.open(&self.work.staging().join(inside))?;
            }
        }
        let added = digest.add(path, entry, &mut content);
        added.map_err(|error| Error::from_io(&error, format!("cannot read what was taken of {path}")))?;
        self.progress.bytes += entry.size();
        self.progress.entries += 1;
        self.work.progress(&self.progress);
        Ok(())
    }

    /// A container may write to what is not shared, and must not write to a file of the host's.
    fn how(&self, inside: &Utf8Path) -> Take {
        let is_shared = || self.brand.shared_paths().iter().any(|dir| inside.starts_with(dir));
        match self.selection.mode {
            Mode::Link if is_shared() => Take::Link,
            Mode::Reflink => Take::Reflink,
            Mode::Copy | Mode::Link | Mode::Mount => Take::Copy,
        }
    }

    /// What the host's files do not bring themselves.
    fn skeleton(&mut self) -> Result<()> {
        for (path, mode) in skeleton::DIRECTORIES {
            if self.is_free(path) {
                self.directory(Utf8Path::new(path), *mode)?;
            }
        }
        for (path, text) in skeleton::files(self.brand, &self.selection.shell) {
            if self.is_free(path) {
                let kind = NodeKind::File { size: text.len() as u64 };
                self.write(Utf8Path::new(path), kind, 0o644, text.as_bytes())?;
            }
        }
        let tables = [skeleton::MASTER, "etc/passwd", "etc/pwd.db"];
        if self.brand == Brand::Freebsd && tables.iter().all(|table| self.is_free(table)) {
            self.users()?;
        }
        Ok(())
    }

    /// FreeBSD's programs look users up in a database.
    fn users(&mut self) -> Result<()> {
        let text = skeleton::master(&self.selection.shell);
        let kind = NodeKind::File { size: text.len() as u64 };
        self.write(Utf8Path::new(skeleton::MASTER), kind, 0o600, text.as_bytes())?;
        let (etc, table) = (self.work.staging().join("etc"), self.work.staging().join(skeleton::MASTER));
        let made =
            self.work.run(&Command::new(["pwd_mkdb", "-i", "-p", "-d", etc.as_str(), table.as_str()]))?;
        if made.status == 0 {
            return Ok(());
        }
        Err(Error::new(ErrorKind::System, "cannot make the database of users").cause(made.stderr.trim_end()))
    }

    fn is_free(&self, path: &str) -> bool {
        let Selection { entries, host_dirs, .. } = self.selection;
        let path = Utf8Path::new("/").join(path);
        let is_link = |above: &Utf8Path| matches!(entries.get(above), Some(Entry::Link(_)));
        let is_shown = || host_dirs.iter().any(|dir| path.starts_with(Utf8Path::new("/").join(dir)));
        !entries.contains_key(&path) && !path.ancestors().any(is_link) && !is_shown()
    }

    fn directory(&mut self, path: &Utf8Path, mode: u32) -> Result<()> {
        self.write(path, NodeKind::Directory, mode, &[])
    }

    /// Something of the superuser's.
    fn write(&mut self, path: &Utf8Path, kind: NodeKind, mode: u32, content: &[u8]) -> Result<()> {
        let path = path.as_std_path().to_owned();
        let node = Node { path, kind, mode, uid: 0, gid: 0, mtime: (0, 0), xattrs: vec![], flags: None };
        self.work.tree().write(&node, &mut &*content)
    }
}
