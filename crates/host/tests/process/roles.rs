//! What this program does when a test starts it as somebody else.

use std::io::Write;

use qchroot_api::{Entry, Observe, Place, Step};
use qchroot_engine::Host;
use qchroot_host::Machine;

use crate::support::soon;

/// The exit status of the part that the first argument names; `None` for a test run.
pub(crate) fn play() -> Option<i32> {
    let words: Vec<String> = std::env::args().collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [_, "enter", entry] => Some(enter(entry)),
        [_, "guard", file, end] => Some(guard(file, end)),
        [_, "list", dir] => Some(list(dir)),
        [_, "apply", steps] => Some(apply(steps)),
        _ => None,
    }
}

/// What the program's `exec` does: the child's status, or the one the error asks for.
fn enter(entry: &str) -> i32 {
    let entry: Entry = serde_json::from_str(entry).unwrap();
    Machine::new().enter(&entry).unwrap_or_else(|error| {
        eprintln!("{error}");
        let status = error.fact("exit").map(|status| status.parse().unwrap());
        status.unwrap_or_else(|| i32::from(error.kind().exit_code()))
    })
}

/// Begins something that is to be undone, and then releases the guard or waits to be killed.
fn guard(file: &str, end: &str) -> i32 {
    let guard = Machine::new().on_death(&|| std::fs::write(file, "undone").unwrap()).unwrap();
    std::io::stdout().write_all(b"begun\n").unwrap();
    match end {
        "release" => guard.release().unwrap(),
        "fail" => drop(guard),
        _ => loop {
            nix::unistd::pause();
        },
    }
    0
}

/// Tells the names in a directory of the host's.
fn list(dir: &str) -> i32 {
    let names = (&Machine::new() as &dyn Observe).list(&Place::host(dir)).unwrap();
    names.iter().for_each(|name| std::io::stdout().write_all(format!("{name}\n").as_bytes()).unwrap());
    0
}

/// Applies steps, tells of each, and waits to be killed.
fn apply(steps: &str) -> i32 {
    let steps: Vec<Step> = serde_json::from_str(steps).unwrap();
    for step in steps {
        Machine::new().apply(&step, soon(10)).unwrap();
        std::io::stdout().write_all(b"done\n").unwrap();
    }
    loop {
        nix::unistd::pause();
    }
}
