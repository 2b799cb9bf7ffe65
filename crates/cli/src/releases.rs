//! Releases and moving containers between them: from the parsed command line to the engine, and the results shown.

use qchroot_api::{ErrorKind, Name, ReleaseId, Result, size_text};
use qchroot_engine::{Moved, Removed, UpgradeWish, Watch};
use serde_json::json;

use crate::args::{All, Release, Upgrade};
use crate::run::Front;
use crate::{fail, print};

impl Front<'_> {
    pub(crate) fn release(&self, command: Release) -> Result<u8> {
        match command {
            Release::List => {
                let releases = self.engine.releases()?;
                if self.json { print::json(&releases)? } else { print::releases(&releases)? }
            }
            Release::Verify { ids } => return self.verify(&ids),
            Release::Remove { id } => self.removed(&self.engine.remove_release(&id.parse()?)?)?,
            Release::Prune => self.removed(&self.engine.prune_releases()?)?,
        }
        Ok(0)
    }

    /// All are held against their records; the first failure's status is the result.
    fn verify(&self, ids: &[String]) -> Result<u8> {
        let ids: Vec<ReleaseId> = match ids {
            [] => self.engine.releases()?.into_iter().map(|release| release.id).collect(),
            ids => ids.iter().map(|id| id.parse()).collect::<Result<_>>()?,
        };
        let (mut status, mut all) = (0, vec![]);
        for id in &ids {
            let exit = match self.engine.verify(id) {
                Ok(verified) => {
                    let exit = if verified.drift.is_empty() { 0 } else { ErrorKind::BadData.exit_code() };
                    if !(self.json || self.screen.is_quiet() && exit == 0) {
                        print::verified(&verified)?;
                    }
                    all.push(verified);
                    exit
                }
                Err(error) => {
                    fail::tell(&error, error.kind().exit_code(), self.json);
                    error.kind().exit_code()
                }
            };
            status = if status == 0 { exit } else { status };
        }
        if self.json {
            print::json(&all)?;
        }
        Ok(status)
    }

    fn removed(&self, removed: &Removed) -> Result<()> {
        if self.json {
            return if self.engine.dry_run { Ok(()) } else { print::json(removed) };
        }
        if self.screen.is_quiet() {
            return Ok(());
        }
        let would = if self.engine.dry_run { "would be " } else { "" };
        for id in &removed.releases {
            print::line(&format!("{id}: {would}removed"))?;
        }
        for name in &removed.cache {
            print::line(&format!("{}: {would}removed from the cache", print::escape(name)))?;
        }
        print::line(&format!("{} {would}freed", size_text(removed.bytes)))
    }

    pub(crate) fn upgrade(&self, args: Upgrade) -> Result<u8> {
        let release = args.release.map(|id| id.parse()).transpose()?;
        let wish = UpgradeWish { release, across_major: args.across_major };
        self.move_each(args.names, "upgrade", |name| self.engine.upgrade(name, &wish))
    }

    pub(crate) fn rollback(&self, names: &[String]) -> Result<u8> {
        self.move_each(names.to_vec(), "rollback", |name| self.engine.rollback(name))
    }

    fn move_each(&self, names: Vec<String>, verb: &str, act: impl Fn(&Name) -> Result<Moved>) -> Result<u8> {
        let mut all = vec![];
        let status = self.for_each(&All { all: false, names }, verb, |name| {
            let moved = act(name)?;
            self.show_move(&moved)?;
            all.push(json!({
                "name": moved.name, "from": moved.from, "to": moved.to, "changes": moved.changes,
            }));
            Ok(())
        })?;
        if self.json && !self.engine.dry_run {
            print::json(&all)?;
        }
        Ok(status)
    }

    fn show_move(&self, moved: &Moved) -> Result<()> {
        let conflicts = moved.changes.iter().filter(|change| change.what == "conflict").count();
        if conflicts > 0 {
            let files = if conflicts == 1 { "file was" } else { "files were" };
            self.screen.warn(&format!(
                "{}: {conflicts} {files} changed by both: its own stay, the new ones are beside them as .new",
                moved.name
            ));
        }
        if self.json || self.screen.is_quiet() {
            return Ok(());
        }
        let line = match (moved.from == moved.to, self.engine.dry_run) {
            (true, _) => format!("{}: is at {} already", moved.name, moved.to),
            (false, true) => format!("{}: would move from {} to {}", moved.name, moved.from, moved.to),
            (false, false) => format!("{}: moved from {} to {}", moved.name, moved.from, moved.to),
        };
        print::line(&line)?;
        print::changes(&moved.changes)
    }
}
