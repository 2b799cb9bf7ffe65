//! An ISO 9660 image that is read without being mounted. It knows files and directories, not what they are for; no
//! link on the image is ever followed.

use std::collections::HashMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use hadris_fs::sync::FileSystem;
use hadris_fs::{DirCursor, DirEntry, Extent, FileType, MountOptions, Name, NodeId};
use hadris_iso::IsoId;
use hadris_iso::sync::IsoFs;
use qchroot_api::camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{Error, ErrorKind, Node, NodeKind, Observe, Result};
use qchroot_unpack::Limits;

use crate::device::Device;
use crate::medium::{Medium, Sort};

/// No medium is that deep; one whose directories go round in a circle is.
const DEEPEST: usize = 64;
/// The longest target of a link, path_resolution(7).
const LONGEST_LINK: usize = 4096;
/// Extents of 4 GiB that a file may have.
const MOST_EXTENTS: usize = 64;

/// One image.
pub(crate) struct Image<'a> {
    fs: IsoFs<Device<'a>>,
    path: Utf8PathBuf,
}

/// An entry of the image, and where its content lies on it.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) node: Node,
    pub(crate) extents: Vec<Extent>,
}

impl<'a> Image<'a> {
    /// # Errors
    /// Bad data for what is no image, or damaged.
    pub(crate) fn open(path: &Utf8Path, size: u64, host: &'a dyn Observe) -> Result<Self> {
        let device = Device::new(path, size, host);
        match IsoFs::mount(device, MountOptions::new().read_only()) {
            Ok(fs) => Ok(Self { fs, path: path.to_owned() }),
            Err(error) => Err(failed(path, &error.into_error())),
        }
    }

    /// What the image calls itself.
    pub(crate) fn label(&self) -> String {
        String::from_utf8_lossy(self.fs.info().id(IsoId::Volume)).trim().to_owned()
    }

    /// Where the content of a file lies.
    ///
    /// # Errors
    /// Not found when there is no such file.
    pub(crate) fn extents(&mut self, file: &str) -> Result<Vec<Extent>> {
        let missing = || Error::new(ErrorKind::NotFound, format!("{} has no {file}", self.path));
        let missing_error = missing();
        match self.find(file)? {
            Some((node, FileType::File)) => self.extents_of(node),
            _ => Err(missing_error),
        }
    }

    /// Everything on the image, parents first.
    ///
    /// # Errors
    /// Bad data for an image without owners and modes, with names that lead elsewhere, or without end.
    pub(crate) fn everything(&mut self) -> Result<Vec<Item>> {
        let root = self.fs.root();
        if self.rock_ridge(root)?.is_none() {
            let message =
                format!("{} has no Rock Ridge: nobody knows owners and modes of its files", self.path);
            return Err(Error::new(ErrorKind::BadData, message)
                .hint("make it with Rock Ridge, as `xorriso -as mkisofs -R` does"));
        }
        let mut listing = Listing { items: vec![], linked: HashMap::new(), total: 0 };
        self.item(root, PathBuf::from("."), FileType::Dir, &mut listing)?;
        self.directory(root, Path::new(""), 0, &mut listing)?;
        Ok(listing.items)
    }

    fn directory(&mut self, dir: NodeId, path: &Path, depth: usize, listing: &mut Listing) -> Result<()> {
        if depth > DEEPEST {
            return Err(self.bad(path, "it is too deep"));
        }
        for entry in self.entries_of(dir)? {
            let name = entry.name().as_bytes();
            if name.contains(&b'/') || name.contains(&0) || name == b"." || name == b".." {
                return Err(self.bad(path, "a name in it leads elsewhere"));
            }
            let path = path.join(OsString::from_vec(name.to_vec()));
            self.item(entry.node(), path.clone(), entry.file_type(), listing)?;
            if entry.file_type().is_dir() {
                self.directory(entry.node(), &path, depth + 1, listing)?;
            }
        }
        Ok(())
    }

    fn item(&mut self, node: NodeId, path: PathBuf, sort: FileType, listing: &mut Listing) -> Result<()> {
        let extents = if sort.is_file() { self.extents_of(node)? } else { vec![] };
        let Some(kind) = self.kind(node, &path, sort, &extents)? else { return Ok(()) };
        let info = self.rock_ridge(node)?.unwrap_or_default();
        let (uid, gid) = info.owner().unwrap_or((0, 0));
        let mode = info.mode().unwrap_or(0o555) & 0o7777;
        let mtime = info.modified().map_or((0, 0), |time| (time.unix_seconds(), time.nanoseconds()));
        let node = Node { path, kind, mode, uid, gid, mtime, xattrs: vec![], flags: None };
        let names = info.links().unwrap_or(1);
        listing.add(Item { node, extents }, names).map_err(|why| self.bad(Path::new(""), why))
    }

    /// None for what is left out: sockets.
    fn kind(
        &mut self,
        node: NodeId,
        path: &Path,
        sort: FileType,
        extents: &[Extent],
    ) -> Result<Option<NodeKind>> {
        Ok(Some(match sort {
            FileType::Dir => NodeKind::Directory,
            FileType::File => NodeKind::File { size: extents.iter().map(Extent::len).sum() },
            FileType::Fifo => NodeKind::Fifo,
            FileType::Symlink => {
                let mut buffer = [0; LONGEST_LINK];
                let to = self.fs.readlink(node, &mut buffer).map_err(|error| failed(&self.path, &error))?;
                NodeKind::Symlink { to: OsString::from_vec(to.to_vec()).into() }
            }
            FileType::CharDevice | FileType::BlockDevice => {
                let device = self.rock_ridge(node)?.and_then(|info| info.device());
                let device = device.ok_or_else(|| self.bad(path, "a device without its number"))?;
                let block = sort == FileType::BlockDevice;
                let (major, minor) = numbers(device.major(), device.minor());
                NodeKind::Device { block, major, minor }
            }
            _ => return Ok(None),
        }))
    }

