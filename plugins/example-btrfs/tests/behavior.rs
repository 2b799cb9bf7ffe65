//! What every storage must do, of this one, on a btrfs in a file: the trials on the real machine. What btrfs says of limits is
//! in the end-to-end tests.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests report by panicking")]

#[path = "../src/btrfs.rs"]
mod btrfs;
#[path = "../src/storage.rs"]
mod storage;

use std::path::Path;
use std::process::{Command, ExitCode};

use qchroot_testkit::behavior::{self, Scene};

fn main() -> ExitCode {
    let dir = tempfile::tempdir().unwrap();
    let (file, at) = (dir.path().join("disk"), dir.path().join("mounted"));
    std::fs::File::create(&file).unwrap().set_len(512 << 20).unwrap();
    std::fs::create_dir(&at).unwrap();
    run(&["mkfs.btrfs", "-q"], &[&file]);
    run(&["mount", "-o", "loop"], &[&file, &at]);
    run(&["btrfs", "quota", "enable"], &[&at]);
    // SAFETY: there is no other thread yet.
    unsafe { std::env::set_var("TMPDIR", &at) };
    let mut trials = behavior::storage(|| Box::new(storage::Btrfs));
    trials.retain(|trial| matches!(trial.scene(), Scene::Machine(_)));
    assert!(trials.len() > 10, "{}", trials.len());
    let outcome = behavior::main(trials);
    run(&["umount"], &[&at]);
    outcome
}

fn run(words: &[&str], paths: &[&Path]) {
    let status = Command::new(words[0]).args(&words[1..]).args(paths).status().unwrap();
    assert!(status.success(), "{words:?}");
}
