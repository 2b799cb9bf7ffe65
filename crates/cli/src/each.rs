//! One command on many containers: all are processed, the first failure's status is the result.

use std::num::NonZeroUsize;
use std::time::Duration;

use qchroot_api::{Error, ErrorKind, Name, Result};
use qchroot_engine::{Told, Watch};
use serde_json::json;

use crate::args::{All, Start, Stop};
use crate::run::Front;
use crate::{fail, print};

/// Starts wait for processors, and for services to be ready.
const STARTS: usize = 4;

/// Stops wait for processes to end, which costs nothing.
const STOPS: usize = 64;

impl Front<'_> {
    pub(crate) fn start(&self, args: &Start) -> Result<u8> {
        let processors = || std::thread::available_parallelism().map_or(STARTS, |n| n.get().max(STARTS));
        let jobs = args.jobs.unwrap_or_else(|| at_least_one(processors()));
        let names = match args.boot {
            true => self.engine.names_at_boot()?.iter().map(ToString::to_string).collect(),
            false => self.chosen(&args.which, "start")?,
        };
        self.together(names, |names, told| self.engine.start_all(names, jobs, told))
    }

    pub(crate) fn stop(&self, args: &Stop) -> Result<u8> {
        let (jobs, patience) = force(args);
        let names = self.chosen(&args.which, "stop")?;
        self.together(names, |names, told| self.engine.stop_all(names, jobs, patience, told))
    }

    pub(crate) fn restart(&self, args: &Stop) -> Result<u8> {
        let (jobs, patience) = force(args);
        let names = self.chosen(&args.which, "restart")?;
        self.together(names, |names, told| self.engine.restart_all(names, jobs, patience, told))
    }

    /// Prints what becomes of each container as `act` tells it.
    fn together(&self, names: Vec<String>, act: impl FnOnce(&[Name], &mut Told<'_>)) -> Result<u8> {
        let (mut results, mut status) = (vec![], 0);
        let mut failed = |error: &Error| {
            let exit = self.fails(error);
            status = if status == 0 { exit } else { status };
        };
        let good = names.iter().filter_map(|name| name.parse().map_err(|error| failed(&error)).ok());
        let good: Vec<Name> = good.collect();
        act(&good, &mut |name, outcome| match outcome {
            Err(error) => failed(&error),
            Ok(_) if self.engine.dry_run => {}
            Ok(outcome) => {
                self.screen.said(name, outcome.phrase());
                results.push(json!({ "name": name, "result": outcome.phrase() }));
            }
        });
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
                let exit = self.fails(&error);
                status = if status == 0 { exit } else { status };
            }
        }
        Ok(status)
    }

    /// Tells of one container's failure; its exit status.
    fn fails(&self, error: &Error) -> u8 {
        // A service's program that is not found is no program of ours: 127 is for `exec` alone.
        let exit = error.kind().exit_code();
        fail::tell(error, exit, self.json);
        exit
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

fn force(args: &Stop) -> (NonZeroUsize, Duration) {
    (args.jobs.unwrap_or_else(|| at_least_one(STOPS)), Duration::from_secs(args.timeout))
}

fn at_least_one(jobs: usize) -> NonZeroUsize {
    NonZeroUsize::new(jobs).unwrap_or(NonZeroUsize::MIN)
}
