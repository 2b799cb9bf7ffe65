//! Brings single files of the host's into a staging directory. It does not know why they are wanted.

use std::fs::{self, File, Metadata};
use std::io::{Read, empty};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use camino::Utf8Path;
use qchroot_api::{Error, ErrorKind, Node, NodeKind, Result, Take, TreeWriter};

use crate::errors::OrError;
use crate::writer::Writer;

/// Takes the file, link or directory `from` to `to` below the writer's top.
pub(crate) fn take(writer: &mut Writer, from: &Utf8Path, to: &Path, _how: Take) -> Result<()> {
    let message = || format!("cannot take {from}");
    let meta = fs::symlink_metadata(from).or_error(message)?;
    let node = Node {
        path: to.to_owned(),
        kind: kind(from, &meta)?,
        mode: meta.mode() & 0o7777,
        uid: meta.uid(),
        gid: meta.gid(),
        mtime: (meta.mtime(), u32::try_from(meta.mtime_nsec()).unwrap_or(0)),
        xattrs: vec![],
        flags: None,
    };
    let mut content: Box<dyn Read> = match node.kind {
        NodeKind::File { .. } => Box::new(File::open(from).or_error(message)?),
        _ => Box::new(empty()),
    };
    writer.write(&node, &mut content)
}

fn kind(from: &Utf8Path, meta: &Metadata) -> Result<NodeKind> {
    let kind = meta.file_type();
    if kind.is_symlink() {
        let to = fs::read_link(from).or_error(|| format!("cannot read link {from}"))?;
        return Ok(NodeKind::Symlink { to });
    }
    if kind.is_dir() {
        return Ok(NodeKind::Directory);
    }
    if kind.is_file() && !kind.is_fifo() {
        return Ok(NodeKind::File { size: meta.len() });
    }
    Err(Error::new(ErrorKind::BadData, format!("{from} is neither a file nor a link nor a directory")))
}
