//! `adopt`: its arguments and examples.

use camino::Utf8PathBuf;
use clap::Args;
use qchroot_engine::AdoptedTool;

pub(super) const ADOPT: &str = "Examples:
  qchroot adopt                            show what there is and what would be done
  qchroot adopt --apply
  qchroot adopt --from ezjail web db --apply
  qchroot adopt --from qjail --isolation chroot
  qchroot adopt --path /mnt                of a system whose disk is mounted there

Reads what the old qchroot(8), qjail, ezjail and BastilleBSD (thin jails) left, and takes
it over by renaming, on one file system; nothing is copied that is large, and nothing of
the old tool's configuration is removed or run. Without --apply nothing is changed. Stop
the containers with the old tool first. What is not taken is listed with the reason.

Exit status: 0 when everything that was asked for is taken, or would be.";

#[derive(Debug, Args)]
pub(crate) struct Adopt {
    /// Containers, by the old tool's names [default: all]
    pub(crate) names: Vec<String>,
    /// One tool only: qchroot, qjail, ezjail or bastille
    #[arg(long, value_name = "TOOL")]
    pub(crate) from: Option<AdoptedTool>,
    /// The root of the system that the tool ran on
    #[arg(long, value_name = "DIR", default_value = "/")]
    pub(crate) path: Utf8PathBuf,
    /// What keeps the containers apart [default: chroot for qchroot, jail for the others]
    #[arg(long, value_name = "NAME")]
    pub(crate) isolation: Option<String>,
    /// Do it
    #[arg(long)]
    pub(crate) apply: bool,
}
