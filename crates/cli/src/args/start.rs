//! Which containers `start`, `stop`, `restart` and `delete` work on, and how.

use clap::Args;

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
    /// At most N at once; this version starts one after another
    #[arg(short, value_name = "N")]
    pub(crate) jobs: Option<usize>,
}

#[derive(Debug, Args)]
pub(crate) struct Stop {
    #[command(flatten)]
    pub(crate) which: All,
    /// At most N at once; this version works one after another
    #[arg(short, value_name = "N")]
    pub(crate) jobs: Option<usize>,
    /// Kill what has not ended after SECONDS
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub(crate) timeout: u64,
}
