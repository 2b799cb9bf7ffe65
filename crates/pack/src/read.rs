//! Reads an export: each member is looked at before anything of it is written. It knows where members may go, not
//! what is right for a container.

use std::io::{Read, empty};
use std::path::{Component, Path, PathBuf};

use qchroot_api::camino::Utf8Path;
use qchroot_api::{Error, ErrorKind, Node, NodeKind, Progress, Result, Work};
use qchroot_unpack::{Limits, Origin, each_entry};

use crate::{CONTAINER, DISK, HEADER, Head, Seal, TREE};

/// Room for headers, by member: names and attributes.
const HEADERS: u64 = 64 << 10;

/// What an export's data is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Data {
    /// A tree.
    Tree,
    /// A disk of this length in bytes.
    Disk(u64),
}

/// What an export says it holds, and may not exceed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// Its head as it was read before.
    pub head: Head,
    /// Its seal.
    pub seal: Seal,
    /// What its data is.
    pub data: Data,
    /// Members of its data.
    pub entries: u64,
    /// Bytes of all files, holes counted.
    pub bytes: u64,
}

/// Unpacks the data of the export `path` into the staging directory of `work`: a tree at its top, a disk as `disk.img`.
/// `accept` may change a node before it is written, and says whether it is. `TreeWriter::finish` is left to the caller.
///
/// # Errors
/// Bad data, with the member named, for one that may not be there, and for a file that is not the one that was sealed.
/// What was written before that must be thrown away.
pub fn unpack(
    path: &Utf8Path,
    expected: &Expected,
    work: &mut dyn Work,
    accept: &mut dyn FnMut(&mut Node) -> Result<bool>,
) -> Result<()> {
    let limits = Limits {
        total_bytes: expected
            .bytes
            .saturating_add(expected.entries.saturating_add(64).saturating_mul(HEADERS)),
        entries: expected.entries.saturating_add(2),
        expansion: u64::MAX, // the seal vouches for it, and the bytes are bounded
    };
    let input = work.open_at(path, 0)?.take(expected.seal.length);
    let mut members = Members { expected, seen: 0, left_out: vec![] };
    let mut take = |node: &Node, content: &mut dyn Read, progress: &Progress| {
        if work.cancelled() {
            return Err(Error::new(ErrorKind::System, "interrupted"));
        }
        work.progress(progress);
        match members.place(node, content)? {
            Some(node) => members.write(node, content, work, accept),
            None => Ok(()),
        }
    };
    let name = path.file_name().unwrap_or(path.as_str());
    let read = each_entry(input, name, Some(expected.seal.length), &limits, Origin::Own, &mut take)?;
    if read.sha256 == expected.seal.sha256 && read.bytes == expected.seal.length {
        return members.complete();
    }
    Err(Error::new(ErrorKind::BadData, format!("{path} is damaged: its content is not what was sealed"))
        .with("expected", &expected.seal.sha256)
        .with("found", &read.sha256)
        .hint("copy it again from where it was made"))
}

struct Members<'a> {
    expected: &'a Expected,
    seen: u64,
    /// What was not accepted: other names of it are not either.
    left_out: Vec<PathBuf>,
}

impl Members<'_> {
    /// Where a member of the data goes; none for the first two, which are as they were read before.
    fn place(&mut self, node: &Node, content: &mut dyn Read) -> Result<Option<Node>> {
        self.seen += 1;
        let head = &self.expected.head;
        match self.seen {
            1 => same(node, content, HEADER, &head.header).map(|()| None),
            2 => same(node, content, CONTAINER, &head.container).map(|()| None),
            _ => match self.expected.data {
                Data::Tree => in_tree(node).map(Some),
                Data::Disk(length) => self.disk(node, length).map(Some),
            },
        }
    }

    fn disk(&self, node: &Node, length: u64) -> Result<Node> {
        if self.seen != 3 || node.path != Path::new(DISK) || node.kind != (NodeKind::File { size: length }) {
            let wanted = format!("only a file {DISK} of {length} bytes belongs there");
            return Err(bad(&node.path, &wanted));
        }
        Ok(Node { mode: 0o600, uid: 0, gid: 0, xattrs: vec![], flags: None, ..node.clone() })
    }

    fn write(
        &mut self,
        mut node: Node,
        content: &mut dyn Read,
        work: &mut dyn Work,
        accept: &mut dyn FnMut(&mut Node) -> Result<bool>,
    ) -> Result<()> {
        let of_left_out = matches!(&node.kind, NodeKind::HardLink { to } if self.left_out.contains(to));
        if of_left_out || !accept(&mut node)? {
            self.left_out.push(node.path);
            return Ok(());
        }
        match node.kind {
            NodeKind::File { .. } => work.tree().write(&node, content),
            _ => work.tree().write(&node, &mut empty()),
        }
    }

    fn complete(&self) -> Result<()> {
        let missing = self.seen != self.expected.entries.saturating_add(2);
        if missing {
            let (seen, told) = (self.seen.saturating_sub(2), self.expected.entries);
            let message = format!("it has {seen} members where its header says {told}");
            return Err(Error::new(ErrorKind::BadData, message));
        }
        Ok(())
    }
}

/// One of the two texts, which must be as it was when it was decided upon.
fn same(node: &Node, content: &mut dyn Read, name: &str, text: &str) -> Result<()> {
    let mut found = vec![];
    let read = content.take(text.len() as u64 + 1).read_to_end(&mut found);
    read.map_err(|error| Error::from_io(&error, format!("cannot read {name}")))?;
    if node.path == Path::new(name) && found == text.as_bytes() {
        return Ok(());
    }
    Err(bad(&node.path, &format!("{name} belongs there, as it was read before")))
}

fn in_tree(node: &Node) -> Result<Node> {
    let path = below(&node.path).map_err(|why| bad(&node.path, &why))?;
    let kind = match &node.kind {
        NodeKind::HardLink { to } => {
            let to =
                below(to).map_err(|why| bad(&node.path, &format!("it is a link to {}: {why}", shown(to))))?;
            NodeKind::HardLink { to }
        }
        kind => kind.clone(),
    };
    Ok(Node { path, kind, ..node.clone() })
}

/// The path below the tree's directory, which it may not leave.
fn below(path: &Path) -> Result<PathBuf, String> {
    let mut parts = path.components();
    let inside = parts.next() == Some(Component::Normal(TREE.as_ref()));
    if !inside || path.components().any(|part| !matches!(part, Component::Normal(_))) {
        return Err(format!("only what lies below {TREE}/ belongs there"));
    }
    Ok(parts.as_path().to_owned())
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().chars().take(500).map(|c| if c.is_control() { '?' } else { c }).collect()
}

fn bad(path: &Path, why: &str) -> Error {
    Error::new(ErrorKind::BadData, format!("bad member {}: {why}", shown(path))).with("member", shown(path))
}
