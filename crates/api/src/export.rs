//! What a container is carried away with: a tree that is read node by node, and a file that is written part by part.

use std::io::{self, Read, Write};

use crate::{Node, Result};

/// Takes one node of a tree. Of a regular file it gets the extents of data (offset and length in bytes, in order, what
/// lies between is zeros) and their content, one after the other.
pub type TakeNode<'a> = dyn FnMut(&Node, &[(u64, u64)], &mut dyn Read) -> Result<()> + 'a;

/// A file that may hold a part already of what is to be written: read from its beginning, cut, and written on.
pub trait Part: Read + Write + Send {
    /// Leaves the first `length` bytes; what is written from now on comes behind them.
    ///
    /// # Errors
    /// What the system said.
    fn cut(&mut self, length: u64) -> io::Result<()>;

    /// Returns when everything written is on disk.
    ///
    /// # Errors
    /// What the system said.
    fn settle(&mut self) -> io::Result<()>;
}
