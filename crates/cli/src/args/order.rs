//! What `config` says of a container beside others, and of what it leaves between two starts.

use clap::Args;
use qchroot_api::Name;

#[derive(Debug, Args)]
pub(crate) struct Order {
    /// Start the container after this other one no more
    #[arg(long, value_name = "NAME")]
    pub(crate) remove_after: Vec<Name>,
    /// Require this other container no more
    #[arg(long, value_name = "NAME")]
    pub(crate) remove_requires: Vec<Name>,
    /// Whether sockets, pid files and locks in /run and /var/run stay from one start to the next [default: no]
    #[arg(long, value_name = "yes|no")]
    pub(crate) keep_run_files: Option<String>,
}
