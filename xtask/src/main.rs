//! `cargo xtask`: what the people who work on qchroot run, on a fresh machine and in CI alike.
//!
//! Must not know how qchroot works inside: it sees the program's command line, the source files as text and
//! what `cargo metadata` says.

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal and for CI's log")]

mod bench;
mod ci;
mod demo;
mod dist;
mod freebsd;
mod http;
mod man;
mod mounts;
mod program;
mod reference;
mod run;
mod server;
mod setup;
mod test;
mod tidy;
mod workspace;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;

use workspace::Workspace;

/// What every task returns: its failure is printed once, in `main`.
type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Builds, checks, measures and shows qchroot.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Task {
    /// Install what the other tasks need (Debian, as root), or say what is missing
    Setup,
    /// Build the program and run all the tests (as root)
    Test(test::Args),
    /// Everything that must hold before a change lands
    Ci,
    /// Check the rules of the architecture and of the text
    Tidy,
    /// Measure the program against the least that the kernel needs for the same work
    Bench(bench::Args),
    /// Show a web server in a container, from nothing to nothing
    Demo,
    /// Build or type-check for FreeBSD
    Freebsd(freebsd::Args),
    /// Lay out and pack what belongs on each system
    Dist(dist::Args),
    /// Write the manual page and the shells' completions
    Man(man::Args),
    /// Write the reference of what crosses the border to plug-ins
    Reference,
}

fn main() -> ExitCode {
    match run_task(Task::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run_task(task: Task) -> Result<()> {
    let workspace = Workspace::enter()?;
    match task {
        Task::Setup => setup::everything(),
        Task::Test(args) => test::task(&workspace, &args),
        Task::Ci => ci::task(&workspace),
        Task::Tidy => tidy::task(&workspace),
        Task::Bench(args) => bench::task(&workspace, &args),
        Task::Demo => demo::task(&workspace),
        Task::Freebsd(args) => freebsd::task(&workspace, &args),
        Task::Dist(args) => dist::task(&workspace, &args),
        Task::Man(args) => man::task(&workspace, &args),
        Task::Reference => reference::task(&workspace),
    }
}
