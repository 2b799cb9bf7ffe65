//! The tree being written, with progress, and short ways to write what no package file stands for.

use std::io::Read;

use qchroot_api::camino::Utf8Path;
use qchroot_api::{Error, ErrorKind, Node, NodeKind, Observe, Progress, Result, Take, Work};

/// The tree.
pub(crate) struct Output<'a> {
    pub(crate) work: &'a mut dyn Work,
    progress: Progress,
}

impl<'a> Output<'a> {
    pub(crate) fn new(work: &'a mut dyn Work, entries: u64) -> Self {
        let what = "copying the host's files".into();
        Self { work, progress: Progress { what, total_entries: Some(entries), ..Progress::default() } }
    }

    /// The host, to look at.
    pub(crate) fn host(&self) -> &dyn Observe {
        self.work.host()
    }

    /// The whole of a file of the host's.
    pub(crate) fn read(&mut self, path: &Utf8Path) -> Result<Vec<u8>> {
        let mut content = vec![];
        let read = self.work.open(&path.to_owned())?.read_to_end(&mut content);
        read.map_err(|error| Error::from_io(&error, format!("cannot read {path}")))?;
        Ok(content)
    }

    /// Writes an entry and tells of it.
    pub(crate) fn write(&mut self, node: &Node, content: &mut dyn Read) -> Result<()> {
        self.go_on()?;
        self.work.tree().write(node, content)?;
        self.tell(if let NodeKind::File { size } = node.kind { size } else { 0 });
        Ok(())
    }

    /// Takes an entry of the host's as it is, `size` bytes long, and tells of it.
    pub(crate) fn take(&mut self, from: &Utf8Path, to: &Utf8Path, size: u64) -> Result<()> {
        self.go_on()?;
        self.work.take(from, to.as_std_path(), Take::Copy)?;
        self.tell(size);
        Ok(())
    }

    fn go_on(&self) -> Result<()> {
        if self.work.cancelled() {
            return Err(Error::new(ErrorKind::System, "interrupted"));
        }
        Ok(())
    }

    fn tell(&mut self, size: u64) {
        self.progress.bytes += size;
        self.progress.entries += 1;
        self.progress.total_entries = self.progress.total_entries.max(Some(self.progress.entries));
        self.work.progress(&self.progress);
    }

    /// A directory of root's.
    pub(crate) fn directory(&mut self, path: impl AsRef<Utf8Path>, mode: u32, gid: u32) -> Result<()> {
        self.write(&node(path, NodeKind::Directory, mode, gid), &mut std::io::empty())
    }

    /// A file of root's.
    pub(crate) fn file(
        &mut self,
        path: impl AsRef<Utf8Path>,
        mode: u32,
        gid: u32,
        content: &[u8],
    ) -> Result<()> {
        let kind = NodeKind::File { size: content.len() as u64 };
        self.write(&node(path, kind, mode, gid), &mut &*content)
    }

    /// A character device for everybody.
    pub(crate) fn device(&mut self, path: impl AsRef<Utf8Path>, major: u32, minor: u32) -> Result<()> {
        let kind = NodeKind::Device { block: false, major, minor };
        self.write(&node(path, kind, 0o666, 0), &mut std::io::empty())
    }

    /// A symbolic link.
    pub(crate) fn link(&mut self, path: impl AsRef<Utf8Path>, to: &str) -> Result<()> {
        self.write(&node(path, NodeKind::Symlink { to: to.into() }, 0o777, 0), &mut std::io::empty())
    }

    /// Sets what must come last.
    pub(crate) fn finish(self) -> Result<()> {
        self.work.tree().finish()
    }
}

fn node(path: impl AsRef<Utf8Path>, kind: NodeKind, mode: u32, gid: u32) -> Node {
    let path = path.as_ref().as_std_path().to_owned();
    Node { path, kind, mode, uid: 0, gid, mtime: (0, 0), xattrs: vec![], flags: None }
}
