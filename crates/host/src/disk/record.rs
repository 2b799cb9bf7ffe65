//! What a program says while it looks at a disk, written to a log for people. It does not know the program.

use std::collections::VecDeque;
use std::time::Duration;

use camino::Utf8Path;
use qchroot_api::{Command, Output, Result};

use super::tools;
use crate::clock;
use crate::own;
use crate::process::log::{self, Log};
use crate::running::{Listener, Stream};

/// A program that takes longer than any disk needs has lost its way in what it reads.
const LONGEST: Duration = Duration::from_secs(6 * 60 * 60);

/// As many lines are kept for an error.
const TAIL: usize = 4;

/// See the module.
pub(super) struct Record {
    log: Option<Log>,
    tail: VecDeque<String>,
    since: Duration,
}

impl Record {
    /// A record that is appended to a log, which is made with its directory when missing.
    pub(super) fn open(path: &Utf8Path) -> Result<Self> {
        if let Some(dir) = path.parent() {
            own::make_dir(dir)?;
        }
        Ok(Self { log: Some(Log::open(path)?), ..Self::nowhere() })
    }

    /// A record for errors alone.
    pub(super) fn nowhere() -> Self {
        Self { log: None, tail: VecDeque::new(), since: clock::steady() }
    }

    /// Writes a line of qchroot's own.
    pub(super) fn remark(&mut self, text: &str) {
        if let Some(log) = &mut self.log {
            log.remark(&log::shown(text.as_bytes()));
        }
    }

    /// The last lines that programs said, the oldest first.
    pub(super) fn tail(&self) -> Vec<String> {
        self.tail.iter().cloned().collect()
    }

    /// Runs a program; its status.
    pub(super) fn run(&mut self, command: &Command) -> Result<i32> {
        let words = command.argv.join(" ");
        self.remark(&format!("{words}: begins"));
        self.tail.clear();
        self.since = clock::steady();
        let output = tools::run(command, self);
        match &output {
            Ok(Output { status, .. }) => self.remark(&format!("{words}: status {status}")),
            Err(error) => self.remark(&format!("{words}: {error}")),
        }
        Ok(output?.status)
    }
}

impl Listener for Record {
    fn line(&mut self, _: Stream, line: &[u8]) {
        let text = log::shown(line);
        if let Some(log) = &mut self.log {
            log.take(line);
            log.finish_line();
        }
        if !text.trim().is_empty() {
            self.tail.push_back(text.trim().to_owned());
            self.tail.drain(..self.tail.len().saturating_sub(TAIL));
        }
    }

    fn gave_up(&self) -> bool {
        clock::steady().saturating_sub(self.since) > LONGEST
    }
}
