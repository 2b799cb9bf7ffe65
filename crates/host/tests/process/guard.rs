//! A guard undoes what its holder can no more.

use std::fs;
use std::io::Read;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::{Test, first_line, role, until};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        ("guard::killed", || undone("wait", true)),
        ("guard::lost", || undone("fail", true)),
        ("guard::released", || undone("release", false)),
    ]
}

fn undone(end: &str, expected: bool) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    let (mut holder, line) = first_line(&mut role(&["guard", file.to_str().unwrap(), end]));
    assert_eq!(line, "begun");
    if end == "wait" {
        kill(Pid::from_raw(holder.id().try_into().unwrap()), Signal::SIGKILL).unwrap();
    }
    holder.wait().unwrap();
    // The guard must not keep the caller's pipe open: this ends although a guard may still be at work.
    holder.stdout.take().unwrap().read_to_end(&mut vec![]).unwrap();
    if expected {
        until("it is undone", || fs::read(&file).is_ok_and(|text| text == b"undone"));
    } else {
        // `release` has waited for the guard's end.
        assert!(!file.exists());
    }
}
