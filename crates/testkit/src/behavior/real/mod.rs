//! The second half of the suites: the real machine, as root, with a userland of one program. On Linux the
//! whole suite runs in a mount namespace of its own, so that nothing stays mounted whatever goes wrong.

mod isolation;
mod lab;
mod snapshot;
mod source;
mod storage;

use std::os::unix::process::CommandExt;
use std::process::Command;

use libtest_mimic::Trial;
use qchroot_api::{Kind, Observe, Platform};
use qchroot_engine::Host;
use qchroot_host::Machine;

pub(crate) use isolation::isolation;
pub use source::{SourceOnMachine, source_on_machine};
pub(crate) use storage::storage;

/// Tells the second run from the first.
const INSIDE: &str = "QCHROOT_SUITE_IN_NAMESPACE";

/// Runs this program again in a mount namespace of its own where there are such, by unshare(1). Returns where
/// there are none, for the second run, and for users who may not; those trials fail by themselves.
#[allow(clippy::disallowed_methods, reason = "the suite runs itself again; no container exists yet")]
pub(crate) fn enter_namespace() {
    let machine = Machine::new();
    if std::env::var_os(INSIDE).is_some() || !machine.is_superuser() || here() != Platform::Linux {
        return;
    }
    let program = std::env::current_exe().expect("the suite knows its own file");
    let mut again = Command::new("unshare");
    again.args(["--mount", "--propagation", "private", "--"]).arg(program);
    again.args(std::env::args_os().skip(1)).env(INSIDE, "1");
    panic!("cannot run unshare(1), which this suite needs: {}", again.exec());
}

/// The kernel the suite runs on.
fn here() -> Platform {
    let machine = Machine::new();
    (&machine as &dyn Observe).platform().expect("the machine knows its kernel")
}

/// A trial's name and what it does.
type Check = (&'static str, Box<dyn FnOnce() + Send>);

/// Trials for the real machine, none where the back end does not work on this kernel.
fn trials(kind: Kind, platforms: &[Platform], all: Vec<Check>) -> Vec<Trial> {
    if !platforms.contains(&here()) {
        return vec![];
    }
    let named = |(name, run): Check| super::trial(format!("real {kind}: {name}"), run);
    all.into_iter().map(named).collect()
}
