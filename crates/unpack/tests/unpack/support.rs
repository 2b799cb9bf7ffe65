//! A tree in memory that behaves as a file system's writer does, and archives made by hand.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};
use std::path::Path;

use qchroot_api::camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{
    Command, Download, Error, ErrorKind, Node, NodeKind, Observe, Output, Progress, Result, Take, TreeWriter,
    Work,
};
use tar::{EntryType, Header};

#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) nodes: BTreeMap<Vec<u8>, (Node, Vec<u8>)>,
    pub(crate) progress: Vec<Progress>,
    pub(crate) cancelled: bool,
}

impl Memory {
    pub(crate) fn get(&self, path: &[u8]) -> &(Node, Vec<u8>) {
        self.nodes.get(path).unwrap_or_else(|| panic!("no {}", path.escape_ascii()))
    }
}

impl TreeWriter for Memory {
    fn write(&mut self, node: &Node, content: &mut dyn Read) -> Result<()> {
        let mut bytes = Vec::new();
        if let NodeKind::File { size } = node.kind {
            let told = |e: &std::io::Error| Error::from_io(e, "cannot write");
            content.take(size).read_to_end(&mut bytes).map_err(|e| told(&e))?;
        }
        let path = node.path.as_os_str().as_encoded_bytes();
        let path = path.strip_prefix(b"./").unwrap_or(path);
        self.nodes.insert(path.strip_suffix(b"/").unwrap_or(path).to_vec(), (node.clone(), bytes));
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}

impl Work for Memory {
    fn staging(&self) -> &Utf8Path {
        Utf8Path::new("/nowhere")
    }

    fn cache(&self) -> &Utf8Path {
        Utf8Path::new("/nowhere")
    }

    fn log(&self) -> &Utf8Path {
        Utf8Path::new("/nowhere")
    }

    fn host(&self) -> &dyn Observe {
        unreachable!("nothing to look at")
    }

    fn take(&mut self, _: &Utf8Path, _: &Path, _: Take) -> Result<()> {
        Err(Error::new(ErrorKind::Internal, "nothing to take"))
    }

    fn take_tree(&mut self, from: &Utf8Path) -> Result<()> {
        Err(Error::new(ErrorKind::Unavailable, format!("{from} is not here")))
    }

    fn fetch(&mut self, wanted: &Download) -> Result<Utf8PathBuf> {
        Err(Error::new(ErrorKind::Unavailable, format!("{} is not here", wanted.name)))
    }

    fn unpack(&mut self, wanted: &[Download]) -> Result<()> {
        wanted.iter().try_for_each(|one| self.fetch(one).map(drop))
    }

    fn note(&mut self, _: &str) -> Result<()> {
        Ok(())
    }

    fn media(&mut self, _: &Utf8Path) -> Result<Utf8PathBuf> {
        Err(Error::new(ErrorKind::Unavailable, "nothing to mount"))
    }

    fn tree(&mut self) -> &mut dyn TreeWriter {
        self
    }

    fn progress(&mut self, progress: &Progress) {
        self.progress.push(progress.clone());
    }

    fn run(&mut self, _: &Command) -> Result<Output> {
        Err(Error::new(ErrorKind::Internal, "nothing to run"))
    }

    fn cancelled(&self) -> bool {
        self.cancelled
    }

    fn open(&mut self, _: &Utf8PathBuf) -> Result<Box<dyn Read + Send>> {
        Err(Error::new(ErrorKind::Internal, "nothing to open"))
    }
}

/// One entry as it stands in an archive, without the end mark.
pub(crate) fn entry(name: &[u8], kind: EntryType, link: &str, content: &[u8]) -> Vec<u8> {
    sized(name, kind, link, content.len() as u64, content)
}

/// The same, with a header that may lie about the length.
pub(crate) fn sized(name: &[u8], kind: EntryType, link: &str, size: u64, content: &[u8]) -> Vec<u8> {
    let mut header = Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_entry_type(kind);
    if !link.is_empty() {
        header.set_link_name_literal(link).unwrap();
    }
    header.set_mode(0o4755);
    header.set_uid(7);
    header.set_gid(8);
    header.set_mtime(1_700_000_000);
    header.set_size(size);
    header.set_device_major(1).unwrap();
    header.set_device_minor(3).unwrap();
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

pub(crate) fn pax(records: &[(&str, &[u8])]) -> Vec<u8> {
    let mut all = Vec::new();
    for (key, value) in records {
        let body = [b" ", key.as_bytes(), b"=", value, b"\n"].concat();
        let length = (1..).find(|&digits| (body.len() + digits).to_string().len() == digits).unwrap();
        write!(all, "{}", body.len() + length).unwrap();
        all.extend(body);
    }
    entry(b"pax", EntryType::XHeader, "", &all)
}

pub(crate) fn file(name: &[u8], content: &[u8]) -> Vec<u8> {
    entry(name, EntryType::Regular, "", content)
}

/// Entries with the end mark behind them.
pub(crate) fn archive(entries: &[Vec<u8>]) -> Vec<u8> {
    [entries.concat(), vec![0; 1024]].concat()
}

pub(crate) fn unpack(bytes: &[u8]) -> Result<(Memory, qchroot_unpack::Summary)> {
    unpack_within(bytes, &qchroot_unpack::Limits::default())
}

pub(crate) fn unpack_within(
    bytes: &[u8],
    limits: &qchroot_unpack::Limits,
) -> Result<(Memory, qchroot_unpack::Summary)> {
    let mut memory = Memory::default();
    let input = Cursor::new(bytes.to_vec());
    let summary = qchroot_unpack::unpack(input, "test.tar", Some(bytes.len() as u64), &mut memory, limits)?;
    Ok((memory, summary))
}
