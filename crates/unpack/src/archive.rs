//! A tar archive as a sequence of entries. It knows how headers follow one another; one header's fields are
//! read by the `tar` crate. The sequence is walked here because pax records are bytes with lengths, a sparse
//! file has three ways to be written, and an archive that just ends must be told from one that is complete.

use std::io;

use qchroot_api::{Error, ErrorKind, Node, Result};
use tar::{EntryType, GnuExtSparseHeader, Header};

use crate::attributes::Origin;
use crate::content::{self, BLOCK, Content, Map, padding};
use crate::header::{self, Extensions};
use crate::pax::Records;
use crate::pipe::Stream;

/// Longest extended header or name in bytes.
const EXTENSION: u64 = 4 << 20;

/// One entry, before its content is read.
pub(crate) struct Member {
    pub(crate) node: Node,
    map: Map,
}

impl Member {
    /// Length of the content with its holes.
    pub(crate) fn size(&self) -> u64 {
        self.map.size()
    }
}

/// The archive.
pub(crate) struct Archive {
    stream: Stream,
    global: Records,
    last: Option<String>,
    origin: Origin,
}

impl Archive {
    pub(crate) fn new(stream: Stream, origin: Origin) -> Self {
        Self { stream, global: Records::default(), last: None, origin }
    }

    /// Bytes of the input read so far.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.stream.bytes_read()
    }

    /// The next entry, or `None` at the archive's end mark.
    pub(crate) fn next(&mut self) -> Result<Option<Member>> {
        let mut extensions = Extensions::default();
        while let Some(header) = self.header()? {
            match header.entry_type() {
                EntryType::GNULongName => extensions.long_name = Some(self.extension(&header, true)?),
                EntryType::GNULongLink => extensions.long_link = Some(self.extension(&header, true)?),
                EntryType::XHeader => extensions.records = self.records(&header)?,
                EntryType::XGlobalHeader => {
                    let records = self.records(&header)?;
                    self.global.extend(records).map_err(|error| self.blame(error))?;
                }
                _ => return self.member(&header, extensions).map(Some),
            }
        }
        Ok(None)
    }

    fn header(&mut self) -> Result<Option<Header>> {
        let mut header = Header::new_old();
        self.block(header.as_mut_bytes())?;
        if header.as_bytes().iter().all(|&byte| byte == 0) {
            return Ok(None);
        }
        header::check_sum(&header).map_err(|error| self.blame(error))?;
        Ok(Some(header))
    }

    fn member(&mut self, header: &Header, mut extensions: Extensions) -> Result<Member> {
        extensions.records = std::mem::take(&mut extensions.records).over(&self.global);
        let path = header::path(header, &extensions);
        self.last = Some(header::shown(&path));
        let blame = |archive: &Self, error| archive.blame(error);
        let stored = header::stored(header, &extensions.records).map_err(|e| blame(self, e))?;
        let map = self.map(header, &extensions.records, stored)?;
        let node =
            header::node(header, &extensions, path, map.size(), self.origin).map_err(|e| blame(self, e))?;
        Ok(Member { node, map })
    }

    /// The content of `member`, which must be drained before the next entry.
    pub(crate) fn content<'a>(&'a mut self, member: &'a Member) -> Content<'a> {
        Content::new(&mut self.stream, &member.map)
    }

    /// Reads what follows the end mark, which may only be zeros.
    pub(crate) fn finish(&mut self) -> Result<()> {
        let mut buffer = [0; 8192];
        loop {
            match self.stream.fill(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(n) if buffer[..n].iter().all(|&byte| byte == 0) => {}
                Ok(_) => return Err(self.blame(bad("archive goes on after its end mark"))),
                Err(error) => return Err(self.failed(&error)),
            }
        }
    }

    /// The fault of the stream, if it has one, with the entry it was met in.
    pub(crate) fn broken(&self) -> Option<Error> {
        self.stream.fault().map(|fault| self.blame(fault.clone()))
    }

    /// Names the entry that was read last.
    pub(crate) fn blame(&self, error: Error) -> Error {
        match &self.last {
            Some(last) => error.while_doing(format!("at entry {last}")),
            None => error.while_doing("before the first entry"),
        }
    }

    fn failed(&self, error: &io::Error) -> Error {
        self.broken().unwrap_or_else(|| self.blame(Error::from_io(error, "cannot read")))
    }

    fn block(&mut self, block: &mut [u8]) -> Result<()> {
        match self.stream.fill(block) {
            Ok(n) if n == block.len() => Ok(()),
            Ok(_) => {
                let error = self.stream.cut_off();
                Err(self.failed(&error))
            }
            Err(error) => Err(self.failed(&error)),
        }
    }

    fn records(&mut self, header: &Header) -> Result<Records> {
        let bytes = self.extension(header, false)?;
        Records::parse(&bytes).map_err(|error| self.blame(error))
    }

    /// The content of an entry that describes the next one; names end at their first zero byte.
    fn extension(&mut self, header: &Header, is_name: bool) -> Result<Vec<u8>> {
        let size = header::stored(header, &Records::default()).map_err(|error| self.blame(error))?;
        if size > EXTENSION {
            return Err(
                self.blame(bad(format!("an extended header has {size} bytes, more than {EXTENSION}")))
            );
        }
        let length = usize::try_from(size + padding(size)).unwrap_or(0);
        let mut bytes = vec![0; length];
        self.block(&mut bytes)?;
        bytes.truncate(usize::try_from(size).unwrap_or(0));
        if is_name {
            bytes.truncate(bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len()));
        }
        Ok(bytes)
    }

    /// How the content lies in the file, in whichever of the three ways a sparse file was written.
    fn map(&mut self, header: &Header, records: &Records, stored: u64) -> Result<Map> {
        let version = records.text("GNU.sparse.major").map_err(|error| self.blame(error))?;
        let map = if header.entry_type() == EntryType::GNUSparse {
            self.old_gnu_map(header, stored)
        } else if version == Some("1") {
            self.gnu_map_in_content(records, stored)
        } else if let Some(text) = records.get("GNU.sparse.map") {
            gnu_map_in_record(text, records, stored)
        } else if records.get("GNU.sparse.offset").is_some() || version.is_some_and(|major| major != "0") {
            Err(bad("sparse files of this version of GNU's format are not supported"))
        } else {
            Ok(Map::whole(stored))
        };
        map.map_err(|error| self.broken().unwrap_or_else(|| self.blame(error)))
    }

    /// tar(5), "GNU tar archives": the map is in the header and in blocks that follow it.
    fn old_gnu_map(&mut self, header: &Header, stored: u64) -> Result<Map> {
        let gnu = header.as_gnu().ok_or_else(|| bad("sparse file in an archive that is not GNU's"))?;
        let size = gnu.real_size().map_err(|error| bad("bad size of a sparse file").cause(error))?;
        let mut data = Vec::new();
        pieces(&gnu.sparse, &mut data)?;
        let mut more = gnu.is_extended();
        while more {
            let mut block = GnuExtSparseHeader::new();
            self.block(block.as_mut_bytes())?;
            pieces(block.sparse(), &mut data)?;
            more = block.is_extended();
        }
        Map::sparse(&data, size, stored)
    }

    /// Format 1.0: the map stands before the data, numbers one a line, padded to a block.
    fn gnu_map_in_content(&mut self, records: &Records, stored: u64) -> Result<Map> {
        let mut left = stored;
        let mut text = Vec::new();
        let mut numbers = Vec::new();
        while numbers
            .first()
            .is_none_or(|&count: &u64| (numbers.len() as u64) < count.saturating_mul(2).saturating_add(1))
        {
            left = left.checked_sub(BLOCK).ok_or_else(|| bad("the map of a sparse file is cut off"))?;
            let mut block = [0; BLOCK as usize];
            self.block(&mut block)?;
            text.extend_from_slice(&block);
            let whole = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
            for line in text[..whole].split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
                numbers.push(decimal(line)?);
            }
            text.drain(..whole);
            content::check_pieces(numbers.len() / 2)?;
        }
        let (_, pairs) = numbers.split_first().ok_or_else(|| bad("the map of a sparse file is empty"))?;
        Map::sparse(&in_pairs(pairs), real_size(records)?, left)
    }
}