    fn rock_ridge(&mut self, node: NodeId) -> Result<Option<hadris_iso::RockRidgeInfo>> {
        self.fs.rock_ridge(node).map_err(|error| failed(&self.path, &error))
    }

    fn extents_of(&mut self, node: NodeId) -> Result<Vec<Extent>> {
        let mut extents = vec![Extent::new(0, 0); MOST_EXTENTS];
        let n = self.fs.extents(node, 0, &mut extents).map_err(|error| failed(&self.path, &error))?;
        extents.truncate(n);
        Ok(extents)
    }

    fn entries_of(&mut self, dir: NodeId) -> Result<Vec<DirEntry>> {
        let (mut all, mut cursor) = (vec![], DirCursor::START);
        while let Some(entry) = self.fs.readdir(dir, cursor).map_err(|error| failed(&self.path, &error))? {
            if all.len() as u64 > Limits::default().entries {
                return Err(self.bad(Path::new(""), "a directory has no end"));
            }
            cursor = entry.next_cursor();
            all.push(entry);
        }
        Ok(all)
    }

    /// What is at a path, without following a link.
    fn find(&mut self, path: &str) -> Result<Option<(NodeId, FileType)>> {
        let mut found = (self.fs.root(), FileType::Dir);
        for name in path.split('/').filter(|name| !name.is_empty()) {
            if !found.1.is_dir() {
                return Ok(None);
            }
            let node = match self.fs.lookup(found.0, Name::new(name)) {
                Ok(node) => node,
                Err(error) if error.kind() == hadris_fs::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(failed(&self.path, &error)),
            };
            let metadata = self.fs.stat(node).map_err(|error| failed(&self.path, &error))?;
            found = (node, metadata.file_type());
        }
        Ok(Some(found))
    }

    fn bad(&self, path: &Path, why: &str) -> Error {
        Error::new(ErrorKind::BadData, format!("bad image {}: {}: {why}", self.path, path.display()))
    }
}

/// Writers of images put the whole number into the lower field, or its halves into both; Linux, fs/isofs/rock.c.
fn numbers(high: u32, low: u32) -> (u32, u32) {
    if high == 0 && low > 0xff { (low >> 8, low & 0xff) } else { (high, low) }
}

impl Medium for Image<'_> {
    fn sort(&mut self, path: &str) -> Result<Option<Sort>> {
        Ok(self.find(path)?.map(|(_, sort)| match sort {
            FileType::File => Sort::File,
            FileType::Dir => Sort::Directory,
            FileType::Symlink => Sort::Link,
            _ => Sort::Other,
        }))
    }

    fn names(&mut self, dir: &str) -> Result<Vec<String>> {
        let Some((node, FileType::Dir)) = self.find(dir)? else { return Ok(vec![]) };
        let names = self.entries_of(node)?;
        Ok(names.iter().filter_map(|entry| entry.name().to_str().ok().map(str::to_owned)).collect())
    }

    fn content(&mut self, file: &str, limit: u64) -> Result<Vec<u8>> {
        let extents = self.extents(file)?;
        let size: u64 = extents.iter().map(Extent::len).sum();
        if size > limit {
            let message = format!("{file} on {} has more than {limit} bytes", self.path);
            return Err(Error::new(ErrorKind::BadData, message));
        }
        let mut content = vec![];
        for extent in extents {
            let start = content.len();
            content.resize(start + usize::try_from(extent.len()).unwrap_or(0), 0);
            let read = self.fs.read_raw(extent.offset(), &mut content[start..]);
            read.map_err(|error| failed(&self.path, &error))?;
        }
        Ok(content)
    }
}

/// What was found so far.
struct Listing {
    items: Vec<Item>,
    /// Files that have several names, by where their content lies.
    linked: HashMap<(u64, u64), PathBuf>,
    total: u64,
}

impl Listing {
    /// Adds an entry; a further name of a file that is listed already becomes a hard link.
    fn add(&mut self, mut item: Item, names: u32) -> Result<(), &'static str> {
        let limits = Limits::default();
        if let (NodeKind::File { size }, Some(extent)) = (&item.node.kind, item.extents.first()) {
            let key = (extent.offset(), *size);
            match self.linked.get(&key).filter(|_| names > 1) {
                Some(first) => item.node.kind = NodeKind::HardLink { to: first.clone() },
                None => {
                    self.total = self.total.saturating_add(*size);
                    self.linked.insert(key, item.node.path.clone());
                }
            }
        }
        self.items.push(item);
        if self.items.len() as u64 > limits.entries || self.total > limits.total_bytes {
            return Err("it holds more than is sensible");
        }
        Ok(())
    }
}

fn failed(image: &Utf8Path, error: &hadris_fs::Error<Error>) -> Error {
    match error.device_error() {
        Some(inner) => inner.clone().while_doing(format!("cannot read {image}")),
        None => {
            Error::new(ErrorKind::BadData, format!("{image} is damaged or no ISO 9660 image")).cause(error).hint(
                "an image for a memory stick holds another file system: mount it (on FreeBSD with mdconfig(8)), and give \
                 the directory as path",
            )
        }
    }
}
