//! Writes an export: the head, the members of its data, the seal. It knows tar's members and no container.

use std::io::{self, Read, Write};
use std::thread;

use qchroot_api::{Error, ErrorKind, Node, NodeKind, Part, Result};

use crate::frames::Frames;
use crate::{CONTAINER, DISK, HEADER, Head, TREE, member};

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Length of the file.
    pub bytes: u64,
    /// SHA-256 of the file, lower-case hex.
    pub sha256: String,
    /// How many of its bytes were there already.
    pub kept: u64,
}

/// Writes an export into `part`: `head`, then what `fill` hands to the archive, then the seal. What `part` holds already
/// is kept as far as it is the same.
///
/// # Errors
/// `Exists`, when `part` holds something else than the beginning of an export; otherwise what `fill` or writing said.
pub fn write(
    part: &mut dyn Part,
    head: &Head,
    fill: &mut dyn FnMut(&mut Archive<'_, '_>) -> Result<()>,
) -> Result<Written> {
    thread::scope(|scope| {
        let mut archive = Archive { frames: Frames::begin(scope, part)? };
        let frames = &mut archive.frames;
        frames.write(&member::text(HEADER, &head.header)?)?;
        frames.write(&member::text(CONTAINER, &head.container)?)?;
        frames.end_frame()?; // so that a reader of the head need not decompress more
        fill(&mut archive)?;
        archive.frames.write(&[0; 2 * member::BLOCK as usize])?;
        archive.frames.finish()
    })
}

/// The archive in an export.
pub struct Archive<'scope, 'env> {
    frames: Frames<'scope, 'env>,
}

impl Archive<'_, '_> {
    /// Adds a node of the container's tree. Of a file, `content` gives the extents `data` (offset and length in bytes,
    /// in order), one after the other.
    pub fn tree(&mut self, node: &Node, data: &[(u64, u64)], content: &mut dyn Read) -> Result<()> {
        let mut path = in_tree(member::bytes(&node.path));
        if node.kind == NodeKind::Directory && !path.ends_with(b"/") {
            path.push(b'/');
        }
        match &node.kind {
            NodeKind::HardLink { to } => {
                use std::os::unix::ffi::OsStringExt;
                let to = std::ffi::OsString::from_vec(in_tree(member::bytes(to))).into();
                self.member(&path, &Node { kind: NodeKind::HardLink { to }, ..node.clone() }, data, content)
            }
            _ => self.member(&path, node, data, content),
        }
    }

    /// Adds the container's disk, in the same way.
    pub fn disk(&mut self, node: &Node, data: &[(u64, u64)], content: &mut dyn Read) -> Result<()> {
        self.member(DISK.as_bytes(), node, data, content)
    }

    fn member(
        &mut self,
        path: &[u8],
        node: &Node,
        data: &[(u64, u64)],
        content: &mut dyn Read,
    ) -> Result<()> {
        self.frames.write(&member::before_data(path, node, data)?)?;
        let length = data.iter().map(|extent| extent.1).sum();
        if self.frames.fill(content, length)? < length {
            let path = node.path.display();
            return Err(Error::new(ErrorKind::BadData, format!("{path} became shorter while it was read")));
        }
        self.frames.write(member::padding(length))
    }
}

fn in_tree(path: &[u8]) -> Vec<u8> {
    [TREE.as_bytes(), b"/", path].concat()
}

/// A stream, such as standard output, as the part of an export: there is never anything in it yet.
pub struct Stream<W>(pub W);

impl<W> Read for Stream<W> {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Ok(0)
    }
}

impl<W: Write> Write for Stream<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl<W: Write + Send> Part for Stream<W> {
    fn cut(&mut self, length: u64) -> io::Result<()> {
        if length == 0 { Ok(()) } else { Err(io::ErrorKind::NotSeekable.into()) }
    }

    fn settle(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
