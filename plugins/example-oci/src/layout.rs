//! An OCI image layout on this machine (image layout specification): a directory, or a tar archive of one, which is read
//! where it lies.

use std::collections::{BTreeMap, BTreeSet};

use qchroot_plugin::camino::{Utf8Path, Utf8PathBuf};
use qchroot_plugin::{Error, ErrorKind, FileKind, Observe, Place, Result, Work};

use crate::digest::Digest;
use crate::document::{Descriptor, Document};
use crate::host_file::HostFile;
use crate::image::Image;
use crate::store::{Piece, SMALL, Store};

/// Files that an archive may hold.
const ENTRIES: usize = 100_000;

/// A layout.
pub(crate) struct Layout {
    image: Image,
    path: Utf8PathBuf,
    /// Of an archive: where each file begins, and its length in bytes.
    files: Option<BTreeMap<String, (u64, u64)>>,
}

impl Layout {
    pub(crate) fn open(path: &Utf8Path, image: &Image, host: &dyn Observe) -> Result<Self> {
        let path = host.real_path(path)?;
        let files = match host.stat(&Place::host(&path))?.map(|stat| stat.kind) {
            Some(FileKind::Directory) => None,
            Some(FileKind::File) => Some(files(&path, host)?),
            Some(_) => return Err(no_layout(&path).cause("it is neither a directory nor a file")),
            None => {
                return Err(Error::new(ErrorKind::NotFound, format!("there is no {path}")).hint(
                    "name one that `skopeo copy docker://debian:12 oci:DIRECTORY` or the like has made",
                ));
            }
        };
        let layout = Self { image: image.clone(), path, files };
        match layout.find("oci-layout", host)? {
            Some(_) => Ok(layout),
            None if layout.find("manifest.json", host)?.is_some() => Err(bare(&layout.path).hint(
                "`skopeo copy docker-archive:FILE oci:DIRECTORY` makes one of what `docker save` wrote",
            )),
            None => Err(no_layout(&layout.path).cause("it has no file oci-layout")),
        }
    }

    /// A file of the layout: where it lies, and its length in bytes.
    fn find(&self, name: &str, host: &dyn Observe) -> Result<Option<(Place, Piece, u64)>> {
        if let Some(files) = &self.files {
            let found = |&(offset, size): &(u64, u64)| {
                (Place::host(&self.path), Piece { path: self.path.clone(), offset }, size)
            };
            return Ok(files.get(name).map(found));
        }
        let place = Place::within(&self.path, name);
        let stat = host.stat(&place)?.filter(|stat| stat.kind == FileKind::File);
        Ok(stat.map(|stat| (place, Piece { path: self.path.join(name), offset: 0 }, stat.size)))
    }

    fn read(&self, name: &str, host: &dyn Observe) -> Result<Vec<u8>> {
        let Some((place, piece, size)) = self.find(name, host)? else { return Err(self.missing(name)) };
        if size > SMALL {
            let message = format!("{name} in {} is longer than the {SMALL} bytes that are read", self.path);
            return Err(Error::new(ErrorKind::BadData, message));
        }
        host.bytes(&place, piece.offset, size)
    }

    fn missing(&self, name: &str) -> Error {
        Error::new(ErrorKind::BadData, format!("{} has no {name}", self.path))
            .hint("the layout is not complete: it may have been copied in part, or for another platform only")
    }

    /// The entries of index.json that have the wanted tag.
    fn tagged(&self, list: Vec<Descriptor>) -> Result<Vec<Descriptor>> {
        let tags: BTreeSet<String> = list.iter().filter_map(Descriptor::tag).map(ToOwned::to_owned).collect();
        let there = Vec::from_iter(&tags).into_iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        let Some(wanted) = &self.image.tag else {
            if tags.len() > 1 {
                return Err(Error::new(ErrorKind::Usage, format!("{} holds several images", self.path))
                    .hint(format!("name one of them, such as {}:TAG; there are: {there}", self.path)));
            }
            return Ok(list);
        };
        let is_it =
            |tag: &str| tag == wanted || tag.strip_suffix(wanted).is_some_and(|rest| rest.ends_with(':'));
        let found: Vec<_> = list.into_iter().filter(|one| one.tag().is_some_and(is_it)).collect();
        if found.is_empty() {
            return Err(Error::new(ErrorKind::NotFound, format!("{} has no image {wanted:?}", self.path))
                .hint(format!("there are: {there}")));
        }
        Ok(found)
    }
}

fn blob(digest: &Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

impl Store for Layout {
    fn top(&self, host: &dyn Observe) -> Result<(Digest, Document)> {
        if let Some(digest) = &self.image.digest {
            let store: &dyn Store = self;
            return Ok((digest.clone(), store.document(digest, host)?));
        }
        let bytes = self.read("index.json", host)?;
        match Document::parse(&bytes)
            .map_err(|e| e.while_doing(format!("bad index.json in {}", self.path)))?
        {
            Document::Index(list) => Ok((Digest::of(&bytes), Document::Index(self.tagged(list)?))),
            Document::Manifest(_) => Err(no_layout(&self.path).cause("its index.json is no index")),
        }
    }

    fn manifest(&self, digest: &Digest, host: &dyn Observe) -> Result<Vec<u8>> {
        self.read(&blob(digest), host)
    }

    fn blob(&self, wanted: &Descriptor, host: &dyn Observe) -> Result<Vec<u8>> {
        self.read(&blob(&wanted.digest), host)
    }

    fn layer(&self, wanted: &Descriptor, _name: &str, work: &mut dyn Work) -> Result<Piece> {
        let name = blob(&wanted.digest);
        match self.find(&name, work.host())? {
            Some((_, piece, size)) if size == wanted.size => Ok(piece),
            Some((_, _, size)) => {
                let message =
                    format!("{name} in {} has {size} bytes, expected are {}", self.path, wanted.size);
                Err(Error::new(ErrorKind::BadData, message).hint("it is damaged; copy the layout again"))
            }
            None => Err(self.missing(&name)),
        }
    }
}

/// What lies where in an archive.
fn files(path: &Utf8Path, host: &dyn Observe) -> Result<BTreeMap<String, (u64, u64)>> {
    let told = |error| no_layout(path).cause(error);
    let mut archive = tar::Archive::new(HostFile::new(Place::host(path), host));
    let mut all = BTreeMap::new();
    for entry in archive.entries_with_seek().map_err(told)?.take(ENTRIES) {
        let entry = entry.map_err(told)?;
        if entry.header().entry_type().is_file() {
            let name = String::from_utf8_lossy(&entry.path_bytes()).trim_start_matches("./").to_owned();
            all.insert(name, (entry.raw_file_position(), entry.size()));
        }
    }
    Ok(all)
}

fn bare(path: &Utf8Path) -> Error {
    Error::new(ErrorKind::BadData, format!("{path} is no OCI image layout"))
}

fn no_layout(path: &Utf8Path) -> Error {
    bare(path)
        .hint("a layout is a directory, or a tar archive, not compressed, with oci-layout and index.json")
}
