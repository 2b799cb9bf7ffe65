//! `console` and `exec`: who runs what inside.

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct Identity {
    /// Run as this user of the host's
    #[arg(short = 'u', value_name = "USER", conflicts_with = "container_user")]
    pub(crate) host_user: Option<String>,
    /// Run as this user of the container's
    #[arg(short = 'U', value_name = "USER")]
    pub(crate) container_user: Option<String>,
    /// As a login: in the home directory, the shell told so
    #[arg(short = 'l')]
    pub(crate) login: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Console {
    /// The container
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) identity: Identity,
}

#[derive(Debug, Args)]
pub(crate) struct Exec {
    /// The container
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) identity: Identity,
    /// Afterwards, list what the program asked for that is on the host but not inside (Linux)
    #[arg(long)]
    pub(crate) trace_files: bool,
    /// The program and its arguments
    #[arg(
        value_name = "PROGRAM [ARG…]",
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    pub(crate) argv: Vec<String>,
}
