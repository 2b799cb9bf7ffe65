//! What a program or library says of itself; elf(5). It reads, and never runs anything.

use std::io::{Error, ErrorKind, Read, Result, Seek, SeekFrom};

use object::elf::{DT_NEEDED, DT_STRSZ, DT_STRTAB, FileHeader32, FileHeader64, PT_LOAD};
use object::read::elf::{Dyn, FileHeader, ProgramHeader};
use object::read::{ReadCache, StringTable};
use object::{Endianness, ReadRef};
use qchroot_api::{Observe, Place};

/// The type of the note in which a program says which FreeBSD it was made on.
const ABI_TAG: u32 = 1;

/// What an ELF file says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Elf {
    /// `e_machine`.
    pub(crate) machine: u16,
    /// `__FreeBSD_version` of the system it was made for; none when it is not FreeBSD's.
    pub(crate) osreldate: Option<u32>,
    /// Names of the libraries that it needs.
    pub(crate) needed: Vec<String>,
}

impl Elf {
    /// Reads a file; `None` when it is no ELF file.
    ///
    /// # Errors
    /// Invalid data when it is a damaged one.
    pub(crate) fn read(host: &dyn Observe, place: Place) -> Result<Option<Self>> {
        let head = host.bytes(&place, 0, 5).map_err(Error::other)?;
        let length = host.stat(&place).map_err(Error::other)?.map_or(0, |stat| stat.size);
        let cache = ReadCache::new(HostFile { host, place, length, at: 0 });
        let parsed = match head.as_slice() {
            [0x7f, b'E', b'L', b'F', 1] => parse::<FileHeader32<Endianness>, _>(&cache),
            [0x7f, b'E', b'L', b'F', 2] => parse::<FileHeader64<Endianness>, _>(&cache),
            _ => return Ok(None),
        };
        parsed.map(Some).map_err(|error| Error::new(ErrorKind::InvalidData, error.to_string()))
    }
}

fn parse<'data, H, R>(data: R) -> object::Result<Elf>
where
    H: FileHeader<Endian = Endianness>,
    R: ReadRef<'data>,
{
    let header = H::parse(data)?;
    let endian = header.endian()?;
    let segments = header.program_headers(endian, data)?;
    let mut elf = Elf { machine: header.e_machine(endian).0, ..Elf::default() };
    for segment in segments {
        if let Some(mut notes) = segment.notes(endian, data)? {
            while let Some(note) = notes.next()? {
                if note.name() == b"FreeBSD" && note.n_type(endian).0 == ABI_TAG {
                    elf.osreldate = number(note.desc(), endian);
                }
            }
        }
        if let Some(entries) = segment.dynamic(endian, data)? {
            elf.needed = needed::<H, R>(entries, segments, endian, data)?;
        }
    }
    Ok(elf)
}

fn number(bytes: &[u8], endian: Endianness) -> Option<u32> {
    let bytes = bytes.first_chunk()?;
    Some(match endian {
        Endianness::Little => u32::from_le_bytes(*bytes),
        Endianness::Big => u32::from_be_bytes(*bytes),
    })
}

fn needed<'data, H, R>(
    entries: &[H::Dyn],
    segments: &[H::ProgramHeader],
    endian: Endianness,
    data: R,
) -> object::Result<Vec<String>>
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
    let live = entries.iter().take_while(|entry| entry.tag(endian).0 != 0);
    live.filter(|entry| entry.tag(endian) == DT_NEEDED)
        .map(|entry| Ok(String::from_utf8_lossy(entry.string(endian, strings)?).into_owned()))
        .collect()
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

/// A file of the host's, read through the view that sources have of it.
struct HostFile<'a> {
    host: &'a dyn Observe,
    place: Place,
    length: u64,
    at: u64,
}

impl Read for HostFile<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let bytes = self.host.bytes(&self.place, self.at, buffer.len() as u64).map_err(Error::other)?;
        let length = bytes.len().min(buffer.len());
        buffer[..length].copy_from_slice(&bytes[..length]);
        self.at += length as u64;
        Ok(length)
    }
}

impl Seek for HostFile<'_> {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or_else(|| Error::new(ErrorKind::InvalidData, "an address outside the file"))?;
        Ok(self.at)
    }
}
