//! What an interrupted export left: its frames are held against those to come, and kept as long as they are the same.

use std::io::{self, Read};

use qchroot_api::{Error, ErrorKind, Part, Result};
use zstd::bulk::Decompressor;
use zstd::zstd_safe::find_frame_compressed_size;

use crate::press::Output;
use crate::{FRAME, HEADER};

/// Magic number of a frame: RFC 8878, 3.1.1.
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

pub(crate) struct Keeper<'a> {
    output: Output<'a>,
    decompressor: Decompressor<'static>,
    /// What was read of the part and not held against anything yet.
    ahead: Vec<u8>,
    plain: Vec<u8>,
}

impl<'a> Keeper<'a> {
    /// # Errors
    /// `Exists`, when `part` holds something else than the beginning of an export.
    pub(crate) fn of(part: &'a mut dyn Part) -> Result<Self> {
        let decompressor = Decompressor::new().map_err(|error| cannot_read(&error))?;
        let mut keeper =
            Self { output: Output::of(part), decompressor, ahead: vec![], plain: Vec::with_capacity(FRAME) };
        keeper.read_ahead()?;
        if keeper.is_something_else() {
            return Err(Error::new(ErrorKind::Exists, "the part that is there is not of an export")
                .hint("remove it, or choose another name"));
        }
        Ok(keeper)
    }

    /// A first frame that is torn says nothing but its magic number.
    fn is_something_else(&mut self) -> bool {
        match self.next_frame() {
            _ if self.ahead.is_empty() => false,
            Some(_) => !self.plain.starts_with(HEADER.as_bytes()),
            None => !self.ahead.starts_with(&MAGIC[..self.ahead.len().min(MAGIC.len())]),
        }
    }

    /// Whether `frame` comes next in what is there; then it is kept.
    pub(crate) fn has(&mut self, frame: &[u8]) -> Result<bool> {
        self.read_ahead()?;
        match self.next_frame() {
            Some(length) if self.plain == frame => {
                self.output.keep(&self.ahead[..length]);
                self.ahead.drain(..length);
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Decompresses the next frame; its length before. None where it is torn or damaged.
    fn next_frame(&mut self) -> Option<usize> {
        self.plain.clear();
        let length = find_frame_compressed_size(&self.ahead).ok()?;
        self.decompressor.decompress_to_buffer(&self.ahead[..length], &mut self.plain).ok()?;
        Some(length)
    }

    fn read_ahead(&mut self) -> Result<()> {
        let wanted = zstd::zstd_safe::compress_bound(FRAME).saturating_sub(self.ahead.len()) as u64;
        let read = self.output.part().take(wanted).read_to_end(&mut self.ahead);
        read.map(drop).map_err(|error| cannot_read(&error))
    }

    /// What was not kept is cut off.
    pub(crate) fn into_output(mut self) -> Result<Output<'a>> {
        self.output.cut()?;
        Ok(self.output)
    }
}

fn cannot_read(error: &io::Error) -> Error {
    Error::from_io(error, "cannot read the part that is there")
}
