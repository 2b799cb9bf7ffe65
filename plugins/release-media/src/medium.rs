//! What a medium can be asked: which files it has and what small ones hold. It does not know what they are for.

use qchroot_api::camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{ErrorKind, FileKind, Observe, Place, Result};
use qchroot_unpack::{Address, small};

/// What kind of file something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    File,
    Directory,
    Link,
    Other,
}

/// A medium that can be looked into; paths are below its top.
pub(crate) trait Medium {
    /// What is at a path, the last component not followed.
    fn sort(&mut self, path: &str) -> Result<Option<Sort>>;

    /// Names in a directory; none when there is no such directory.
    fn names(&mut self, dir: &str) -> Result<Vec<String>>;

    /// The whole of a file.
    ///
    /// # Errors
    /// Not found when there is none, bad data when it has more than `limit` bytes.
    fn content(&mut self, file: &str, limit: u64) -> Result<Vec<u8>>;
}

/// A directory of this machine's: a mounted medium, or any other. Links on it lead nowhere outside.
pub(crate) struct Folder<'a> {
    pub(crate) top: Utf8PathBuf,
    pub(crate) host: &'a dyn Observe,
}

impl Folder<'_> {
    fn at(&self, path: &str) -> Place {
        Place::within(self.top.clone(), path)
    }
}

impl Medium for Folder<'_> {
    fn sort(&mut self, path: &str) -> Result<Option<Sort>> {
        let stat = self.host.stat(&self.at(path))?;
        Ok(stat.map(|stat| match stat.kind {
            FileKind::File => Sort::File,
            FileKind::Directory => Sort::Directory,
            FileKind::Link => Sort::Link,
            FileKind::CharDevice | FileKind::Other => Sort::Other,
        }))
    }

    fn names(&mut self, dir: &str) -> Result<Vec<String>> {
        match self.sort(dir)? {
            Some(Sort::Directory) => self.host.list(&self.at(dir)),
            _ => Ok(vec![]),
        }
    }

    fn content(&mut self, file: &str, limit: u64) -> Result<Vec<u8>> {
        let content = self.host.bytes(&self.at(file), 0, limit + 1)?;
        within(limit, content, &self.top.join(file))
    }
}

/// A directory behind an address on the network. It can be asked for files by their names only.
pub(crate) struct Site<'a> {
    pub(crate) address: Address,
    pub(crate) host: &'a dyn Observe,
}

impl Medium for Site<'_> {
    fn sort(&mut self, _: &str) -> Result<Option<Sort>> {
        Ok(None)
    }

    fn names(&mut self, _: &str) -> Result<Vec<String>> {
        Ok(vec![])
    }

    fn content(&mut self, file: &str, limit: u64) -> Result<Vec<u8>> {
        small(&[self.address.join(file)], limit, self.host)
    }
}

/// The text of a small file, if the medium has it.
pub(crate) fn text(medium: &mut dyn Medium, file: &str, limit: u64) -> Result<Option<String>> {
    match medium.content(file, limit) {
        Ok(content) => Ok(Some(String::from_utf8_lossy(&content).into_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn within(limit: u64, content: Vec<u8>, path: &Utf8Path) -> Result<Vec<u8>> {
    if content.len() as u64 > limit {
        let message = format!("{path} has more than {limit} bytes");
        return Err(qchroot_api::Error::new(ErrorKind::BadData, message));
    }
    Ok(content)
}
