//! Reads what an ELF file says of its loader and its libraries; elf(5). It reads, and never runs anything.

use std::io::{Error, ErrorKind, Read, Result, Seek, SeekFrom};

use object::elf::{
    DF_1_NODEFLIB, DT_FLAGS_1, DT_NEEDED, DT_RPATH, DT_RUNPATH, DT_SONAME, DT_STRSZ, DT_STRTAB, FileHeader32,
    FileHeader64, PT_LOAD,
};
use object::read::elf::{Dyn, FileHeader, ProgramHeader};
use object::read::{ReadCache, StringTable};
use object::{Endianness, ReadRef};
use qchroot_api::Observe;
use qchroot_api::camino::Utf8Path;

use crate::digest::HostFile;

/// What a library must share with whoever needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Machine {
    /// 64 bits rather than 32.
    pub(crate) wide: bool,
    /// The most significant byte comes first.
    pub(crate) big_endian: bool,
    /// `e_machine`.
    pub(crate) number: u16,
}

/// What an ELF file says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Elf {
    pub(crate) machine: Machine,
    /// The program that loads it; none for most libraries and for static programs.
    pub(crate) interpreter: Option<String>,
    /// Names of the libraries it needs.
    pub(crate) needed: Vec<String>,
    /// What others call it.
    pub(crate) soname: Option<String>,
    /// Where it wants all libraries looked for, also those that its libraries need.
    pub(crate) rpath: Vec<String>,
    /// Where it wants its own libraries looked for.
    pub(crate) runpath: Option<Vec<String>>,
    /// The loader's own directories do not count.
    pub(crate) no_defaults: bool,
}

impl Elf {
    /// Whether a file that begins like this is one.
    pub(crate) fn is(head: &[u8]) -> bool {
        head.starts_with(b"\x7fELF")
    }

    /// Reads an ELF file of the host's, `length` bytes long.
    ///
    /// # Errors
    /// Invalid data, when it is none or is damaged.
    pub(crate) fn read(host: &dyn Observe, path: &Utf8Path, length: u64) -> Result<Self> {
        let cache = ReadCache::new(Seekable { file: HostFile::new(host, path), length });
        let class = (&cache).read_bytes_at(4, 1).map_err(|()| damaged("it is too short"))?;
        match class {
            [1] => parse::<FileHeader32<Endianness>, _>(&cache),
            [2] => parse::<FileHeader64<Endianness>, _>(&cache),
            _ => return Err(damaged("unknown class")),
        }
        .map_err(damaged)
    }
}

fn damaged(why: impl ToString) -> Error {
    Error::new(ErrorKind::InvalidData, why.to_string())
}

fn parse<'data, H, R>(data: R) -> object::Result<Elf>
where
    H: FileHeader<Endian = Endianness>,
    R: ReadRef<'data>,
{
    let header = H::parse(data)?;
    let endian = header.endian()?;
    let segments = header.program_headers(endian, data)?;
    let mut elf = Elf {
        machine: Machine {
            wide: header.is_class_64(),
            big_endian: header.is_big_endian(),
            number: header.e_machine(endian).0,
        },
        interpreter: None,
        needed: vec![],
        soname: None,
        rpath: vec![],
        runpath: None,
        no_defaults: false,
    };
    for segment in segments {
        if let Some(name) = segment.interpreter(endian, data)? {
            elf.interpreter = Some(text(name));
        }
        if let Some(entries) = segment.dynamic(endian, data)? {
            dynamic::<H, R>(&mut elf, entries, segments, endian, data)?;
        }
    }
    Ok(elf)
}

fn dynamic<'data, H, R>(
    elf: &mut Elf,
    entries: &[H::Dyn],
    segments: &[H::ProgramHeader],
    endian: Endianness,
    data: R,
) -> object::Result<()>
where
    H: FileHeader<Endian = Endianness>,
    R: ReadRef<'data>,
{
    let value = |tag| entries.iter().find(|entry| entry.tag(endian) == tag).map(|entry| entry.val(endian));
    let start = value(DT_STRTAB).and_then(|address| offset::<H>(segments, address, endian));
    let strings = match (start, value(DT_STRSZ)) {
        (Some(start), Some(size)) => StringTable::new(data, start, start.saturating_add(size)),
        _ => StringTable::default(),
    };
    for entry in entries.iter().take_while(|entry| entry.tag(endian).0 != 0) {
        let list =
            || entry.string(endian, strings).map(|list| text(list).split(':').map(str::to_owned).collect());
        match entry.tag(endian) {
            DT_NEEDED => elf.needed.push(text(entry.string(endian, strings)?)),
            DT_SONAME => elf.soname = Some(text(entry.string(endian, strings)?)),
            DT_RPATH => elf.rpath = list()?,
            DT_RUNPATH => elf.runpath = Some(list()?),
            DT_FLAGS_1 => elf.no_defaults = entry.val(endian) & DF_1_NODEFLIB.0 != 0,
            _ => {}
        }
    }
    Ok(())
}

/// Where in the file the byte is that is loaded at `address`.
fn offset<H>(segments: &[H::ProgramHeader], address: u64, endian: Endianness) -> Option<u64>
where
    H: FileHeader<Endian = Endianness>,
{
    segments.iter().filter(|segment| segment.p_type(endian) == PT_LOAD).find_map(|segment| {
        let into = address.checked_sub(segment.p_vaddr(endian).into())?;
        (into < segment.p_filesz(endian).into()).then(|| into.saturating_add(segment.p_offset(endian).into()))
    })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A file of the host's in which one can go to and fro.
struct Seekable<'a> {
    file: HostFile<'a>,
    length: u64,
}

impl Read for Seekable<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        self.file.read(buffer)
    }
}

impl Seek for Seekable<'_> {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
            SeekFrom::Current(by) => self.file.at.checked_add_signed(by),
        };
        self.file.at = at.ok_or_else(|| damaged("an address outside the file"))?;
        Ok(self.file.at)
    }
}
