//! Journals: what was intended, written before it is done, so that a run that dies can be put right.
//!
//! A journal is JSON lines: a header with every step, then one line for each change of a step's mark. This
//! module reads and writes them; what to do about one is the transaction's business.

use camino::{Utf8Path, Utf8PathBuf};
use qchroot_api::{DiskStep, Error, ErrorKind, Name, Plan, Result, Step};
use serde::{Deserialize, Serialize};

use crate::Host;

/// The format number of journals.
const FORMAT: u32 = 1;

/// What a journal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Op {
    /// A base is installed.
    Install,
    /// Bases are removed.
    Remove,
    /// A container comes into being.
    Create,
    /// A container goes.
    Delete,
    /// A container moves to another base.
    Upgrade,
    /// A container moves back to the base before.
    Rollback,
    /// A container gets another limit.
    Resize,
    /// A container's file system is checked.
    Check,
    /// A snapshot of a container is taken or removed.
    Snapshot,
    /// A container goes back to a snapshot.
    Restore,
    /// A container of another tool, or what such containers share, is taken over.
    Adopt,
    /// A container comes into being as a copy of another.
    Clone,
    /// A container gets another name.
    Rename,
    /// A container is brought back from a file.
    Import,
    /// A container is started; the journal stays until it is stopped.
    Start,
    /// A stopped container is opened for one program and closed again.
    Session,
}

impl Op {
    /// The word that people know it by.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Install => "install",
            Self::Remove => "removal of releases",
            Self::Create => "create",
            Self::Delete => "delete",
            Self::Upgrade => "upgrade",
            Self::Rollback => "rollback",
            Self::Resize => "resize",
            Self::Check => "check",
            Self::Snapshot => "snapshot",
            Self::Restore => "rollback to a snapshot",
            Self::Adopt => "adopt",
            Self::Clone => "clone",
            Self::Rename => "rename",
            Self::Import => "import",
            Self::Start => "start",
            Self::Session => "session",
        }
    }

    /// Whether its steps act inside the container, whose files may be seen only while it is attached.
    #[must_use]
    pub(crate) fn is_inside(self) -> bool {
        matches!(self, Self::Upgrade | Self::Rollback)
    }

    /// Whether what it does outlives a reboot.
    #[must_use]
    pub fn is_durable(self) -> bool {
        !matches!(self, Self::Start | Self::Session)
    }
}

/// How far a step has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// Not begun.
    Pending,
    /// Begun; whether it was done, the machine must tell.
    Begun,
    /// Done by this run.
    Done,
    /// Was there before; never undone.
    Skipped,
    /// Done and taken back.
    Undone,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: u32,
    op: Op,
    container: Option<Name>,
    boot: String,
    program: String,
    steps: Plan,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    /// The step's index; none for the line that says all is done.
    step: Option<usize>,
    is: Mark,
}

/// One journal in memory, and the file it stands in.
pub struct Journal<'a> {
    host: &'a dyn Host,
    path: Utf8PathBuf,
    /// What it is about.
    pub op: Op,
    /// The container, if it is about one.
    pub container: Option<Name>,
    /// The boot it was begun in.
    pub boot: String,
    /// The steps.
    pub steps: Plan,
    /// A mark for each step.
    pub marks: Vec<Mark>,
    /// Whether every step was done and nothing taken back since.
    pub complete: bool,
}

impl<'a> Journal<'a> {
    /// Begins a journal: after this the intent is on disk.
    pub fn begin(
        host: &'a dyn Host,
        path: Utf8PathBuf,
        op: Op,
        container: Option<&Name>,
        steps: Plan,
    ) -> Result<Self> {
        let header = Header {
            format: FORMAT,
            op,
            container: container.cloned(),
            boot: host.boot_id()?,
            program: env!("CARGO_PKG_VERSION").into(),
            steps,
        };
        host.remove_own(&path, false)?; // one without a whole header, in which nothing was begun
        host.append_own(&path, &line(&header)?, op.is_durable())?;
        let Header { container, boot, steps, .. } = header;
        let marks = vec![Mark::Pending; steps.len()];
        Ok(Self { host, path, op, container, boot, steps, marks, complete: false })
    }

