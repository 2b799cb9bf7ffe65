//! The end of a plug-in that runs in a process of its own: calls come over a stream, and so do the answers to what it
//! asks. It does not know which process this is, nor who is at the other end.

use std::cell::RefCell;
use std::io::{self, Read, Write};

use abi_stable::sabi_trait::TD_Opaque;
use abi_stable::std_types::{RErr, ROk, ROption, RResult, RStr, RString};
use qchroot_api::{Error, ErrorKind, Result};

use super::frame::{Frame, Said};
use crate::InProcess;
use crate::author::guard;
use crate::module::{ContentRef, HostPort, HostPort_TO, Told};
use crate::text::error_text;

/// Bytes of a file's content that are handed over at a time, at most.
const CHUNK: usize = 256 << 10;

/// Bytes that are read from the stream at a time.
const READ: usize = 64 << 10;

/// Answers calls by `plugin` until the stream ends. Where there is no plug-in, each call is answered by why.
///
/// # Errors
/// Input or output, when the stream breaks; plug-in for what the other end may not say.
pub fn serve(stream: impl Read + Write, plugin: Result<InProcess>) -> Result<()> {
    let wire = Wire(RefCell::new(Line { stream, come: vec![], buffer: vec![0; READ] }));
    while let Some(frame) = wire.next()? {
        if frame.said != Said::Call {
            return Err(out_of_turn(&frame));
        }
        let answer = match &plugin {
            Ok(plugin) => plugin.raw(&frame.text, HostPort_TO::from_ptr(&wire, TD_Opaque)),
            Err(error) => RErr(error_text(error).into()),
        };
        let answer = match answer {
            ROk(text) => Frame::new(Said::Done, text),
            RErr(text) => Frame::new(Said::Failed, text),
        };
        wire.send_or(&answer, Said::Failed)?;
    }
    Ok(())
}

/// The stream, shared by calls and what is asked during them.
struct Wire<S>(RefCell<Line<S>>);

struct Line<S> {
    stream: S,
    come: Vec<u8>,
    buffer: Vec<u8>,
}

impl<S: Read + Write> Wire<S> {
    /// The next frame; `None` at the end.
    fn next(&self) -> Result<Option<Frame>> {
        let mut line = self.0.borrow_mut();
        let Line { stream, come, buffer } = &mut *line;
        loop {
            if let Some(frame) = Frame::decode(come)? {
                return Ok(Some(frame));
            }
            match stream.read(buffer) {
                Ok(0) => return Ok(None),
                Ok(length) => come.extend(&buffer[..length]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(gone().cause(error)),
            }
        }
    }

    fn send(&self, frame: &Frame) -> Result<()> {
        let bytes = frame.encode()?;
        self.0.borrow_mut().stream.write_all(&bytes).map_err(|error| gone().cause(error))
    }

    /// Sends a frame, or, when it cannot be sent, why.
    fn send_or(&self, frame: &Frame, or: Said) -> Result<()> {
        match self.send(frame) {
            Err(error) if error.kind() == ErrorKind::Plugin => self.send(&Frame::new(or, error_text(&error))),
            sent => sent,
        }
    }

    /// Asks, hands over content for as long as it is wanted, and comes back with what was said then.
    fn ask(&self, ask: &str, content: Option<ContentRef<'_>>) -> Result<Frame> {
        let mut offered = Offered { content, torn: None };
        let (bytes, flag) = offered.chunk();
        self.send(&Frame { flag, bytes, ..Frame::new(Said::Ask, ask) })?;
        loop {
            let frame = self.next()?.ok_or_else(gone)?;
            match frame.said {
                Said::Told | Said::Refused => return Ok(frame),
                Said::Pull => self.send(&offered.more())?,
                _ => return Err(out_of_turn(&frame)),
            }
        }
    }
}

impl<S: Read + Write> HostPort for Wire<S> {
    fn ask(&self, ask: RStr<'_>, content: ROption<ContentRef<'_>>) -> RResult<Told, RString> {
        match guard("qchroot", || Self::ask(self, &ask, content.into_option())) {
            Ok(Frame { said: Said::Told, text, bytes, flag }) => {
                ROk(Told { json: text.into(), bytes: bytes.into(), cancelled: flag })
            }
            Ok(refused) => RErr(refused.text.into()),
            Err(error) => RErr(error_text(&error).into()),
        }
    }
}

/// Content of the author's, as far as it is handed over.
struct Offered<'a> {
    content: Option<ContentRef<'a>>,
    /// What reading it said, until somebody asks for more.
    torn: Option<RString>,
}

impl Offered<'_> {
    /// The next bytes, and whether there may be more.
    fn chunk(&mut self) -> (Vec<u8>, bool) {
        let Some(content) = &mut self.content else { return (vec![], false) };
        let (mut bytes, mut length) = (vec![0; CHUNK], 0);
        while length < CHUNK {
            match content.read((&mut bytes[length..]).into()) {
                ROk(0) => {
                    self.content = None;
                    break;
                }
                ROk(read) => length += read,
                RErr(text) => {
                    self.torn = Some(text);
                    self.content = None;
                    break;
                }
            }
        }
        bytes.truncate(length);
        (bytes, self.content.is_some() || self.torn.is_some())
    }

    fn more(&mut self) -> Frame {
        if let Some(text) = self.torn.take() {
            return Frame::new(Said::Torn, text);
        }
        let (bytes, flag) = self.chunk();
        Frame { flag, bytes, ..Frame::new(Said::Content, "") }
    }
}

fn gone() -> Error {
    Error::new(ErrorKind::Io, "qchroot does not answer any more")
}

fn out_of_turn(frame: &Frame) -> Error {
    Error::new(ErrorKind::Plugin, format!("{:?} was said out of turn", frame.said))
}
