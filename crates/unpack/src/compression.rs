//! Decompression, told by magic numbers. It knows nothing of what the bytes mean.
//!
//! All formats allow several members one after another, and writers that use several threads make such files,
//! so every format is read member by member. Between and after members, zero bytes are padding.

use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};
use std::thread;

use liblzma::stream::MtStreamBuilder;

/// Bytes of memory that the xz decoder may take before it uses fewer threads.
const XZ_THREADS_MEMORY: u64 = 512 << 20;
/// Bytes of memory that no xz archive may take: `xz -9` needs 65 MiB.
const XZ_MEMORY: u64 = 512 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Plain,
    Gzip,
    Xz,
    Zstd,
    Bzip2,
}

impl Format {
    /// Magic numbers: RFC 1952 (gzip), the .xz file format 2.1.1.1, RFC 8878 3.1 (zstd), bzip2(1).
    fn of(start: &[u8]) -> Self {
        match start {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Self::Bzip2,
            _ => Self::Plain,
        }
    }
}

enum Member<R: BufRead> {
    Plain(R),
    Gzip(flate2::bufread::GzDecoder<R>),
    Xz(Box<liblzma::bufread::XzDecoder<R>>),
    Zstd(zstd::Decoder<'static, R>),
    Bzip2(bzip2::bufread::BzDecoder<R>),
}

impl<R: BufRead> Member<R> {
    fn new(format: Format, input: R) -> io::Result<Self> {
        Ok(match format {
            Format::Plain => Self::Plain(input),
            Format::Gzip => Self::Gzip(flate2::bufread::GzDecoder::new(input)),
            Format::Xz => Self::Xz(Box::new(xz(input)?)),
            Format::Zstd => Self::Zstd(zstd::Decoder::with_buffer(input)?.single_frame()),
            Format::Bzip2 => Self::Bzip2(bzip2::bufread::BzDecoder::new(input)),
        })
    }

    fn into_inner(self) -> R {
        match self {
            Self::Plain(input) => input,
            Self::Gzip(decoder) => decoder.into_inner(),
            Self::Xz(decoder) => decoder.into_inner(),
            Self::Zstd(decoder) => decoder.finish(),
            Self::Bzip2(decoder) => decoder.into_inner(),
        }
    }
}

impl<R: BufRead> Read for Member<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(input) => input.read(buffer),
            Self::Gzip(decoder) => decoder.read(buffer),
            Self::Xz(decoder) => decoder.read(buffer),
            Self::Zstd(decoder) => decoder.read(buffer),
            Self::Bzip2(decoder) => decoder.read(buffer),
        }
    }
}

fn xz<R: BufRead>(input: R) -> io::Result<liblzma::bufread::XzDecoder<R>> {
    let threads = thread::available_parallelism().map_or(1, |n| u32::try_from(n.get()).unwrap_or(1));
    let stream = MtStreamBuilder::new()
        .threads(threads)
        .memlimit_threading(XZ_THREADS_MEMORY)
        .memlimit_stop(XZ_MEMORY)
        .decoder()?;
    Ok(liblzma::bufread::XzDecoder::new_stream(input, stream))
}

/// The input with its first bytes put back in front.
type Input<R> = BufReader<Chain<Cursor<Vec<u8>>, R>>;

/// The decompressed bytes of all members.
pub(crate) struct Decompressed<R: Read> {
    format: Format,
    member: Option<Member<Input<R>>>,
}

impl<R: Read> Decompressed<R> {
    /// Looks at the first bytes of `input`, which is read in pieces of `buffer` bytes.
    pub(crate) fn new(mut input: R, buffer: usize) -> io::Result<Self> {
        let mut start = Vec::new();
        input.by_ref().take(6).read_to_end(&mut start)?;
        let format = Format::of(&start);
        let input = BufReader::with_capacity(buffer, Cursor::new(start).chain(input));
        Ok(Self { format, member: Some(Member::new(format, input)?) })
    }
}

impl<R: Read> Read for Decompressed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let n = member.read(buffer)?;
            if n > 0 || buffer.is_empty() || self.format == Format::Plain {
                return Ok(n);
            }
            let input = self.member.take().map(Member::into_inner);
            self.member = input.map(|input| next_member(self.format, input)).transpose()?.flatten();
        }
        Ok(0)
    }
}

fn next_member<R: BufRead>(format: Format, mut input: R) -> io::Result<Option<Member<R>>> {
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(None);
        }
        let (zeros, length) = (buffer.iter().take_while(|&&byte| byte == 0).count(), buffer.len());
        input.consume(zeros);
        if zeros < length {
            return Member::new(format, input).map(Some);
        }
    }
}