/// Format 0.1: the map is a record of its own, numbers with commas.
fn gnu_map_in_record(text: &[u8], records: &Records, stored: u64) -> Result<Map> {
    let numbers = text.split(|&byte| byte == b',').map(decimal).collect::<Result<Vec<_>>>()?;
    content::check_pieces(numbers.len() / 2)?;
    Map::sparse(&in_pairs(&numbers), real_size(records)?, stored)
}

fn in_pairs(numbers: &[u64]) -> Vec<(u64, u64)> {
    numbers.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect()
}

fn real_size(records: &Records) -> Result<u64> {
    let size = records.number("GNU.sparse.realsize")?.or(records.number("GNU.sparse.size")?);
    size.ok_or_else(|| bad("sparse file without its size"))
}

fn pieces(from: &[tar::GnuSparseHeader], to: &mut Vec<(u64, u64)>) -> Result<()> {
    for piece in from.iter().filter(|piece| !piece.is_empty()) {
        match (piece.offset(), piece.length()) {
            (Ok(offset), Ok(length)) => to.push((offset, length)),
            _ => return Err(bad("the map of a sparse file has a bad number")),
        }
    }
    content::check_pieces(to.len())
}

fn decimal(text: &[u8]) -> Result<u64> {
    let number = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    number.ok_or_else(|| bad("the map of a sparse file has a bad number"))
}

fn bad(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::BadData, message)
}
