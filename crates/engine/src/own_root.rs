//! What stands for a base where a container has none: an existing tree that is its whole root. It asks the
//! tree's own files, and knows no storage by name.

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Base, Brand, Capability, Error, ErrorKind, Platform, Result, SharedStorage};

use crate::config::{ContainerFile, FORMAT};
use crate::{BaseFile, Engine, Installed, userland};

impl Engine<'_> {
    /// The base that a container is pinned to, or what its tree says of itself.
    ///
    /// # Errors
    /// Not found, when the release is not installed; configuration, when the file does not suit its storage.
    pub(crate) fn base_of(&self, file: &ContainerFile, storage: &dyn SharedStorage) -> Result<Installed> {
        let info = storage.info();
        match &file.release {
            _ if info.capabilities.contains(&Capability::OwnRoot) => {
                self.own_root(&tree_of(file, &info.name)?)
            }
            Some(id) => self.base(id),
            None => Err(Error::new(ErrorKind::Config, format!("storage {} needs a release", info.name))
                .with("key", "release")
                .hint("`qchroot release list` shows the installed ones")),
        }
    }

    /// A tree that cannot be read, such as one on a drive that is not mounted, says nothing: then it is taken for
    /// one of the host's kind.
    fn own_root(&self, tree: &Utf8Path) -> Result<Installed> {
        let brand = match userland::brand(tree, self.view()) {
            Some(brand) => brand,
            None => match self.view().platform()? {
                Platform::Linux => Brand::Linux,
                Platform::Freebsd => Brand::Freebsd,
            },
        };
        let version = userland::version(tree, self.view()).unwrap_or_else(|| "tree".into());
        let base = Base {
            id: version.parse().or_else(|_| "tree".parse())?,
            sharedfs: tree.into(),
            template: tree.into(),
            brand,
            shared: vec![],
            host_dirs: vec![],
        };
        let file = BaseFile {
            format: FORMAT,
            version,
            brand,
            source: String::new(),
            digest: String::new(),
            insisted: true,
            shared: vec![],
            manifest: None,
            bytes: 0,
            host_dirs: vec![],
        };
        Ok(Installed { base, file })
    }
}

fn tree_of(file: &ContainerFile, storage: &str) -> Result<Utf8PathBuf> {
    let path = file.storage.options.get("path").and_then(|path| path.as_str());
    path.map(Utf8PathBuf::from).ok_or_else(|| {
        Error::new(ErrorKind::Config, format!("storage {storage} needs the directory that is the root"))
            .with("key", "path")
            .hint("say `-o storage.path=DIR`, or `--source-tree DIR`")
    })
}
