//! Which containers `start`, `stop`, `restart` and `delete` work on, and how.

use std::num::NonZeroUsize;

use clap::Args;

pub(super) const START: &str = "Examples:
  qchroot start web db
  qchroot start -A
  qchroot start -A -j 8                    at most 8 at once, whatever the processors
  qchroot start --boot                     those that start with the system

A container starts after those that its file names, and those it requires are started
too. When one of these does not start, what requires it is not started, and the others
go on. The lines come in the same order for every N.";

pub(super) const STOP: &str = "Examples:
  qchroot stop web
  qchroot stop -A --timeout 60             a minute for all of them together

Containers that require one of those named are stopped first. Each gets its share of
the time, and what it does not need is for those that come after it.";

pub(super) const RESTART: &str = "Examples:
  qchroot restart web
  qchroot restart db                       web, which requires db, stops before it and starts after it";

#[derive(Debug, Args)]
pub(crate) struct All {
    /// All containers
    #[arg(short = 'A', long)]
    pub(crate) all: bool,
    /// Containers
    pub(crate) names: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Start {
    #[command(flatten)]
    pub(crate) which: All,
    /// All containers that start with the system, and what they require
    #[arg(long, conflicts_with = "names")]
    pub(crate) boot: bool,
    /// At most N at once [default: as many as there are processors, and at least 4]
    #[arg(short, value_name = "N")]
    pub(crate) jobs: Option<NonZeroUsize>,
}

#[derive(Debug, Args)]
pub(crate) struct Stop {
    #[command(flatten)]
    pub(crate) which: All,
    /// At most N at once [default: 64]
    #[arg(short, value_name = "N")]
    pub(crate) jobs: Option<NonZeroUsize>,
    /// Kill what has not ended after SECONDS; they are for all containers together
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub(crate) timeout: u64,
}
