//! `config` as clap sees it, with its examples.

use clap::Args;

use super::Order;

pub(super) const CONFIG: &str = "Examples:
  qchroot config web                       show its services
  qchroot config web nginx                 add the service of /etc/init.d/nginx inside
  qchroot config web --command 'http=/usr/sbin/lighttpd -D -f /etc/lighttpd/lighttpd.conf'
  qchroot config web --remove nginx
  qchroot config web --boot no
  qchroot config web --requires db         container db starts before it, and stops after it
  qchroot config web --limit memory=1G --limit cpu=none
  qchroot config web --permission var/log/web.log=www:www:0640

  qchroot config shop --command 'db=/usr/lib/postgresql/15/bin/postgres -D /var/lib/postgresql/15/main'
  qchroot config shop --user db=postgres --stop-signal db=INT --ready db=port:5432
  qchroot config shop nginx --requires nginx=db --restart nginx=always
  qchroot config shop --after nginx=cache --ready 'db=command:pg_isready -q'
  qchroot config shop --restart nginx=     take a setting out

Changes count from the container's next start. Health checks and more are keys of the
container's file; see the user guide.";

#[derive(Debug, Args)]
pub(crate) struct Config {
    /// The container
    pub(crate) name: String,
    /// Services with a script inside, to add
    pub(crate) services: Vec<String>,
    /// A program that stays in the foreground, to add as a service
    #[arg(long, value_name = "SERVICE=COMMANDLINE")]
    pub(crate) command: Vec<String>,
    /// A service to take out
    #[arg(long, value_name = "SERVICE")]
    pub(crate) remove: Vec<String>,
    #[command(flatten)]
    pub(crate) settings: ServiceSettings,
    /// What a file inside is to have, set right at each start; a path that ends in / is a directory, made if missing
    #[arg(long, value_name = "PATH=OWNER:GROUP:MODE")]
    pub(crate) permission: Vec<qchroot_engine::PermissionEntry>,
    /// What it may use of the machine: cpu, memory, processes, open_files, read, write; `none` for no limit
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) limit: Vec<String>,
    /// Whether the container starts with the system
    #[arg(long, value_name = "yes|no")]
    pub(crate) boot: Option<String>,
    #[command(flatten)]
    pub(crate) order: Order,
    /// An option of its storage or isolation
    #[arg(short = 'o', value_name = "storage.KEY=VALUE | isolation.KEY=VALUE")]
    pub(crate) options: Vec<String>,
}

/// Settings of single services.
#[derive(Debug, Args)]
pub(crate) struct ServiceSettings {
    /// Start the container after another one where both start, or a service after another one of the container
    #[arg(long, value_name = "CONTAINER | SERVICE=OTHER")]
    pub(crate) after: Vec<String>,
    /// The same, and not without it: it is started too, and stopped after those that require it
    #[arg(long, value_name = "CONTAINER | SERVICE=OTHER")]
    pub(crate) requires: Vec<String>,
    /// What tells that a service has started: port:NUMBER, file:PATH, command:COMMANDLINE or notify
    #[arg(long, value_name = "SERVICE=WHAT")]
    pub(crate) ready: Vec<String>,
    /// Start a service again when it ends: on-failure, always or never
    #[arg(long, value_name = "SERVICE=WHEN")]
    pub(crate) restart: Vec<String>,
    /// Run a service's command as this user of the container's
    #[arg(long, value_name = "SERVICE=USER")]
    pub(crate) user: Vec<String>,
    /// Ask a service's command to end by this signal instead of TERM
    #[arg(long, value_name = "SERVICE=SIGNAL")]
    pub(crate) stop_signal: Vec<String>,
}
