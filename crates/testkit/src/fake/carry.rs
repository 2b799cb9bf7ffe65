//! What exports need of the fake machine: a tree handed over node by node, and a file written part by part.

use std::io::{self, Read, Write, empty};

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{ErrorKind, Node, NodeKind, Part, Place, Result, TakeNode};

use super::node::{Body, Inode};
use super::{FakeHost, call, change, refuse};

pub(crate) fn read_tree(host: &FakeHost, top: &Utf8Path, take: &mut TakeNode<'_>) -> Result<()> {
    let all = {
        let state = call(host)?;
        let found = state.tree.host(top, false)?;
        state.tree.subtree(&found)
    };
    for (path, inode) in all {
        let node = node(&path, &inode)?;
        match &inode.body {
            Body::File(content) if !content.is_empty() => {
                take(&node, &[(0, content.len() as u64)], &mut content.as_slice())?
            }
            _ => take(&node, &[], &mut empty())?,
        }
    }
    Ok(())
}

fn node(path: &Utf8Path, inode: &Inode) -> Result<Node> {
    let mut xattrs = vec![];
    let kind = match &inode.body {
        Body::Directory { opaque } => {
            if *opaque {
                xattrs.push((b"trusted.overlay.opaque".to_vec(), b"y".to_vec()));
            }
            NodeKind::Directory
        }
        Body::File(content) => NodeKind::File { size: content.len() as u64 },
        Body::Link(to) => NodeKind::Symlink { to: to.into() },
        Body::Device { block, major, minor } => {
            NodeKind::Device { block: *block, major: *major, minor: *minor }
        }
        Body::Fifo => NodeKind::Fifo,
        Body::Whiteout => NodeKind::Device { block: false, major: 0, minor: 0 },
        Body::Disk(_) => {
            let why = "a disk of the fake machine is not made of bytes";
            return Err(refuse(ErrorKind::Unavailable, format!("cannot read {path}"), why));
        }
    };
    let Inode { mode, uid, gid, mtime, .. } = *inode;
    Ok(Node { path: path.into(), kind, mode, uid, gid, mtime, xattrs, flags: None })
}

/// A file of the fake machine's; each write is a change that can fail.
pub(crate) struct FakePart {
    host: FakeHost,
    at: Utf8PathBuf,
    read: usize,
}

impl FakePart {
    pub(crate) fn open(host: &FakeHost, at: &Utf8Path) -> Result<Self> {
        change(host, |state| {
            let found = state.tree.host(at, true)?;
            if state.tree.get(&found).is_none() {
                state.tree.put(&found, Inode::file("", 0o600))?;
            }
            Ok(())
        })?;
        Ok(Self { host: host.clone(), at: at.to_owned(), read: 0 })
    }

    fn content(&self) -> io::Result<Vec<u8>> {
        let look = || call(&self.host)?.tree.look(&Place::host(&self.at));
        match look().map_err(io::Error::other)? {
            Some((_, Inode { body: Body::File(content), .. })) => Ok(content),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn replace(&self, content: Vec<u8>) -> io::Result<()> {
        let replaced = change(&self.host, |state| {
            let found = state.tree.host(&self.at, true)?;
            state.tree.put(&found, Inode::file(content, 0o600))
        });
        replaced.map_err(io::Error::other)
    }
}

impl Read for FakePart {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let content = self.content()?;
        let mut left = &content[self.read.min(content.len())..];
        let length = left.read(buffer)?;
        self.read += length;
        Ok(length)
    }
}

impl Write for FakePart {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.replace([self.content()?.as_slice(), bytes].concat())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Part for FakePart {
    fn cut(&mut self, length: u64) -> io::Result<()> {
        let mut content = self.content()?;
        content.truncate(usize::try_from(length).unwrap_or(usize::MAX));
        self.replace(content)
    }

    fn settle(&mut self) -> io::Result<()> {
        Ok(())
    }
}
