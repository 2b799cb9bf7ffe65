//! What goes over a stream between the program and a process that a plug-in runs in: one frame at a time. It knows neither
//! end, nor what the text says.

use qchroot_api::{Error, ErrorKind, Result};

/// Bytes that a frame's text, and what is beside it, may have at most.
const LONGEST: usize = 64 << 20;

/// Kind, flag, and two lengths of four bytes each, the lowest byte first.
const HEAD: usize = 10;

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Said {
    /// To the plug-in: a call.
    Call = 1,
    /// From it: the call's answer.
    Done,
    /// From it: the call's error.
    Failed,
    /// From it: a question, beside it how the content of a file begins; the flag says that there is more.
    Ask,
    /// To it: an answer, and bytes beside it; the flag says that the user has given up.
    Told,
    /// To it: a question's error.
    Refused,
    /// To it: more of the content is wanted.
    Pull,
    /// From it: more of the content; the flag as in `Ask`.
    Content,
    /// From it: the content's error.
    Torn,
}

const ALL: [Said; 9] = [
    Said::Call,
    Said::Done,
    Said::Failed,
    Said::Ask,
    Said::Told,
    Said::Refused,
    Said::Pull,
    Said::Content,
    Said::Torn,
];

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) said: Said,
    pub(crate) flag: bool,
    pub(crate) text: String,
    pub(crate) bytes: Vec<u8>,
}

impl Frame {
    /// A frame that is only text.
    pub(crate) fn new(said: Said, text: impl Into<String>) -> Self {
        Self { said, flag: false, text: text.into(), bytes: vec![] }
    }

    /// As it goes over the stream.
    ///
    /// # Errors
    /// Plug-in, when it is too long.
    pub(crate) fn encode(&self) -> Result<Vec<u8>> {
        let mut all = Vec::with_capacity(HEAD + self.text.len() + self.bytes.len());
        all.extend([self.said as u8, u8::from(self.flag)]);
        for part in [self.text.as_bytes(), &self.bytes] {
            let length = u32::try_from(part.len()).ok().filter(|_| part.len() <= LONGEST);
            all.extend(length.ok_or_else(too_long)?.to_le_bytes());
        }
        all.extend(self.text.as_bytes());
        all.extend(&self.bytes);
        Ok(all)
    }

    /// Takes the first frame out of what has come; `None` until it is whole.
    ///
    /// # Errors
    /// Plug-in, for what is no frame.
    pub(crate) fn decode(from: &mut Vec<u8>) -> Result<Option<Self>> {
        let Some((head, rest)) = from.split_first_chunk::<HEAD>() else { return Ok(None) };
        let said = ALL.into_iter().find(|&said| said as u8 == head[0]).ok_or_else(no_frame)?;
        let flag = head[1] != 0;
        let (text, bytes) = (length(head, 2)?, length(head, 6)?);
        if rest.len() < text + bytes {
            return Ok(None);
        }
        let beside = rest[text..text + bytes].to_vec();
        let text = String::from_utf8(rest[..text].to_vec()).map_err(|_| no_frame())?;
        from.drain(..HEAD + text.len() + bytes);
        Ok(Some(Self { said, flag, text, bytes: beside }))
    }
}

fn length(head: &[u8; HEAD], at: usize) -> Result<usize> {
    let four = [head[at], head[at + 1], head[at + 2], head[at + 3]];
    let length = usize::try_from(u32::from_le_bytes(four)).unwrap_or(usize::MAX);
    if length <= LONGEST { Ok(length) } else { Err(too_long()) }
}

fn too_long() -> Error {
    let message = format!("more than {} MiB cannot be said across the border at once", LONGEST >> 20);
    Error::new(ErrorKind::Plugin, message)
}

fn no_frame() -> Error {
    Error::new(ErrorKind::Plugin, "what came is no frame of the border's")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_out_whole_however_they_arrive() {
        let first = Frame { said: Said::Ask, flag: true, text: "{\"é\":1}".into(), bytes: vec![0, 255, 10] };
        let second = Frame::new(Said::Pull, "");
        let all = [first.encode().unwrap(), second.encode().unwrap()].concat();
        let (mut come, mut frames) = (vec![], vec![]);
        for byte in all {
            come.push(byte);
            frames.extend(Frame::decode(&mut come).unwrap());
        }
        assert_eq!(frames, [first, second]);
        assert!(come.is_empty());
    }

    #[test]
    fn what_is_no_frame_or_too_long_is_refused_before_it_is_waited_for() {
        let head = |kind: u8, text: u32, bytes: u32| {
            [&[kind, 0][..], &text.to_le_bytes(), &bytes.to_le_bytes()].concat()
        };
        for mut wrong in [head(0, 0, 0), head(10, 0, 0), head(2, u32::MAX, 0), head(2, 0, (64 << 20) + 1)] {
            assert_eq!(Frame::decode(&mut wrong).unwrap_err().kind(), ErrorKind::Plugin);
        }
        let mut no_text = head(2, 1, 0);
        no_text.push(255);
        assert_eq!(Frame::decode(&mut no_text).unwrap_err().kind(), ErrorKind::Plugin);
        let endless = Frame { bytes: vec![0; LONGEST + 1], ..Frame::new(Said::Done, "") };
        assert_eq!(endless.encode().unwrap_err().kind(), ErrorKind::Plugin);
    }
}