    /// The journal at `path`, or `None` when there is none. A torn last line, as a power cut leaves it, does
    /// not count; a file of which not even the header was written is no journal, because nothing was begun.
    ///
    /// # Errors
    /// Bad data, with the line, when it is none of ours.
    pub fn load(host: &'a dyn Host, path: &Utf8Path) -> Result<Option<Self>> {
        let Some(bytes) = host.read_own(path)? else { return Ok(None) };
        let text = String::from_utf8_lossy(&bytes);
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let mut lines = whole.lines().enumerate().filter(|(_, line)| !line.is_empty());
        let Some((_, first)) = lines.next() else { return Ok(None) };
        let header: Header = serde_json::from_str(first).map_err(|e| corrupt(path, 1, &e.to_string()))?;
        if header.format != FORMAT {
            return Err(corrupt(path, 1, &format!("it has format {}", header.format)));
        }
        let Header { op, container, boot, steps, .. } = header;
        let marks = vec![Mark::Pending; steps.len()];
        let mut journal =
            Self { host, path: path.into(), op, container, boot, steps, marks, complete: false };
        for (n, text) in lines {
            let line: Line = serde_json::from_str(text).map_err(|e| corrupt(path, n + 1, &e.to_string()))?;
            journal.take(line).ok_or_else(|| corrupt(path, n + 1, "it names a step that is not there"))?;
        }
        Ok(Some(journal))
    }

    fn take(&mut self, line: Line) -> Option<()> {
        match line.step {
            None => self.complete = true,
            Some(step) => {
                *self.marks.get_mut(step)? = line.is;
                self.complete &= line.is != Mark::Undone && line.is != Mark::Begun;
            }
        }
        Some(())
    }

    /// Sets the mark of one step, on disk first.
    pub fn mark(&mut self, step: usize, is: Mark) -> Result<()> {
        self.write(Line { step: Some(step), is })
    }

    /// Says that everything is done.
    pub fn finish(&mut self) -> Result<()> {
        self.write(Line { step: None, is: Mark::Done })
    }

    fn write(&mut self, entry: Line) -> Result<()> {
        let step = entry.step.and_then(|n| self.steps.get(n));
        // A power cut must not lose this mark: after a removal there is no way back, and whether a move was made
        // cannot be told from what is there.
        let telling = entry.is == Mark::Begun && step.is_some_and(is_marked_on_disk);
        self.host.append_own(&self.path, &line(&entry)?, telling && self.op.is_durable())?;
        let unknown = || Error::new(ErrorKind::Internal, "a journal was asked about a step it does not have");
        self.take(entry).ok_or_else(unknown)
    }

    /// Removes the file: nothing is left to be put right, also after a power cut where it is about something lasting.
    pub fn remove(self) -> Result<()> {
        self.host.remove_own(&self.path, self.op.is_durable())
    }

    /// Where it stands.
    #[must_use]
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }
}

/// Whether a step's mark reaches the disk before the step is begun.
pub(crate) fn is_marked_on_disk(step: &Step) -> bool {
    is_one_way(step) || matches!(step, Step::Move { .. })
}

/// Whether nothing leads back once such a step has had its effect. Of a program that cannot undo what it did, but tells
/// whether it did, this is taken for granted where its effect outlives a reboot.
pub(crate) fn is_one_way(step: &Step) -> bool {
    matches!(
        step,
        Step::RemoveTree { .. }
            | Step::Discard { .. }
            | Step::Disk(DiskStep::Grow { .. } | DiskStep::Remove { .. })
            | Step::Run { check: Some(_), undo: None, .. }
    )
}

fn line(value: &impl Serialize) -> Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec(value)
        .map_err(|e| Error::new(ErrorKind::Internal, "cannot write a journal line").cause(e))?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn corrupt(path: &Utf8Path, line: usize, why: &str) -> Error {
    Error::new(ErrorKind::BadData, format!("{path}:{line}: the journal is damaged"))
        .cause(why)
        .with("path", path)
        .with("line", line)
        .hint("look at what is there with `qchroot doctor`; remove the journal when nothing is half done")
}
