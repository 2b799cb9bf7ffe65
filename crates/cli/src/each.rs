//! One command on many containers: all are processed, the first failure's status is the result.

use qchroot_api::{Error, ErrorKind, Name, Result};
use qchroot_engine::{Outcome, Watch};
use serde_json::json;

use crate::args::All;
use crate::run::Front;
use crate::{fail, print};

impl Front<'_> {
    /// One container after the other; all are processed, the first failure's status is the result.
    pub(crate) fn each(&self, which: &All, verb: &str, act: impl Fn(&Name) -> Result<Outcome>) -> Result<u8> {
        let mut results = Vec::new();
        let status = self.for_each(which, verb, |name| {
            let outcome = act(name)?;
            if !self.engine.dry_run {
                self.screen.said(name, outcome.phrase());
                results.push(json!({ "name": name, "result": outcome.phrase() }));
            }
            Ok(())
        })?;
        if self.json && !self.engine.dry_run {
            print::json(&results)?;
        }
        Ok(status)
    }

    pub(crate) fn for_each(
        &self,
        which: &All,
        verb: &str,
        mut act: impl FnMut(&Name) -> Result<()>,
    ) -> Result<u8> {
        let mut status = 0;
        for name in self.chosen(which, verb)? {
            if let Err(error) = name.parse().and_then(|name| act(&name)) {
                // A service's program that is not found is no program of ours: 127 is for `exec` alone.
                let exit = error.kind().exit_code();
                fail::tell(&error, exit, self.json);
                status = if status == 0 { exit } else { status };
            }
        }
        Ok(status)
    }

    fn chosen(&self, which: &All, verb: &str) -> Result<Vec<String>> {
        match (which.all, which.names.is_empty()) {
            (true, true) => Ok(self.engine.names()?.iter().map(ToString::to_string).collect()),
            (false, false) => Ok(which.names.clone()),
            (true, false) => Err(Error::new(ErrorKind::Usage, format!("{verb} takes names or -A, not both"))),
            (false, true) => Err(Error::new(ErrorKind::Usage, format!("{verb} needs a name"))
                .hint(format!("`qchroot {verb} NAME…`, or -A for all containers"))),
        }
    }
}
