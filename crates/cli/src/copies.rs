//! `snapshot`, `rollback --snapshot`, `clone` and `rename`: from the parsed command line to the engine, and the results
//! shown.

use std::time::{Duration, UNIX_EPOCH};

use qchroot_api::{Name, Result};
use qchroot_engine::{SnapshotLine, Watch};
use serde_json::json;

use crate::args::{All, Pair, Snapshot};
use crate::print;
use crate::run::Front;

impl Front<'_> {
    pub(crate) fn snapshot(&self, args: &Snapshot) -> Result<()> {
        let name: Name = args.name.parse()?;
        if args.list {
            let snapshots = self.engine.snapshots(&name)?;
            return if self.json { print::json(&snapshots) } else { list(&snapshots) };
        }
        match &args.remove {
            Some(snapshot) => {
                self.engine.remove_snapshot(&name, snapshot)?;
                self.tell_snapshot(&name, snapshot, "removed")
            }
            None => {
                let snapshot = self.engine.snapshot(&name, args.snapshot.as_deref())?;
                self.tell_snapshot(&name, &snapshot, "taken")
            }
        }
    }

    fn tell_snapshot(&self, name: &Name, snapshot: &str, result: &str) -> Result<()> {
        if self.json && !self.engine.dry_run {
            return print::json(&json!({ "name": name, "snapshot": snapshot, "result": result }));
        }
        self.tell(name, &format!("snapshot {snapshot} {result}"))
    }

    pub(crate) fn restore(&self, names: Vec<String>, snapshot: &str) -> Result<u8> {
        let mut all = vec![];
        let status = self.for_each(&All { all: false, names }, "rollback", |name| {
            let restored = self.engine.restore(name, snapshot)?;
            if !self.engine.dry_run {
                let release = match &restored.to {
                    Some(id) if restored.from != restored.to => format!(", and to {id}"),
                    _ => String::new(),
                };
                self.screen.said(name, &format!("went back to snapshot {snapshot}{release}"));
            }
            all.push(json!({
                "name": name, "snapshot": snapshot, "from": restored.from, "to": restored.to,
            }));
            Ok(())
        })?;
        if self.json && !self.engine.dry_run {
            print::json(&all)?;
        }
        Ok(status)
    }

    pub(crate) fn clone_container(&self, args: &Pair) -> Result<()> {
        let (name, new): (Name, Name) = (args.name.parse()?, args.new.parse()?);
        self.engine.clone_container(&name, &new)?;
        self.tell(&new, &format!("cloned from {name}"))
    }

    pub(crate) fn rename(&self, args: &Pair) -> Result<()> {
        let (name, new): (Name, Name) = (args.name.parse()?, args.new.parse()?);
        self.engine.rename(&name, &new)?;
        self.tell(&new, &format!("renamed from {name}"))
    }
}

fn list(snapshots: &[SnapshotLine]) -> Result<()> {
    let row = |snapshot: &SnapshotLine| {
        let taken = humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(snapshot.taken));
        let release = snapshot.release.as_ref().map_or("-".into(), ToString::to_string);
        vec![snapshot.name.clone(), taken.to_string(), release]
    };
    print::table(&["SNAPSHOT", "TAKEN", "RELEASE"], snapshots.iter().map(row))
}
