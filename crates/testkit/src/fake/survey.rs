//! A walk over the tree in memory, as the port's `survey` promises it.

use std::path::{Path, PathBuf};

use camino::Utf8Path;
use qchroot_api::{Access, ErrorKind, Result};
use qchroot_engine::{Care, Seen, SeenKind};
use sha2::{Digest, Sha256};

use super::node::{Body, Inode};
use super::state::State;

pub(crate) fn survey(state: &State, top: &Utf8Path, care: &dyn Fn(&Path) -> Care) -> Result<Vec<Seen>> {
    let found = match state.tree.host(top, true) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(vec![]),
        found => found?,
    };
    let mut closed: Option<PathBuf> = None;
    let mut all = vec![];
    for (path, inode) in state.tree.subtree(&found).into_iter().skip(1) {
        let path = PathBuf::from(path);
        if closed.as_ref().is_some_and(|closed| path.starts_with(closed)) {
            continue;
        }
        let care = care(&path);
        if matches!(care, Care::Skip | Care::Note) {
            closed = Some(path.clone());
        }
        if care != Care::Skip {
            all.push(seen(path, &inode, care));
        }
    }
    all.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(all)
}

fn seen(path: PathBuf, inode: &Inode, care: Care) -> Seen {
    let mut xattrs = vec![];
    let kind = match &inode.body {
        Body::Directory { opaque } => {
            if *opaque && care != Care::Note {
                xattrs.push((b"trusted.overlay.opaque".to_vec(), b"y".to_vec()));
            }
            SeenKind::Directory
        }
        Body::File(content) => {
            let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            let sha256 = (care == Care::Digest).then(|| hex(&Sha256::digest(content)));
            SeenKind::File { size: content.len() as u64, sha256 }
        }
        Body::Disk(disk) => SeenKind::File { size: disk.length, sha256: None },
        Body::Link(to) => SeenKind::Link { to: to.into() },
        Body::Device { block, major, minor } => {
            SeenKind::Device { block: *block, major: *major, minor: *minor }
        }
        Body::Fifo => SeenKind::Fifo,
        Body::Whiteout => SeenKind::Device { block: false, major: 0, minor: 0 },
    };
    let access = Access { mode: inode.mode, uid: inode.uid, gid: inode.gid };
    Seen { path, kind, access, flags: None, xattrs }
}
