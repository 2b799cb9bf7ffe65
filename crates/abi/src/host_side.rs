//! The program's side of what is asked: each question goes to the view of the host, or the work, that the call was made
//! with. It decides nothing, but that words for people are a line of them.

use std::cell::RefCell;
use std::io::{self, Read};

use camino::Utf8Path;
use qchroot_api::{Answer, Error, ErrorKind, Observe, Progress, Query, Result, Work};
use serde::Serialize;

use crate::Ask;
use crate::judge::one_line;
use crate::text::to_text;

/// Bytes that are told at a time, at most.
const PART: u64 = 1 << 20;

/// Bytes of a line for people, at most.
const LINE: usize = 4096;

/// What a back end may ask during one call.
pub struct HostSide<'a>(RefCell<Reach<'a>>);

enum Reach<'a> {
    Nobody,
    Seeing(&'a dyn Observe),
    Working(&'a mut dyn Work),
}

/// What is told: JSON, and bytes that belong to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answered {
    /// The answer.
    pub json: String,
    /// Bytes beside it.
    pub bytes: Vec<u8>,
}

impl<'a> HostSide<'a> {
    fn new(reach: Reach<'a>) -> Self {
        Self(RefCell::new(reach))
    }

    /// For calls that see nothing of the host.
    #[must_use]
    pub fn nobody() -> Self {
        Self::new(Reach::Nobody)
    }

    /// For calls that look at the host.
    pub fn seeing(host: &'a dyn Observe) -> Self {
        Self::new(Reach::Seeing(host))
    }

    /// For calls that work in a staging directory.
    pub fn working(work: &'a mut dyn Work) -> Self {
        Self::new(Reach::Working(work))
    }

    /// Whether the user has given up.
    #[must_use]
    pub fn cancelled(&self) -> bool {
        // While a question is being answered, its answer will tell.
        match self.0.try_borrow().as_deref() {
            Ok(Reach::Working(work)) => work.cancelled(),
            _ => false,
        }
    }

    /// Whether this is work in a staging directory, and no question is being answered.
    #[cfg(feature = "host")]
    pub(crate) fn is_working(&self) -> bool {
        self.0.try_borrow().is_ok_and(|reach| matches!(&*reach, Reach::Working(_)))
    }

    /// Answers one question. `content` is what a file to write holds.
    ///
    /// # Errors
    /// What the host said; plug-in for what this call may not ask.
    pub fn answer(&self, ask: Ask, content: &mut dyn Read) -> Result<Answered> {
        match ask {
            Ask::Observe { query } => self.observe(&query),
            Ask::Cancelled => json(&self.cancelled()),
            Ask::Part { path, offset } => self.part(&path, offset),
            Ask::Write { node } => json(&self.work("write", |work| work.tree().write(&node, content))?),
            Ask::Finish => json(&self.work("finish", |work| work.tree().finish())?),
            Ask::Take { from, to, how } => json(&self.work("take", |work| work.take(&from, &to, how))?),
            Ask::TakeTree { from } => json(&self.work("take", |work| work.take_tree(&from))?),
            Ask::Fetch { wanted } => json(&self.work("fetch", |work| work.fetch(&wanted))?),
            Ask::Unpack { wanted } => json(&self.work("unpack", |work| work.unpack(&wanted))?),
            Ask::Note { line } => json(&self.work("note", |work| work.note(&one_line(&line, LINE)))?),
            Ask::Media { image } => json(&self.work("mount", |work| work.media(&image))?),
            Ask::Run { command } => json(&self.work("run", |work| work.run(&command))?),
            Ask::Progress { progress } => json(&self.work("show progress", |work| {
                work.progress(&Progress { what: one_line(&progress.what, LINE), ..progress });
                Ok(())
            })?),
        }
    }

    fn observe(&self, query: &Query) -> Result<Answered> {
        let answer = match &*self.0.borrow() {
            Reach::Seeing(host) => host.observe(query)?,
            Reach::Working(work) => work.host().observe(query)?,
            Reach::Nobody => return Err(forbidden("look at the host")),
        };
        // Bytes go beside the text: as JSON they would be many times as long.
        Ok(match answer {
            Answer::Bytes(bytes) => Answered { json: to_text(&Answer::Bytes(vec![]))?, bytes },
            Answer::Reply(mut reply) => {
                let bytes = std::mem::take(&mut reply.body);
                Answered { json: to_text(&Answer::Reply(reply))?, bytes }
            }
            answer => json(&answer)?,
        })
    }

    fn part(&self, path: &Utf8Path, offset: u64) -> Result<Answered> {
        let file = self.work("open", |work| work.open_at(path, offset))?;
        let mut bytes = Vec::new();
        let told = |error: io::Error| Error::from_io(&error, format!("cannot read {path}"));
        file.take(PART).read_to_end(&mut bytes).map_err(told)?;
        Ok(Answered { bytes, ..json(&())? })
    }

    fn work<T>(&self, what: &str, run: impl FnOnce(&mut dyn Work) -> Result<T>) -> Result<T> {
        match &mut *self.0.borrow_mut() {
            // So that every source is given up in time, whether its author has thought of it or not.
            Reach::Working(work) if work.cancelled() => Err(Error::new(ErrorKind::System, "interrupted")),
            Reach::Working(work) => run(&mut **work),
            _ => Err(forbidden(what)),
        }
    }
}

fn json<T: Serialize>(value: &T) -> Result<Answered> {
    Ok(Answered { json: to_text(value)?, bytes: vec![] })
}

fn forbidden(what: &str) -> Error {
    Error::new(ErrorKind::Plugin, format!("a plug-in may not {what} in this call"))
        .hint("tell its author: only a release source that fills its staging directory works by itself")
}
