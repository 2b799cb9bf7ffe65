//! The parts of one archive as one stream: a part is read whole and checked before the first byte of it goes on.

use std::collections::VecDeque;
use std::io::{self, Cursor, Read};

use crc::{CRC_32_CKSUM, Crc};
use md5::Md5;
use sha2::{Digest as _, Sha256};

use super::split_files::{Digest, Part};

/// A part with the file that should be it.
pub type Source = (Part, Box<dyn Read + Send>);

/// All parts, one after another.
pub struct Parts {
    rest: VecDeque<Source>,
    current: Cursor<Vec<u8>>,
}

impl Parts {
    /// One archive from its parts, in order.
    pub fn new(parts: impl IntoIterator<Item = Source>) -> Self {
        Self { rest: parts.into_iter().collect(), current: Cursor::default() }
    }
}

impl Read for Parts {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let n = self.current.read(buffer)?;
            if n > 0 || buffer.is_empty() {
                return Ok(n);
            }
            match self.rest.pop_front() {
                Some((part, file)) => self.current = Cursor::new(checked(&part, file)?),
                None => return Ok(0),
            }
        }
    }
}

fn checked(part: &Part, file: impl Read) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    file.take(part.size + 1).read_to_end(&mut content)?;
    match fault(part, &content) {
        None => Ok(content),
        Some(why) => Err(io::Error::new(io::ErrorKind::InvalidData, format!("{} {why}", part.file))),
    }
}

fn fault(part: &Part, content: &[u8]) -> Option<String> {
    let length = content.len() as u64;
    let found = digest_as(&part.digest, content);
    if length < part.size {
        Some(format!("is cut off after {length} of {} bytes", part.size))
    } else if length > part.size {
        Some(format!("has more than {} bytes", part.size))
    } else if found != part.digest {
        Some(format!("has the {found}, not the published {}", part.digest))
    } else if cksum(content) != part.crc {
        Some(format!("has the cksum {}, not {}", cksum(content), part.crc))
    } else {
        None
    }
}

/// The digest of `content` by the algorithm of a published one.
pub(super) fn digest_as(published: &Digest, content: &[u8]) -> Digest {
    match published {
        Digest::Md5(_) => Digest::Md5(hex(&Md5::digest(content))),
        Digest::Sha256(_) => Digest::Sha256(hex(&Sha256::digest(content))),
    }
}

/// As cksum(1) of POSIX: the length counts too, its lowest byte first.
fn cksum(content: &[u8]) -> u32 {
    let crc = Crc::<u32>::new(&CRC_32_CKSUM);
    let mut digest = crc.digest();
    digest.update(content);
    let length = content.len() as u64;
    let bytes = (u64::BITS - length.leading_zeros()).div_ceil(8) as usize;
    digest.update(&length.to_le_bytes()[..bytes]);
    digest.finalize()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::cksum;

    /// As `printf … | cksum` says.
    #[test]
    fn the_crc_is_that_of_cksum() {
        assert_eq!(cksum(b""), 4_294_967_295);
        assert_eq!(cksum(b"123456789"), 930_766_865);
        assert_eq!(cksum(&[0; 1000]), 2_610_763_910);
    }
}
