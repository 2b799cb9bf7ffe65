//! An image file as the block device that a file system is read from. It knows bytes, not what they mean.

use std::collections::HashMap;

use hadris_io::{Error as DeviceError, ErrorType};
use hadris_storage::sync::BlockDevice;
use hadris_storage::{BlockIndex, BlockSize};
use qchroot_api::camino::Utf8Path;
use qchroot_api::{Error, ErrorKind, Observe, Place, Result};

/// Sectors of ISO 9660, ECMA-119 6.1.2.
const SECTOR: u32 = 2048;
/// The same, as the reader's type.
const SECTORS: BlockSize = match BlockSize::new(SECTOR) {
    Some(size) => size,
    None => unreachable!(),
};
/// Bytes that are asked for at a time.
const CHUNK: u64 = 64 << 10;
/// Chunks that are kept.
const KEPT: usize = 128;

/// The image, as the host shows it.
pub(crate) struct Device<'a> {
    host: &'a dyn Observe,
    at: Place,
    size: u64,
    chunks: HashMap<u64, Vec<u8>>,
}

impl<'a> Device<'a> {
    pub(crate) fn new(image: &Utf8Path, size: u64, host: &'a dyn Observe) -> Self {
        Self { host, at: Place::host(image), size, chunks: HashMap::new() }
    }

    fn read(&mut self, mut offset: u64, mut buffer: &mut [u8]) -> Result<()> {
        while !buffer.is_empty() {
            let within = usize::try_from(offset % CHUNK).unwrap_or(0);
            let chunk = self.chunk(offset / CHUNK)?;
            let part = chunk.get(within..).filter(|part| !part.is_empty());
            let part = part.ok_or_else(|| Error::new(ErrorKind::BadData, "the image is cut off"))?;
            let n = part.len().min(buffer.len());
            let (now, later) = buffer.split_at_mut(n);
            now.copy_from_slice(&part[..n]);
            (buffer, offset) = (later, offset + n as u64);
        }
        Ok(())
    }

    fn chunk(&mut self, number: u64) -> Result<&[u8]> {
        if self.chunks.len() >= KEPT && !self.chunks.contains_key(&number) {
            self.chunks.clear();
        }
        match self.chunks.entry(number) {
            std::collections::hash_map::Entry::Occupied(chunk) => Ok(chunk.into_mut()),
            std::collections::hash_map::Entry::Vacant(room) => {
                Ok(room.insert(self.host.bytes(&self.at, number * CHUNK, CHUNK)?))
            }
        }
    }
}

impl ErrorType for Device<'_> {
    type Error = Error;
}

impl BlockDevice for Device<'_> {
    fn block_size(&self) -> BlockSize {
        SECTORS
    }

    fn block_count(&self) -> u64 {
        self.size / u64::from(SECTOR)
    }

    fn read_blocks(&mut self, first: BlockIndex, buffer: &mut [u8]) -> Result<(), DeviceError<Error>> {
        let offset = first.get().saturating_mul(u64::from(SECTOR));
        self.read(offset, buffer).map_err(|error| DeviceError::device(error, "cannot read the image"))
    }
}
