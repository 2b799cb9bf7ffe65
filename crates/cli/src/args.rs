//! The command line as clap sees it. Each option's text is what `--help`, the manual page and the completions
//! show; nothing is computed here.

mod adopt;
mod config;
mod copies;
mod order;
mod plugin_check;
mod plugin_new;
mod processes;
mod session;
mod space;
mod start;

use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand};

pub(crate) use adopt::Adopt;
pub(crate) use config::{Config, ServiceSettings};
pub(crate) use copies::{Pair, Rollback, Snapshot};
pub(crate) use order::Order;
pub(crate) use plugin_check::PluginCheck;
pub(crate) use plugin_new::New;
pub(crate) use processes::{Kill, Logs, Sort, Top};
pub(crate) use session::{Console, Exec, Identity};
pub(crate) use space::{Check, Resize};
pub(crate) use start::{All, Start, Stop};

const EXAMPLES: &str = "Examples:
  qchroot install                          install the host's own release
  qchroot create web                       make a container
  qchroot exec web -- apt-get install -y lighttpd
  qchroot config web lighttpd              let its service start and stop with it
  qchroot start web
  qchroot list
  qchroot --dry-run delete web             show each step, change nothing

The first hour is told in the user guide; every command has its own --help.";

/// Deploys chroot containers that share one pristine, read-only copy of the operating system
#[derive(Debug, Parser)]
#[command(name = "qchroot", version, after_help = EXAMPLES, disable_help_subcommand = false)]
#[command(propagate_version = false, arg_required_else_help = false)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// Options of every command.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Keep everything under DIR instead of the system's directories
    #[arg(long, value_name = "DIR", env = "QCHROOT_ROOT", global = true)]
    pub(crate) root: Option<Utf8PathBuf>,
    /// Print each step that would be taken and change nothing
    #[arg(long, global = true)]
    pub(crate) dry_run: bool,
    /// Print results, and errors, as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Print errors only
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Print each step as it is taken
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Install a pristine release and give it to containers made from now on
    #[command(after_help = "Examples:
  qchroot install
  qchroot install --source debian -o packages=lighttpd,curl
  qchroot install --source tarball -o path=/srv/rootfs.tar.xz -o sha256=DIGEST
  qchroot install --source tarball -o path=https://HOST/rootfs.tar.zst -o key=/etc/keys/HOST.pub
  qchroot install --source host            works without a network
  qchroot install --source distset --release 14.3-RELEASE -o profile=base
  qchroot install --source distset -o url=/mnt/usr/freebsd-dist
  qchroot install --source pkgbase --release 15.0-RELEASE
  qchroot install --source buildworld -o src=/usr/src -o profile=trimmed

Containers keep the release they were made from; an install that fails or is
interrupted leaves the old release in use.")]
    Install(Install),
    /// Make a container
    #[command(after_help = "Examples:
  qchroot create web
  qchroot create db --storage nullfs
  qchroot create shop --storage md --size 512M
  qchroot create build -o storage.host_trees=src
  qchroot create app --limit memory=512M --limit cpu=1.5 --limit processes=200
  qchroot create db --permission var/lib/db/=mysql:mysql:0750
  qchroot create rescue --source-tree /mnt   over a mounted drive, nothing copied")]
    Create(Create),
    /// List containers and their state, by the kernel's word
    #[command(after_help = "Examples:
  qchroot list
  qchroot list web db --json")]
    List(Names),
    /// Show what each service of a container does, and what is missing
    Status(Names),
    /// Show or change the services and options of a container
    #[command(after_help = config::CONFIG)]
    Config(Config),
    /// Start containers and their services
    #[command(after_help = start::START)]
    Start(Start),
    /// Stop containers: afterwards they have no process and no mount
    #[command(after_help = start::STOP)]
    Stop(Stop),
    /// Stop containers that are started, then start them
    #[command(after_help = start::RESTART)]
    Restart(Stop),
    /// Open an interactive shell in a stopped container
    #[command(after_help = "Examples:
  qchroot console web
  qchroot console web -U www-data -l

