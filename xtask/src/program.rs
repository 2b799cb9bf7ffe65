//! The real program at work on a root of its own.

use std::path::PathBuf;

use crate::run::Run;
use crate::workspace::make_directory;
use crate::{Result, mounts};

/// qchroot with `--root`: it touches nothing outside that directory.
pub(crate) struct Program {
    binary: PathBuf,
    root: PathBuf,
}

impl Program {
    /// `binary` on an empty `root`; what an interrupted run left there goes first.
    pub(crate) fn on_empty_root(binary: PathBuf, root: PathBuf) -> Result<Self> {
        let program = Self { binary, root };
        program.remove_root()?;
        make_directory(&program.root)?;
        Ok(program)
    }

    /// A command line, ready to run.
    pub(crate) fn command(&self, args: &[&str]) -> Run {
        Run::new(&self.binary).arg("--root").arg(&self.root).args(args)
    }

    /// Shows the command line and what comes back; any status but 0 is an error.
    pub(crate) fn show(&self, args: &[&str]) -> Result<()> {
        println!("$ {}", Run::new("qchroot").args(args).line());
        let output = self.command(args).capture()?;
        print!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        if output.status.success() {
            Ok(())
        } else {
            Err(format!("qchroot {}: {}", args.join(" "), output.status).into())
        }
    }

    /// Stops and deletes every container and removes the root; safe after any failure.
    pub(crate) fn remove_root(&self) -> Result<()> {
        if !self.root.exists() {
            return Ok(());
        }
        for last_words in [["stop", "-A"], ["delete", "-A"]] {
            self.command(&last_words).capture()?;
        }
        mounts::remove_tree(&self.root)
    }

    /// The program's file.
    pub(crate) fn binary(&self) -> &std::path::Path {
        &self.binary
    }

    /// The directory that holds everything of this program's.
    pub(crate) fn root(&self) -> &std::path::Path {
        &self.root
    }
}
