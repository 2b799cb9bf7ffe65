//! Numbers at offsets in bytes. It does not know what they mean.

/// Bytes that are read by offset; what lies beyond their end is none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    /// `length` bytes from `offset` on.
    pub(super) fn slice(self, offset: usize, length: usize) -> Option<&'a [u8]> {
        self.0.get(offset..offset.checked_add(length)?)
    }

    fn array<const N: usize>(self, offset: usize) -> Option<[u8; N]> {
        self.slice(offset, N)?.try_into().ok()
    }

    /// One byte.
    pub(super) fn u8(self, offset: usize) -> Option<u8> {
        self.0.get(offset).copied()
    }

    /// Little-endian, 16 bits.
    pub(super) fn le16(self, offset: usize) -> Option<u16> {
        self.array(offset).map(u16::from_le_bytes)
    }

    /// Little-endian, 32 bits.
    pub(super) fn le32(self, offset: usize) -> Option<u32> {
        self.array(offset).map(u32::from_le_bytes)
    }

    /// Little-endian, 64 bits.
    pub(super) fn le64(self, offset: usize) -> Option<u64> {
        self.array(offset).map(u64::from_le_bytes)
    }

    /// Big-endian, 16 bits.
    pub(super) fn be16(self, offset: usize) -> Option<u16> {
        self.array(offset).map(u16::from_be_bytes)
    }

    /// Big-endian, 32 bits.
    pub(super) fn be32(self, offset: usize) -> Option<u32> {
        self.array(offset).map(u32::from_be_bytes)
    }

    /// Big-endian, 64 bits.
    pub(super) fn be64(self, offset: usize) -> Option<u64> {
        self.array(offset).map(u64::from_be_bytes)
    }
}
