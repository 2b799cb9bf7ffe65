//! The acceptance tests: the real program on the real kernel, as root, on FreeBSD and on Linux, without network and
//! without changing anything of the machine but a directory below `/var/tmp`.
//!
//! `qchroot-acceptance [FILTER]` runs the scenarios whose names contain FILTER; `--list` lists them. The program under
//! test stands beside it, or `QCHROOT_BIN` names it; it must be built with the feature `crash-points`.
//! `QCHROOT_SETS` names a directory of real distribution sets to use in place of those made of the machine's own files.
//! The last line is `N passed, N failed`; the exit status is 0 only when nothing failed.
//!
//! # How a scenario is written
//! A scenario is a function that gets a `World`, an empty qchroot system of its own, and panics when
//! something is not as it should be. It lives in `scenarios/AREA.rs`, whose `scenarios()` lists it with its name and
//! the systems it is for; `scenarios/mod.rs` lists the areas:
//!
//! ```text
//! pub(crate) fn scenarios() -> Vec<Scenario> {
//!     vec![both("lists::a_started_container", started), freebsd("lists::a_jid", jid).limit(300)]
//! }
//!
//! fn started(world: &World) {
//!     world.with_sleeper("nullfs", "chroot");                  // installs, creates `web` with a service
//!     assert_eq!(world.run(["start", "web"]).ok(), "web: Start chroot completed.\n");
//!     world.run(["list", "web"]).says("started");              // on either stream; status 0
//!     assert_eq!(world.run(["list", "--json"]).json()[0]["state"], "started");
//!     world.run(["delete", "web"]).fails(75, &["started"]);    // the status, and words on standard error
//!     world.run(["stop", "web"]).ok();
//!     world.assert_quiet();                                    // no mounts, no processes, no disks
//! }
//! ```
//!
//! Each runs in a process of its own that is ended, with whatever it started, when its limit (120 s) is over. What it
//! leaves mounted, attached or running is taken away and is a failure too, so it has to stop what it starts. Every
//! command is written down with its status and output, and shown when the scenario fails. What differs between the two
//! systems is in `system` and `userland`; a scenario asks `system::ISOLATIONS`, `world.mounts()`,
//! `world.processes()`, `world.disks()`, `world.terminal()`, and is declared `freebsd` or `linux` if it is about one
//! of them only.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "tests report by panicking and printing, and run programs of the host's"
)]

mod cleaning;
mod frame;
mod ran;
mod scenario;
mod scenarios;
mod system;
mod terminal;
mod userland;
mod world;

use std::process::ExitCode;

/// Runs what the command line asks for.
#[must_use]
pub fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    match (words.next().as_deref(), words.next(), words.next()) {
        (Some(frame::ONE), Some(name), Some(directory)) => frame::play(&name, directory.as_ref()),
        _ => frame::all(),
    }
}