What the console mounts is gone when it ends, whatever way it ends.")]
    Console(Console),
    /// Run a program in a container, started or not
    #[command(after_help = "Examples:
  qchroot exec web -- apt-get update
  echo 'select 1' | qchroot exec db -U postgres psql
  qchroot exec web --trace-files -- nginx -t
    The last line is then, ready for `qchroot install --source minimal`:
    -o files=/etc/mime.types,/etc/nginx

Exit status: the program's own, 128+N when signal N ended it; 127 when it was
not found, 126 when it cannot be run, 125 when the container cannot be entered.")]
    Exec(Exec),
    /// List the processes of containers
    #[command(after_help = processes::PS)]
    Ps(Names),
    /// Send a signal to processes of a container
    #[command(after_help = processes::KILL)]
    Kill(Kill),
    /// Show what containers use of processor and memory
    #[command(visible_alias = "stats", after_help = processes::TOP)]
    Top(Top),
    /// Show what services have printed
    #[command(after_help = processes::LOGS)]
    Logs(Logs),
    /// Delete stopped containers: tree, administration file and logs
    #[command(after_help = "Examples:
  qchroot --dry-run delete web
  qchroot delete web
  qchroot delete --wait web db             come back when their space is free

Their names are free at once; a process in the background removes what they had. When
that one is killed, the next `delete` or `qchroot doctor --repair` goes on.")]
    Delete(Delete),
    Export(crate::carry::Export),
    Import(crate::carry::Import),
    /// Take over containers of the old qchroot(8), qjail, ezjail or BastilleBSD
    #[command(after_help = adopt::ADOPT)]
    Adopt(Adopt),
    /// Installed releases
    #[command(subcommand)]
    Release(Release),
    /// Move stopped containers to another installed release
    #[command(after_help = "Examples:
  qchroot --dry-run upgrade web            show what would become of each file
  qchroot upgrade web
  qchroot upgrade web db --release 14.3-RELEASE-1f0c2a9be4d7

What the release brought and the container left as it was follows the new release;
what the container changed, made or deleted stays so. Where both changed a file the
container's stays, and the new one is put beside it as FILE.new, with a warning.
Exit status 0 all the same. `qchroot rollback` takes the upgrade back.")]
    Upgrade(Upgrade),
    /// Take the last upgrade of stopped containers back, or go back to a snapshot
    #[command(after_help = copies::ROLLBACK)]
    Rollback(Rollback),
    /// Check the file systems of stopped containers that have one of their own
    #[command(after_help = space::CHECK)]
    Check(Check),
    /// Give a container another limit of its space
    #[command(after_help = space::RESIZE)]
    Resize(Resize),
    /// Keep what a stopped container has now under a name, or list or remove what was kept
    #[command(after_help = copies::SNAPSHOT)]
    Snapshot(Snapshot),
    /// Make a container as a copy of a stopped one
    #[command(after_help = copies::CLONE)]
    Clone(Pair),
    /// Give a stopped container another name
    #[command(after_help = copies::RENAME)]
    Rename(Pair),
    /// Back ends
    #[command(subcommand)]
    Plugin(Plugin),
    /// Look for what is half done, left over or damaged
    #[command(after_help = "Examples:
  qchroot doctor
  qchroot doctor --repair

It also advises how to keep daemons of the host's that answer on every address from
answering for containers.

Exit status: 0 when nothing is wrong or everything was put right, 75 otherwise.
Advice does not count.")]
    Doctor(Doctor),
    /// Print the version
    Version,
}

