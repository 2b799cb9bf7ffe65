//! The system that a tool ran on: its files below a directory that may be `/`. It reads, and knows no tool.

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Error, ErrorKind, FileKind, Observe, Place, Result};

use crate::{Left, Shared, Template};

/// The system's root, and the machine it is looked at on.
pub(crate) struct Site<'a> {
    pub(crate) top: &'a Utf8Path,
    pub(crate) host: &'a dyn Observe,
}

/// Where services have their scripts.
const SCRIPTS: [&str; 3] = ["usr/local/etc/rc.d", "etc/rc.d", "etc/init.d"];

impl Site<'_> {
    /// Where a path of the system's is on this host; no link on the way, and the last component as it is.
    ///
    /// # Errors
    /// Bad data, where a link leads out of the system.
    pub(crate) fn at(&self, path: impl AsRef<Utf8Path>) -> Result<Utf8PathBuf> {
        let path = self.top.join(path.as_ref().as_str().trim_start_matches('/'));
        let (Some(above), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(Error::new(ErrorKind::BadData, format!("{path} is no place for a container")));
        };
        let (top, above) = (self.host.real_path(self.top)?, self.host.real_path(above)?);
        if !above.starts_with(&top) {
            return Err(Error::new(ErrorKind::BadData, format!("{path} leads out of {top}, to {above}")));
        }
        Ok(above.join(name))
    }

    /// A text file of the system's and where it is; `None` where there is none.
    pub(crate) fn read(&self, path: impl AsRef<Utf8Path>) -> Result<Option<(Utf8PathBuf, String)>> {
        let at = self.at(path)?;
        match self.kind(&at)? {
            Some(FileKind::File) => {
                let text = self.host.read(&Place::host(&at))?;
                Ok(Some((at, text)))
            }
            _ => Ok(None),
        }
    }

    /// Names in a directory, hidden ones left out; none where there is no such directory.
    pub(crate) fn names(&self, path: impl AsRef<Utf8Path>) -> Result<Vec<String>> {
        let at = self.at(path)?;
        if !self.is_directory(&at)? {
            return Ok(vec![]);
        }
        let mut names = self.host.list(&Place::host(at))?;
        names.retain(|name| !name.starts_with('.'));
        Ok(names)
    }

    pub(crate) fn kind(&self, at: &Utf8Path) -> Result<Option<FileKind>> {
        Ok(self.host.stat(&Place::host(at))?.map(|stat| stat.kind))
    }

    pub(crate) fn is_directory(&self, at: &Utf8Path) -> Result<bool> {
        Ok(self.kind(at)? == Some(FileKind::Directory))
    }

    /// Whether the container with this root has a script for the service.
    pub(crate) fn has_script(&self, root: &Utf8Path, service: &str) -> bool {
        script(self.host, root, service).is_some()
    }

    /// A shared tree whose template says by its links what is shared. `None` where nothing was ever there.
    pub(crate) fn shared(&self, at: &str, template: &str, mount: &str) -> Result<Option<Shared>> {
        let (at, template) = (self.at(at)?, self.at(template)?);
        let paths = match self.kind(&at)? {
            None => return Ok(None),
            Some(FileKind::Directory) => self.linked(&template, mount)?,
            Some(_) => vec![],
        };
        Ok(Some(Shared { at, template: Template::Tree(template), mount: mount.into(), paths }))
    }

    /// Paths at the top of a tree and in its `usr` that are links into the mounted tree.
    fn linked(&self, tree: &Utf8Path, mount: &str) -> Result<Vec<Utf8PathBuf>> {
        let mut found = vec![];
        for dir in ["", "usr"] {
            let place = |path: &Utf8Path| Place::within(tree, path);
            let at = place(dir.into());
            let is_there = self.host.stat(&at)?.is_some_and(|stat| stat.kind == FileKind::Directory);
            for name in if is_there { self.host.list(&at)? } else { vec![] } {
                let path = Utf8Path::new(dir).join(name);
                let target = self.host.link(&place(&path))?;
                if target.is_some_and(|target| leads_to(&target, mount, &path)) {
                    found.push(path);
                }
            }
        }
        Ok(found)
    }
}

/// Whether the link at `path` with this target leads to the same path of what is mounted on `mount`.
fn leads_to(target: &Utf8Path, mount: &str, path: &Utf8Path) -> bool {
    let target = target.as_str().trim_start_matches("../").trim_start_matches('/');
    Utf8Path::new(target) == Utf8Path::new(mount).join(path)
}

/// Where the container with this root has the script of a service, as a path inside.
#[must_use]
pub fn script(host: &dyn Observe, root: &Utf8Path, service: &str) -> Option<Utf8PathBuf> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if service.is_empty() || service.starts_with(['.', '-']) || !service.chars().all(is_plain) {
        return None;
    }
    SCRIPTS.iter().map(|dir| Utf8Path::new(dir).join(service)).find_map(|path| {
        let stat = host.stat(&Place::within(root, &path)).ok().flatten()?;
        (stat.kind == FileKind::File).then(|| Utf8Path::new("/").join(path))
    })
}

/// A name without the suffix that keeps a container from starting with the host, and whether it had none.
pub(crate) fn boots(file: &str) -> (&str, bool) {
    let stripped = [".norun", ".man"].iter().find_map(|suffix| file.strip_suffix(suffix));
    stripped.map_or((file, true), |name| (name, false))
}

/// A container whose files live on a disk of their own.
pub(crate) fn image(name: &str, image: &str) -> Left {
    Left {
        name: name.into(),
        why: format!("it lives on a disk image of its own, {image}, which is not taken over"),
        hint: Some("make a container with storage md of that size, and copy its files into it".into()),
    }
}
