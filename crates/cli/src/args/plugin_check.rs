//! `plugin check`: its arguments and examples.

use camino::Utf8PathBuf;
use clap::Args;

pub(super) const PLUGIN_CHECK: &str = "Examples:
  qchroot plugin check target/debug/libthing.so
  qchroot plugin check libthing.so -o index=/srv/images --release 12
  qchroot plugin check --json libthing.so > report.json
  qchroot plugin check libthing.so --only \"filling twice\"

The library need not be installed, nor belong to root; it runs as whoever calls this.
Each check is a line: what must be so, and `ok`, `failed` or `not run` with the reason.
Checks on the machine itself need root; they work in temporary directories (TMPDIR)
and, on Linux, in a mount namespace that ends with them. A release source is asked for
what -o and --release say.

Exit status: 0 when no check failed, 76 when one did; 64 when the release source needs
other options.";

#[derive(Debug, Args)]
pub(crate) struct PluginCheck {
    /// The shared library
    pub(crate) file: Utf8PathBuf,
    /// An option of the release source, or of containers with this storage or isolation
    #[arg(short = 'o', value_name = "KEY=VALUE")]
    pub(crate) options: Vec<String>,
    /// Which release to ask the source for, by its own naming
    #[arg(long, value_name = "NAME")]
    pub(crate) release: Option<String>,
    /// Run only the checks that have this text in their names
    #[arg(long, value_name = "TEXT")]
    pub(crate) only: Option<String>,
}
