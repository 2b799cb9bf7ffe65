//! The program `qchroot`: arguments, printing, exit status. It decides nothing about containers.

#![forbid(unsafe_code)]

mod adopt;
mod args;
mod carriers;
mod carry;
mod check_report;
mod config;
mod copies;
mod each;
mod fail;
mod logs;
mod place;
mod plugin;
mod plugin_check;
mod plugin_new;
mod plugins;
mod print;
mod processes;
mod releases;
mod run;
mod screen;
mod space;
mod status;
mod top;

use std::process::ExitCode;

use clap::CommandFactory;

/// The command line's definition, from which `--help`, the manual page and the completions are made.
#[must_use]
pub fn command() -> clap::Command {
    args::Cli::command()
}

/// Runs the program. The process' arguments are read here.
#[must_use]
pub fn main() -> ExitCode {
    run::main()
}