#[derive(Debug, Args)]
pub(crate) struct Install {
    /// Where the release comes from [default: debian or host on Linux, distset on FreeBSD]
    #[arg(long, value_name = "NAME")]
    pub(crate) source: Option<String>,
    /// Which release, by the source's naming [default: the host's own]
    #[arg(long, value_name = "NAME")]
    pub(crate) release: Option<String>,
    /// An option of the source
    #[arg(short = 'o', value_name = "KEY=VALUE")]
    pub(crate) options: Vec<String>,
    /// Accept what is not the host's own production release, or cannot be checked
    #[arg(long)]
    pub(crate) any_release: bool,
    /// Install another major release although there are containers
    #[arg(long)]
    pub(crate) across_major: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// Letters, digits, dash and underscore; not all digits
    pub(crate) name: String,
    /// How it shares the release [default: overlay on Linux, nullfs on FreeBSD]
    #[arg(long, value_name = "NAME")]
    pub(crate) storage: Option<String>,
    /// An existing tree is its root, such as a mounted drive; short for --storage tree -o storage.path=DIR
    #[arg(long, value_name = "DIR", conflicts_with_all = ["storage", "release"])]
    pub(crate) source_tree: Option<Utf8PathBuf>,
    /// What keeps it apart [default: chroot]
    #[arg(long, value_name = "NAME")]
    pub(crate) isolation: Option<String>,
    /// Which installed release [default: the one installed last]
    #[arg(long, value_name = "ID")]
    pub(crate) release: Option<String>,
    /// What a file inside is to have, set right at each start; a path that ends in / is a directory, made if missing
    #[arg(long, value_name = "PATH=OWNER:GROUP:MODE")]
    pub(crate) permission: Vec<qchroot_engine::PermissionEntry>,
    /// What it may use of the machine: cpu, memory, processes, open_files, read, write; `none` for no limit
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) limit: Vec<String>,
    /// Limit of its space, short for -o storage.size=SIZE
    #[arg(long, value_name = "SIZE")]
    pub(crate) size: Option<String>,
    /// An option of its storage or isolation
    #[arg(short = 'o', value_name = "storage.KEY=VALUE | isolation.KEY=VALUE")]
    pub(crate) options: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Names {
    /// Containers [default: all]
    pub(crate) names: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Delete {
    #[command(flatten)]
    pub(crate) which: All,
    /// Come back when the space that they took is free
    #[arg(long)]
    pub(crate) wait: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Release {
    /// List installed releases; the current one is marked
    List,
    /// Hold the files of releases against what was recorded when they were installed
    #[command(after_help = "Examples:
  qchroot release verify 14.3-RELEASE-1f0c2a9be4d7
  qchroot release verify                   all of them

Exit status: 0 when every file is as it was installed, 65 otherwise.")]
    Verify {
        /// Releases [default: all]
        ids: Vec<String>,
    },
    /// Remove a release that no container needs
    Remove {
        /// The release
        id: String,
    },
    /// Remove every release that nobody needs, and downloads not used for a month
    #[command(after_help = "Examples:
  qchroot --dry-run release prune
  qchroot release prune

A release is needed by the containers pinned to it, by those that a rollback would
bring back to it, and by `create` while it is the current one.")]
    Prune,
}

#[derive(Debug, Args)]
pub(crate) struct Upgrade {
    /// Containers
    #[arg(required = true)]
    pub(crate) names: Vec<String>,
    /// Which installed release [default: the current one]
    #[arg(long, value_name = "ID")]
    pub(crate) release: Option<String>,
    /// Move to another major release
    #[arg(long)]
    pub(crate) across_major: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Plugin {
    /// List back ends: those that are built in, and third parties' plug-ins
    #[command(after_help = "Examples:
  qchroot plugin list
  qchroot plugin list --json

A plug-in is the file NAME.so in the plug-in directory, which only root may write to.
One that cannot be used has a line that says why.")]
    List,
    /// Show what a back end can do and the options it takes
    #[command(after_help = "Examples:
  qchroot plugin info overlay
  qchroot plugin info acme.thing")]
    Info {
        /// Its name
        name: String,
    },
    /// Examine a plug-in's library: all that a back end of its kind must do
    #[command(after_help = plugin_check::PLUGIN_CHECK)]
    Check(PluginCheck),
    /// Begin a plug-in of your own: a project that builds, with tests
    #[command(after_help = plugin_new::NEW)]
    New(New),
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Put right what can be put right
    #[arg(long)]
    pub(crate) repair: bool,
}
