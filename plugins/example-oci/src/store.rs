//! Where images are kept, whichever way: what the rest of this plug-in asks of it.

use qchroot_plugin::camino::Utf8PathBuf;
use qchroot_plugin::{Error, ErrorKind, Observe, Result, Work};

use crate::digest::Digest;
use crate::document::{Descriptor, Document};
use crate::image::Place;
use crate::layout::Layout;
use crate::options::Asked;
use crate::registry::Registry;

/// Length of a manifest, an index or a configuration, in bytes, at most. The distribution specification has registries
/// take 4 MiB.
pub(crate) const SMALL: u64 = 8 << 20;

/// A part of a file on this machine.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    pub(crate) path: Utf8PathBuf,
    pub(crate) offset: u64,
}

/// The images under one name.
pub(crate) trait Store {
    /// What the name leads to, and its digest.
    fn top(&self, host: &dyn Observe) -> Result<(Digest, Document)>;

    /// The bytes of a manifest or an index. They are not checked yet.
    fn manifest(&self, digest: &Digest, host: &dyn Observe) -> Result<Vec<u8>>;

    /// Another piece of content, whole. It is not checked yet.
    fn blob(&self, wanted: &Descriptor, host: &dyn Observe) -> Result<Vec<u8>>;

    /// Brings a layer onto this machine, if it is not there; `name` is for people.
    fn layer(&self, wanted: &Descriptor, name: &str, work: &mut dyn Work) -> Result<Piece>;
}

impl dyn Store + '_ {
    /// The manifest or index with this digest.
    pub(crate) fn document(&self, digest: &Digest, host: &dyn Observe) -> Result<Document> {
        let bytes = self.manifest(digest, host)?;
        digest.expect(&Digest::of(&bytes), "the manifest")?;
        Document::parse(&bytes)
    }

    /// A small piece of content.
    pub(crate) fn small(&self, wanted: &Descriptor, host: &dyn Observe) -> Result<Vec<u8>> {
        if wanted.size > SMALL {
            let message = format!(
                "{} is {} bytes long, more than the {SMALL} that are read",
                wanted.digest, wanted.size
            );
            return Err(Error::new(ErrorKind::BadData, message));
        }
        let bytes = self.blob(wanted, host)?;
        wanted.digest.expect(&Digest::of(&bytes), "the configuration")?;
        Ok(bytes)
    }
}

/// The store that the user named.
pub(crate) fn open(asked: &Asked, host: &dyn Observe) -> Result<Box<dyn Store>> {
    match &asked.image.place {
        Place::Registry { host: registry, repository } => {
            Ok(Box::new(Registry::new(registry, repository, asked)))
        }
        Place::Layout(path) => Ok(Box::new(Layout::open(path, &asked.image, host)?)),
    }
}
