//! Cuts the archive into frames, each of which can be decompressed by itself. It knows bytes, not members.

use std::io::Read;
use std::mem;
use std::thread::Scope;

use qchroot_api::{Error, ErrorKind, Part, Result};

use crate::FRAME;
use crate::archive::Written;
use crate::keep::Keeper;
use crate::press::{Output, Press};

/// The frames of one export.
pub(crate) struct Frames<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    frame: Vec<u8>,
    way: Way<'scope>,
}

/// What becomes of a frame.
enum Way<'scope> {
    /// It may be there already.
    Keep(Keeper<'scope>),
    /// It is compressed and written.
    Press(Press<'scope>),
    /// An error ended it all.
    Over,
}

impl<'scope, 'env> Frames<'scope, 'env> {
    pub(crate) fn begin(scope: &'scope Scope<'scope, 'env>, part: &'scope mut dyn Part) -> Result<Self> {
        Ok(Self { scope, frame: Vec::with_capacity(FRAME), way: Way::Keep(Keeper::of(part)?) })
    }

    /// Adds bytes.
    pub(crate) fn write(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(FRAME - self.frame.len()));
            self.frame.extend_from_slice(now);
            bytes = later;
            self.end_full_frame()?;
        }
        Ok(())
    }

    /// Adds `length` bytes of `content`; how many there were.
    pub(crate) fn fill(&mut self, content: &mut dyn Read, length: u64) -> Result<u64> {
        let mut left = length;
        while left > 0 {
            let room = left.min((FRAME - self.frame.len()) as u64);
            let read = content.take(room).read_to_end(&mut self.frame);
            let read = read.map_err(|error| Error::from_io(&error, "cannot read"))? as u64;
            left -= read;
            self.end_full_frame()?;
            if read < room {
                break;
            }
        }
        Ok(length - left)
    }

    fn end_full_frame(&mut self) -> Result<()> {
        if self.frame.len() < FRAME { Ok(()) } else { self.end_frame() }
    }

    /// What comes next begins a new frame.
    pub(crate) fn end_frame(&mut self) -> Result<()> {
        if let Way::Keep(keeper) = &mut self.way {
            if keeper.has(&self.frame)? {
                self.frame.clear();
                return Ok(());
            }
            if let Way::Keep(keeper) = mem::replace(&mut self.way, Way::Over) {
                self.way = Way::Press(Press::start(self.scope, keeper.into_output()?));
            }
        }
        match &mut self.way {
            Way::Press(press) => press.send(mem::replace(&mut self.frame, Vec::with_capacity(FRAME))),
            _ => Err(Error::new(ErrorKind::Internal, "an export goes on after its end")),
        }
    }

    /// Ends the last frame, waits for all of them and seals the file.
    pub(crate) fn finish(mut self) -> Result<Written> {
        self.end_frame()?;
        let output: Output<'_> = match self.way {
            Way::Keep(keeper) => keeper.into_output()?,
            Way::Press(mut press) => press.finish()?,
            Way::Over => return Err(Error::new(ErrorKind::Internal, "an export has two ends")),
        };
        output.seal()
    }
}
