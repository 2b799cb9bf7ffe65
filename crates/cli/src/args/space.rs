//! `check` and `resize`: their arguments and examples.

use clap::Args;

pub(super) const CHECK: &str = "Examples:
  qchroot check web
  qchroot check web db --repair            answer every question of the repair with yes

What was found and done is appended to the log whose path is printed. Containers
without a file system of their own cannot be checked.

Exit status: 0 when clean or repaired, 65 when damage is left.";

pub(super) const RESIZE: &str = "Examples:
  qchroot resize web 2G
  qchroot resize web 512M                  only when what is inside fits
  qchroot --dry-run resize web 2G

A started container grows while it runs where its storage and the kernel can; it is
made smaller only while it is stopped. An interrupted resize loses nothing, and
`qchroot doctor --repair` puts it right.";

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Containers
    #[arg(required = true)]
    pub(crate) names: Vec<String>,
    /// Repair whatever can be repaired, also where it means a choice
    #[arg(long)]
    pub(crate) repair: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Resize {
    /// The container
    pub(crate) name: String,
    /// Its limit from now on: bytes, or a number with K, M, G or T
    pub(crate) size: String,
}
