//! `list`, `status`, `check` and `resize`: containers and their space, from the parsed command line to the engine, and
//! the results shown.

use qchroot_api::{Name, Result, size_text};
use qchroot_engine::{Overcommit, SpaceReport, StatusReport, Watch};

use crate::args::{All, Check, Resize};
use crate::print;
use crate::run::{Front, parse_names};

impl Front<'_> {
    pub(crate) fn list(&self, names: &[String]) -> Result<()> {
        let names = self.engine.names_or_all(&parse_names(names)?)?;
        let reports = self.engine.report(&names, self.json)?;
        if self.json {
            print::json(&reports)?;
        } else {
            print::list(&reports)?;
            self.warn_of_full(&reports);
        }
        self.warn_of_promises(&reports)
    }

    pub(crate) fn status(&self, names: &[String]) -> Result<()> {
        let names = self.engine.names_or_all(&parse_names(names)?)?;
        let reports = self.engine.report(&names, true)?;
        if self.json { print::json(&reports) } else { crate::status::status(&reports) }
    }

    fn warn_of_full(&self, reports: &[StatusReport]) {
        for report in reports {
            if let Some(warning) = report.space.as_ref().and_then(SpaceReport::warning) {
                self.screen.warn(&format!("{}: {warning}", report.name));
            }
        }
    }

    /// Sparse disks take their space as they are written to, and the host may not have it then.
    fn warn_of_promises(&self, reports: &[StatusReport]) -> Result<()> {
        let promised = reports.iter().filter_map(|report| report.space).map(|space| space.promised_bytes());
        if let Some(overcommit) = self.engine.overcommit(promised.sum())? {
            self.screen.warn(&format!("{overcommit}: {}", Overcommit::HINT));
        }
        Ok(())
    }

    pub(crate) fn check(&self, args: Check) -> Result<u8> {
        let mut all = vec![];
        let status = self.for_each(&All { all: false, names: args.names }, "check", |name| {
            let Some(checked) = self.engine.check(name, args.repair)? else { return Ok(()) };
            self.screen.said(name, &format!("{} (see {})", checked.result, checked.log));
            all.push(checked);
            Ok(())
        })?;
        if self.json && !self.engine.dry_run {
            print::json(&all)?;
        }
        Ok(status)
    }

    pub(crate) fn resize(&self, args: &Resize) -> Result<()> {
        let name: Name = args.name.parse()?;
        let resized = self.engine.resize(&name, &args.size)?;
        if self.engine.dry_run {
            return Ok(());
        }
        if self.json {
            return print::json(&resized);
        }
        let to = size_text(resized.to_bytes);
        let words = match resized.from_bytes.map(size_text) {
            Some(from) if from == to => format!("is {to} already"),
            Some(from) => format!("{from} -> {to}"),
            None => format!("no limit -> {to}"),
        };
        self.screen.said(&name, &words);
        Ok(())
    }
}
